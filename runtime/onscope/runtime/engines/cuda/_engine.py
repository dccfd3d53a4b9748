"""`cuda`: graphs on the first NVIDIA GPU by ONNX Runtime; `cuda:1` is the second."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..._errors import ProviderError
from .._interface import Session, TensorSpec
from .._onnxruntime import first_line
from .._oracle import spec_of
from ..gpu import BoundKernels, Device, GpuSession, gpu
from ._dialect import for_cuda
from ._layout import CHANNELS_LAST, Layout, quicker
from ._library import HINT, NAME, library, missing_library

GRAPH_ID = "gpu_graph_id"
ON_CPU = "assigned to the default CPU EP"
Specs = tuple[list[TensorSpec], list[TensorSpec]]


class CudaEngine:
    """Opens graphs on the CUDA provider of the GPU of that number. Raises ProviderError where a part is missing."""

    def __init__(self, argument: str = "") -> None:
        if argument and not argument.isdecimal():
            raise ProviderError(f"found the provider 'cuda:{argument}', expected 'cuda', or a GPU's number: cuda:1")
        self._provider = f"cuda:{argument}" if argument else "cuda"
        self._ort = library()
        self._gpu = gpu(int(argument or 0))

    def open(self, graph: Path, threads: int | None = None) -> Session:
        """A session with all of the graph on the GPU; a part that would run elsewhere is refused."""
        import onnx

        try:
            model = onnx.load(graph)
            held = {tensor.name for tensor in model.graph.initializer}
            specs = (
                [spec_of(value) for value in model.graph.input if value.name not in held],
                [spec_of(value) for value in model.graph.output],
            )
            content = for_cuda(model).SerializeToString()
        except Exception as error:  # protobuf's errors have no base of their own
            raise ProviderError(f"ONNX Runtime cannot open {graph.name} ({type(error).__name__})") from error
        made_for = {"gpu": self._gpu.name, "driver": self._gpu.driver, "onnxruntime": str(self._ort.__version__)}
        return quicker(content, made_for, lambda layout: self._session(content, specs, graph.name, layout))

    def _session(self, content: bytes, specs: Specs, name: str, layout: Layout) -> GpuSession:
        device = Device(self._gpu.number)
        try:
            kernels = BoundKernels(
                lambda recording: self._opened(content, name, device, layout, recording), *specs, device, GRAPH_ID
            )
        except BaseException:
            device.close()
            raise
        return GpuSession(self._provider, *specs, device, kernels)

    def _opened(self, content: bytes, name: str, device: Device, layout: Layout, recording: bool) -> Any:
        """ONNX Runtime's session on the device's stream for computing; raises ProviderError."""
        ort = self._ort
        options = ort.SessionOptions()
        options.log_severity_level = 4  # what fails is raised: no lines of its own beside it
        options.add_session_config_entry("session.disable_cpu_ep_fallback", "1")
        settings = {
            "device_id": str(device.number),
            "has_user_compute_stream": "1",
            "user_compute_stream": str(int(device.compute)),
            "enable_cuda_graph": str(int(recording)),
            "cudnn_conv_algo_search": "EXHAUSTIVE",  # once, when it is opened: sizes are fixed
            "arena_extend_strategy": "kSameAsRequested",
            "use_tf32": "0",  # float32 is float32
            "prefer_nhwc": str(int(layout == CHANNELS_LAST)),
        }
        try:
            ort.set_default_logger_severity(4)  # a provider that cannot be loaded is told there, in four lines
            # Its Python part would catch what the provider says, print it, and try again with the CPU.
            session = ort.InferenceSession(content, options, providers=[(NAME, settings)], enable_fallback=0)
        except Exception as error:
            raise self._refusal(first_line(error), name, device) from error
        finally:
            ort.set_default_logger_severity(2)
        if session.get_providers()[:1] != [NAME]:
            raise ProviderError(
                f"found that ONNX Runtime took {', '.join(session.get_providers())} without a word, expected {NAME}: "
                f"the CUDA libraries are missing; {HINT}"
            )
        return session

    def _refusal(self, said: str, name: str, device: Device) -> Exception:
        """The error of what ONNX Runtime says when it opens no session."""
        if ON_CPU not in said:
            return device.blame(f"ONNX Runtime cannot open {name} on the GPU: {said}")
        library = missing_library(self._ort)
        if library:
            return ProviderError(f"found CUDA libraries missing ({library}), expected them for 'cuda': {HINT}")
        return ProviderError(
            f"found operators in {name} that ONNX Runtime {self._ort.__version__} has no CUDA kernels for, expected "
            "all of the graph on the GPU: take the provider 'tensorrt', which says what it cannot do, or 'cpu'"
        )
