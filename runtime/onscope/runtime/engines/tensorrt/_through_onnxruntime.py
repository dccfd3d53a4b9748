"""`tensorrt-ep`: TensorRT through ONNX Runtime's provider, where TensorRT 10 is there beside onnxruntime-gpu.

What is built is an EPContext model (onnxruntime.ai/docs/execution-providers/EP-Context-Design.html): an ONNX file of
one node that holds the engine. Opened, it is loaded and cannot be built, so that nothing is built while frames come.
ONNX Runtime falls back to the CPU with no more than a line of its log where TensorRT's library is not found, and puts
what TensorRT does not know on other providers: both are looked for, and refused.
"""

from __future__ import annotations

import contextlib
import ctypes
import importlib
import sys
import tempfile
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from ..._errors import ProviderError
from .._ahead import Progress
from .._interface import Session
from .._onnxruntime import first_line
from ._built_ahead import BuiltAhead
from ._context import building, on_stream, open_context, read_context, session_options
from ._made_for import GraphFile

if TYPE_CHECKING:
    from onnx import ModelProto

NAME = "TensorrtExecutionProvider"
LIBRARY = "nvinfer_10.dll" if sys.platform == "win32" else "libnvinfer.so.10"
HINT = "pip install 'onscope[tensorrt-ep]' on a machine with an NVIDIA GPU"


class TensorRtThroughOnnxRuntime(BuiltAhead):
    """Builds and opens EPContext models with onnxruntime-gpu."""

    name = "tensorrt-ep"
    suffix = ".onnx"

    def _library(self) -> dict[str, str]:
        version = _library()
        if find_spec("cuda") is None:
            raise ProviderError(f"found no cuda-bindings installed, expected them for 'tensorrt-ep': {HINT}")
        import onnxruntime as ort

        return {"tensorrt": version, "through": f"onnxruntime {ort.__version__}"}

    def _opened(self, path: Path, file: GraphFile) -> Session:
        return open_context(
            self._provider,
            file,
            self._gpu.number,
            lambda device, _: _session(str(path), self._gpu.number, on_stream(device), device.blame),
        )

    def _made(self, model: ModelProto, for_this: dict[str, str], progress: Progress) -> bytes:
        progress("ONNX Runtime builds the engine", 0, 0)  # it does not tell how far it is
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "context.onnx"
            session = _session(model.SerializeToString(), self._gpu.number, {}, ProviderError, building(path))
            del session
            return read_context(path)


def _session(
    model: str | bytes,
    number: int,
    settings: dict[str, str],
    blame: Callable[[str], Exception],
    entries: Mapping[str, str] = MappingProxyType({}),
) -> Any:
    """A session that runs on TensorRT or is not opened at all; `blame` makes the error of what ONNX Runtime tells."""
    import onnxruntime as ort

    options = session_options(entries)
    try:
        # Its Python part would catch what the provider says, print it, and try again with the CPU.
        providers = [(NAME, {"device_id": str(number), **settings})]
        session = ort.InferenceSession(model, options, providers=providers, enable_fallback=0)
    except Exception as error:
        raise blame(f"ONNX Runtime cannot open the graph on TensorRT: {first_line(error)}") from error
    if session.get_providers()[:1] != [NAME]:
        raise ProviderError(
            f"found that ONNX Runtime took {', '.join(session.get_providers())} without a word, expected {NAME}: {HINT}"
        )
    return session


def _library() -> str:
    """TensorRT's version, as its library tells it; raises ProviderError when a part of the way to it is missing."""
    try:
        import onnxruntime as ort
    except ImportError as missing:
        raise ProviderError(f"found no onnxruntime, expected onnxruntime-gpu for 'tensorrt-ep': {HINT}") from missing
    if NAME not in ort.get_available_providers():
        raise ProviderError(
            f"found an onnxruntime {ort.__version__} without TensorRT, expected onnxruntime-gpu (and not onnxruntime "
            f"beside it) for 'tensorrt-ep': {HINT}"
        )
    number = _library_version()
    return f"{number // 10000}.{number // 100 % 100}.{number % 100}"


def _library_version() -> int:
    """TensorRT's own number: 101601 is 10.16.1."""
    with contextlib.suppress(Exception):  # installed in another way, or 11: what counts is the library
        importlib.import_module("tensorrt")  # its wheel loads the libraries, which ONNX Runtime then finds
    try:
        return int(ctypes.CDLL(LIBRARY).getInferLibVersion())
    except (OSError, AttributeError) as error:
        raise ProviderError(f"found no {LIBRARY}, expected TensorRT 10 for 'tensorrt-ep': {HINT}") from error
