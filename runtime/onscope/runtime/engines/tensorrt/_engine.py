"""`tensorrt`: TensorRT driven natively, on the first GPU; `tensorrt:1` on the second."""

from __future__ import annotations

from pathlib import Path

from .._ahead import Progress
from .._interface import Session
from ._build import serialised
from ._built_ahead import BuiltAhead
from ._dialect import Translated
from ._library import library
from ._session import TensorRtSession
from ._store import keep_timings, read_timings


class TensorRtEngine(BuiltAhead):
    """Builds and opens with the `tensorrt` package, 10 or 11."""

    name = "tensorrt"
    suffix = ".engine"

    def _library(self) -> dict[str, str]:
        self._trt = library()
        return {"tensorrt": str(self._trt.__version__), "through": "tensorrt"}

    def _opened(self, path: Path, read: Translated) -> Session:
        return TensorRtSession(
            self._trt, path.read_bytes(), read.inputs, read.outputs, self._gpu.number, self._provider
        )

    def _made(self, read: Translated, for_this: dict[str, str], progress: Progress) -> bytes:
        engine, timings = serialised(self._trt, read.model.SerializeToString(), progress, read_timings(for_this))
        keep_timings(for_this, timings)
        return engine
