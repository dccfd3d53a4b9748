"""Which order of axes a graph is computed in on the GPU: convolutions are quicker in one or the other, by network, GPU
and precision. Both are tried when a graph is first opened on a machine; what came of it is remembered."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal

import numpy as np

from ..._cache_files import write_whole
from ..._cache_place import cache_folder
from ..._errors import DeviceLostError, ProviderError
from ..gpu import GpuSession

Layout = Literal["channels first", "channels last"]
CHANNELS_FIRST: Layout = "channels first"
CHANNELS_LAST: Layout = "channels last"
ROUNDS = 9
GAIN = 0.97
"""The other order is taken when it takes less than this part of the time: within noise the graph's own is kept."""
Open = Callable[[Layout], GpuSession]


def quicker(content: bytes, made_for: Mapping[str, str], open_: Open) -> GpuSession:
    """A session in the quicker order; raises what opening it in the graph's own order raises."""
    place = _place(content, made_for)
    known = _remembered(place)
    if known is not None:
        try:
            return open_(known)
        except DeviceLostError:
            raise
        except ProviderError:
            if known == CHANNELS_FIRST:
                raise
    first = open_(CHANNELS_FIRST)
    if not _has_convolutions(content):
        return first
    try:
        last = open_(CHANNELS_LAST)
        times = _times(first, last)
    except DeviceLostError:
        raise
    except ProviderError:  # it does not know the order, or memory does not suffice for both
        return first
    taken, other = (last, first) if times[1] < GAIN * times[0] else (first, last)
    other.close()
    _remember(place, CHANNELS_LAST if taken is last else CHANNELS_FIRST)
    return taken


def _times(*sessions: GpuSession) -> list[float]:
    """Median seconds of a window on each, in turn, so that what disturbs one disturbs the other."""
    windows = [[np.zeros([size or 0 for size in spec.shape], spec.dtype) for spec in each.inputs] for each in sessions]
    taken: list[list[float]] = [[] for _ in sessions]
    for _ in range(ROUNDS):
        for session, window, times in zip(sessions, windows, taken, strict=True):
            began = time.perf_counter()
            session.run(window)
            times.append(time.perf_counter() - began)
    return [float(np.median(times)) for times in taken]


def _has_convolutions(content: bytes) -> bool:
    import onnx

    kinds = {node.op_type for node in onnx.load_model_from_string(content).graph.node}
    return bool(kinds & {"Conv", "ConvTranspose"})


def _place(content: bytes, made_for: Mapping[str, str]) -> Path:
    said = json.dumps({**made_for, "graph": hashlib.sha256(content).hexdigest()}, sort_keys=True)
    return cache_folder("engines") / f"{hashlib.sha256(said.encode()).hexdigest()}.layout"


def _remembered(place: Path) -> Layout | None:
    try:
        said = place.read_text(encoding="utf-8")
    except (OSError, ValueError):
        return None
    return next((each for each in (CHANNELS_FIRST, CHANNELS_LAST) if each == said), None)


def _remember(place: Path, layout: Layout) -> None:
    try:
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_whole(place, layout.encode())
    except OSError:
        pass  # measured again next time
