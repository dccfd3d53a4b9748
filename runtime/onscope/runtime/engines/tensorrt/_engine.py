"""`tensorrt`: TensorRT driven natively, on the first GPU; `tensorrt:1` on the second."""

from __future__ import annotations

import time
from pathlib import Path

from ..._errors import ProviderError
from .._ahead import Built, Progress
from .._interface import Session
from ._build import serialised
from ._dialect import Translated
from ._gpu import gpu
from ._library import library
from ._made_for import made_for, read_graph
from ._session import TensorRtSession
from ._store import discard, keep_engine, keep_timings, look_up, read_timings

SUFFIX = ".engine"


class TensorRtEngine:
    """Opens graphs whose engines were built by `onscope build`.

    `argument` is the GPU's number. Raises ProviderError where TensorRT or a GPU is missing.
    """

    def __init__(self, argument: str = "") -> None:
        if argument and not argument.isdecimal():
            raise ProviderError(
                f"found the provider 'tensorrt:{argument}', expected 'tensorrt' or a GPU's number: 'tensorrt:1'"
            )
        self._provider = f"tensorrt:{argument}" if argument else "tensorrt"
        self._trt = library()
        self._gpu = gpu(int(argument or 0))

    def open(self, graph: Path, threads: int | None = None) -> Session:
        """The graph's engine from the cache; nothing is built here. Raises ProviderError when it is not there."""
        read, for_this = self._describe(graph)
        path = look_up(for_this, SUFFIX)
        if path is None:
            raise ProviderError(not_built(self._provider, for_this))
        return TensorRtSession(
            self._trt, path.read_bytes(), read.inputs, read.outputs, self._gpu.number, self._provider
        )

    def build(self, graph: Path, progress: Progress) -> Built:
        """The graph's engine: from the cache, else built, which takes from seconds to many minutes."""
        read, for_this = self._describe(graph)
        path = look_up(for_this, SUFFIX)
        if path is not None:
            return Built(path, path.stat().st_size, False, 0.0, for_this)
        began = time.perf_counter()
        engine, timings = serialised(self._trt, read.model.SerializeToString(), progress, read_timings(for_this))
        path = keep_engine(for_this, SUFFIX, engine)
        keep_timings(for_this, timings)
        return Built(path, len(engine), True, time.perf_counter() - began, for_this)

    def discard(self, graph: Path) -> None:
        discard(self._describe(graph)[1], SUFFIX)

    def _describe(self, graph: Path) -> tuple[Translated, dict[str, str]]:
        read, said = read_graph(graph)
        return read, made_for(said, self._gpu, tensorrt=str(self._trt.__version__), through="tensorrt")


def not_built(provider: str, for_this: dict[str, str]) -> str:
    """The sentence for an engine that is not there."""
    return (
        f"found no engine for {for_this['inputs']} in {for_this['precision']} on {for_this['gpu']} (driver "
        f"{for_this['driver']}, TensorRT {for_this['tensorrt']}), expected one that was built before frames come: "
        f"`onscope build PACKAGE --provider {provider} --shape HxW --precision {for_this['precision']}`"
    )
