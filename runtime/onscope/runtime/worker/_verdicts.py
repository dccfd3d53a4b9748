"""Whether engines give the CPU's answers to these graphs on this machine: measured once, and remembered.

A verdict holds for a compiled graph, an engine, and all that its answers depend on: what the engine says that it was
made for, the GPUs and their driver, and the versions of what reckons. If one of them changes it is measured anew.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np

from .._cache_files import write_whole
from .._cache_place import cache_folder
from .._errors import PackageError
from .._frame import Pixels
from ..engines import behind_faults, made_for, probe
from ..graph import Raw, StageRequest
from ._chain import Chain
from ._engine_errors import FLOOR, PERCENTILE, SLACK, EngineError, engine_errors
from ._plan import FRAME

ROOM = "verdicts"
REFERENCE = "cpu"
SIDE = 64
"""Pixels after which the frame that answers are compared on repeats itself."""
RECKONING = ("onscope", "onnxruntime", "onnxruntime-gpu", "onnxruntime-ep-nv-tensorrt-rtx", "tensorrt", "openvino")

Errors = Mapping[str, EngineError]


def needs_verdict(provider: str) -> bool:
    """Whether an engine is compared with the CPU's at all: not itself, nor where there is none to compare with."""
    return behind_faults(provider) != REFERENCE and probe(REFERENCE).ok


def remembered(chain: Chain, provider: str) -> Errors | None:
    """The errors of a chain's stages as they were measured for the same graphs; None: they were not."""
    try:
        said = json.loads((cache_folder(ROOM) / _name(_identity(chain, provider))).read_bytes())
        return {stage: EngineError(**error) for stage, error in said["errors"].items()}
    except (OSError, PackageError, ValueError, TypeError, KeyError, AttributeError):
        return None


def measured(chain: Chain, provider: str, floats: Mapping[str, StageRequest] | None = None) -> Errors:
    """The errors of a chain's stages against the CPU on one window that is the same on every machine; remembered.

    What the chain remembers of earlier windows is lost. Raises what a Chain raises.
    """
    first = next((group.raw for group in chain.groups if group.reads == FRAME), None)
    errors = {} if first is None else engine_errors(chain, test_window(first), floats or {}, REFERENCE)
    remember(chain, provider, errors)
    return errors


def remember(chain: Chain, provider: str, errors: Errors) -> None:
    """Keep what was measured; a cache that cannot be written is no reason to stop."""
    identity = _identity(chain, provider)
    said = {"identity": identity, "errors": {stage: asdict(error) for stage, error in errors.items()}}
    with contextlib.suppress(OSError, PackageError):
        write_whole(cache_folder(ROOM) / _name(identity), json.dumps(said, indent=1).encode())


def failures(errors: Errors) -> str:
    """The stages that answer something else, in words; empty: none."""
    return "; ".join(
        f"{stage} is wrong by {error.engine:.1e} of its answer's range (the CPU by {error.cpu:.1e})"
        for stage, error in errors.items()
        if not error.passed
    )


def test_window(raw: Raw) -> list[Pixels]:
    """One window of frames with blurred spots and noise, the same whenever it is asked for."""
    random = np.random.default_rng(0)
    y, x = np.mgrid[:SIDE, :SIDE]
    scene = 100 + 5 * random.standard_normal((SIDE, SIDE))
    for _ in range(8):
        at, width, height = random.uniform(4, SIDE - 4, 2), random.uniform(1, 5), random.uniform(200, 3000)
        scene += height * np.exp(-((y - at[0]) ** 2 + (x - at[1]) ** 2) / (2 * width**2))
    for place in (0, 1):
        scene = np.take(scene, np.arange(raw.shape[place]), axis=place, mode="wrap")
    scene = scene * (255 / 4000 if raw.dtype == "uint8" else 1)
    scene = scene.reshape(*scene.shape, *[1] * (len(raw.shape) - 2))
    frame = np.broadcast_to(np.clip(scene, 0, 255 if raw.dtype == "uint8" else 65535), raw.shape)
    return [np.ascontiguousarray(frame.astype(raw.dtype))] * raw.length


def _identity(chain: Chain, provider: str) -> dict[str, Any]:
    graphs = [group.compiled for group in chain.groups]
    return {
        "provider": provider,
        "graphs": [graph.sha256 for graph in graphs],
        "made_for": [dict(made_for(graph.path, provider)) for graph in graphs],
        "gpus": _gpus(),
        "versions": _versions(RECKONING),
        "rule": [SLACK, FLOOR, PERCENTILE],
    }


def _gpus() -> list[Any]:
    from ..record.provenance import gpus  # its room is large, and most runs compare nothing

    return [dict(each) for each in gpus()]


def _versions(names: Sequence[str]) -> dict[str, str]:
    found = {}
    for name in names:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _name(identity: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest() + ".json"
