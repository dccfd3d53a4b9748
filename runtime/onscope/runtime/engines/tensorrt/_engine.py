"""`tensorrt`: TensorRT driven natively, on the first GPU; `tensorrt:1` on the second."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from .._ahead import Progress
from .._interface import Session
from ._build import serialised
from ._built_ahead import BuiltAhead
from ._library import library
from ._made_for import GraphFile
from ._session import open_engine
from ._store import keep_timings, read_timings

if TYPE_CHECKING:
    from onnx import ModelProto


class TensorRtEngine(BuiltAhead):
    """Builds and opens with the `tensorrt` package, 10 or 11."""

    name = "tensorrt"
    suffix = ".engine"

    def _library(self) -> dict[str, str]:
        self._trt = library()
        return {"tensorrt": str(self._trt.__version__), "through": "tensorrt"}

    def _opened(self, path: Path, file: GraphFile) -> Session:
        return open_engine(self._trt, path.read_bytes(), file.inputs, file.outputs, self._gpu.number, self._provider)

    def _made(self, model: ModelProto, for_this: dict[str, str], progress: Progress) -> bytes:
        engine, timings = serialised(self._trt, model.SerializeToString(), progress, read_timings(for_this))
        keep_timings(for_this, timings)
        return engine
