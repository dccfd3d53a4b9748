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
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..._errors import ProviderError
from .._ahead import Progress
from .._interface import Array, Session, TensorSpec, check_arrays
from .._lost import failure
from ._built_ahead import BuiltAhead
from ._dialect import Port
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
        return EpContextSession(path, file.inputs, file.outputs, self._gpu.number, self._provider)

    def _made(self, model: ModelProto, for_this: dict[str, str], progress: Progress) -> bytes:
        progress("ONNX Runtime builds the engine", 0, 0)  # it does not tell how far it is
        with tempfile.TemporaryDirectory() as folder:
            return _context(model.SerializeToString(), Path(folder) / "context.onnx", self._gpu.number)


class EpContextSession:
    """One EPContext model on ONNX Runtime. `inputs` and `outputs` are the compiled graph's, in its order."""

    def __init__(
        self, context: Path, inputs: Sequence[Port], outputs: Sequence[Port], number: int, provider: str
    ) -> None:
        self.provider = provider
        self.inputs = tuple(TensorSpec(port.name, port.shape, port.dtype) for port in inputs)
        self.outputs = tuple(TensorSpec(port.name, port.shape, port.dtype) for port in outputs)
        self._ports = tuple(inputs), tuple(outputs)
        self._session = _session(str(context), number, {})

    def run(self, arrays: Sequence[Array]) -> list[Array]:
        check_arrays(self.inputs, arrays)
        inputs, outputs = self._ports
        sent = {
            port.name: _as_bytes(array) if port.as_bytes else array for port, array in zip(inputs, arrays, strict=True)
        }
        try:
            answers = self._session.run([port.name for port in outputs], sent)
        except Exception as error:  # ONNX Runtime's errors have no common base below Exception
            raise failure("ONNX Runtime failed", error) from error
        return [
            answer.view(port.dtype)[..., 0] if port.as_bytes else answer
            for port, answer in zip(outputs, answers, strict=True)
        ]


def _as_bytes(array: Array) -> Array:
    return np.ascontiguousarray(array)[..., np.newaxis].view(np.uint8)


def _context(model: bytes, path: Path, number: int) -> bytes:
    """The EPContext model that ONNX Runtime writes of a graph; raises ProviderError unless it is one engine."""
    import onnx

    session = _session(
        model, number, {"ep.context_enable": "1", "ep.context_file_path": str(path), "ep.context_embed_mode": "1"}
    )
    del session
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ProviderError(
            "found that ONNX Runtime gave no graph to TensorRT, expected the whole: take the provider 'tensorrt', "
            "which says what it cannot do"
        ) from error
    nodes = onnx.load_model_from_string(content).graph.node
    others = sorted({node.op_type for node in nodes if node.op_type != "EPContext"})
    if others or len(nodes) != 1:
        raise ProviderError(
            f"found that ONNX Runtime left {', '.join(others) or 'parts'} of the graph outside of TensorRT, expected "
            "one engine for the whole: take the provider 'tensorrt', which says what it cannot do"
        )
    return content


def _session(model: str | bytes, number: int, settings: dict[str, str]) -> Any:
    """A session that runs on TensorRT or is not opened at all."""
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.log_severity_level = 4  # what fails is raised: no lines of its own beside it
    # TensorRT optimises better without, and version 1.31 of ONNX Runtime stumbles over signed scales behind a ReLU.
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    for name, value in {**settings, "session.disable_cpu_ep_fallback": "1"}.items():
        options.add_session_config_entry(name, value)
    try:
        # Its Python part would catch what the provider says, print it, and try again with the CPU.
        providers = [(NAME, {"device_id": str(number)})]
        session = ort.InferenceSession(model, options, providers=providers, enable_fallback=0)
    except Exception as error:
        raise failure("ONNX Runtime cannot open the graph on TensorRT", error) from error
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
