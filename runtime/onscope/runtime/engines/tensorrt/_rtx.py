"""`tensorrt-rtx`: TensorRT for RTX cards, a provider that plain onnxruntime loads from a wheel of its own.

The wheel brings its TensorRT with it. What is built is an EPContext model, as for `tensorrt-ep`; TensorRT for RTX makes
the kernels of the card from it when it is first opened, which takes seconds, and keeps them in the cache.
"""

from __future__ import annotations

import importlib
import tempfile
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..._cache_place import cache_folder
from ..._errors import ProviderError
from .._ahead import Progress
from .._interface import Session
from .._onnxruntime import first_line
from ..gpu import Device
from ._built_ahead import BuiltAhead
from ._context import building, on_stream, open_context, read_context, session_options
from ._made_for import GraphFile

if TYPE_CHECKING:
    from onnx import ModelProto

PLUGIN = "onnxruntime_ep_nv_tensorrt_rtx"
HINT = "pip install 'onscope[tensorrt-rtx]' on a machine with an NVIDIA RTX card"
GRAPH_ID = "cuda_graph_annotation_id"
OLDEST = (1, 24)


class TensorRtRtxEngine(BuiltAhead):
    """Builds and opens EPContext models with onnxruntime and NVIDIA's plug-in provider for it."""

    name = "tensorrt-rtx"
    suffix = ".onnx"

    def _library(self) -> dict[str, str]:
        self._ort, plugin = _library()
        self._ep_name = str(plugin.get_ep_name())
        return {
            "tensorrt": f"for RTX, {plugin.__version__}",
            "through": f"onnxruntime {self._ort.__version__}",
        }

    def _opened(self, path: Path, file: GraphFile) -> Session:
        def open_(device: Device, recording: bool) -> Any:
            settings = {
                **on_stream(device),
                "enable_cuda_graph": str(int(recording)),
                "nv_runtime_cache_path": str(cache_folder("rtx-kernels")),
            }
            return self._session(str(path), settings, {}, device.blame)

        return open_context(self._provider, file, self._gpu.number, open_, GRAPH_ID)

    def _made(self, model: ModelProto, for_this: dict[str, str], progress: Progress) -> bytes:
        progress("ONNX Runtime builds the engine", 0, 0)  # it does not tell how far it is
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "context.onnx"
            session = self._session(model.SerializeToString(), {}, building(path), ProviderError)
            del session
            return read_context(path)

    def _session(
        self,
        model: str | bytes,
        settings: Mapping[str, str],
        entries: Mapping[str, str],
        blame: Callable[[str], Exception],
    ) -> Any:
        """A session that runs on the plug-in or is not opened at all."""
        options = session_options(entries)
        # A setting that keeps its memory from one run to the next: without it each run takes it and gives it back.
        options.add_provider_for_devices([self._card()], {"nv_persistent_context_memory": "1", **settings})
        try:
            session = self._ort.InferenceSession(model, options, enable_fallback=0)
        except Exception as error:  # ONNX Runtime's errors have no common base below Exception
            raise blame(f"ONNX Runtime cannot open the graph on TensorRT for RTX: {first_line(error)}") from error
        if session.get_providers()[:1] != [self._ep_name]:
            raise ProviderError(
                f"found that ONNX Runtime took {', '.join(session.get_providers())} without a word, expected "
                f"{self._ep_name}: {HINT}"
            )
        return session

    def _card(self) -> Any:
        """The plug-in's device of the GPU that was asked for; it knows RTX cards only (Ampere and later)."""
        for each in self._ort.get_ep_devices():
            # The number that the plug-in gives to CUDA; what it does not know has none.
            if each.ep_name == self._ep_name and each.ep_options.get("device_id") == str(self._gpu.number):
                return each
        raise ProviderError(
            f"found {self._gpu.name} (compute capability {self._gpu.capability}), which TensorRT for RTX does not "
            "know, expected an RTX card (8.6, 8.9, 12.0 or later): take the provider 'tensorrt' or 'cuda'"
        )


def _library() -> tuple[Any, Any]:
    """onnxruntime with the plug-in registered, and the plug-in's module; raises ProviderError."""
    missing = [
        wheel
        for wheel, module in (
            ("onnxruntime", "onnxruntime"),
            ("onnxruntime-ep-nv-tensorrt-rtx", PLUGIN),
            ("cuda-bindings", "cuda"),
        )
        if find_spec(module) is None
    ]
    if missing:
        raise ProviderError(
            f"found no {' and no '.join(missing)} installed, expected them for the provider 'tensorrt-rtx': {HINT}"
        )
    import onnxruntime as ort

    if tuple(map(int, ort.__version__.split(".")[:2])) < OLDEST:
        raise ProviderError(
            f"found onnxruntime {ort.__version__}, expected {'.'.join(map(str, OLDEST))} or later for 'tensorrt-rtx': "
            f"{HINT}"
        )
    try:
        plugin = importlib.import_module(PLUGIN)
        if not any(each.ep_name == plugin.get_ep_name() for each in ort.get_ep_devices()):
            ort.register_execution_provider_library(plugin.get_ep_name(), plugin.get_library_path())
    except Exception as error:  # what a loader of libraries raises, in ONNX Runtime's words
        if "already" not in str(error):
            raise ProviderError(
                f"found the plug-in of 'tensorrt-rtx', which cannot be loaded ({first_line(error)}), expected its "
                f"libraries beside it and a driver for them: {HINT}"
            ) from error
    return ort, plugin
