"""ONNX Runtime between a session's buffers: bound by address, and run on the session's own stream without a wait."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..._errors import DeviceLostError, ProviderError
from .._interface import TensorSpec
from .._lost import failure
from .._onnxruntime import first_line
from ._device import Device
from ._graphs import NOT_RECORDED

DEVICE = "cuda"
"""What ONNX Runtime calls a GPU of NVIDIA's."""
NO_WAIT = ("disable_synchronize_execution_providers", "1")
Open = Callable[[bool], Any]
"""Opens ONNX Runtime's session, with its own recording of CUDA graphs or without; raises ProviderError."""


class BoundKernels:
    """A session of ONNX Runtime (Kernels). With `graph_id`, the run option that tells recordings apart, ONNX Runtime
    records what it launches for each set when it is first run; where it cannot, it is opened again without.

    `inputs` and `outputs` are its own, by name, type and shape.
    """

    capturable = False  # it takes memory and looks for kernels while it runs

    def __init__(
        self,
        open_: Open,
        inputs: Sequence[TensorSpec],
        outputs: Sequence[TensorSpec],
        device: Device,
        graph_id: str | None = None,
    ) -> None:
        self.told: list[str] = []
        self.recording = graph_id is not None
        self._open, self._device, self._graph_id = open_, device, graph_id
        self._specs = tuple(inputs), tuple(outputs)
        self._places: dict[int, tuple[list[int], list[int]]] = {}
        self._bound: dict[int, tuple[Any, Any]] = {}
        self._session: Any = None
        try:
            self._session = open_(self.recording)
        except ProviderError as refusal:
            if not self.recording or isinstance(refusal, DeviceLostError):
                raise
            self._go_on_without(str(refusal))

    def bind(self, number: int, inputs: Sequence[int], outputs: Sequence[int]) -> None:
        self._places[number] = list(inputs), list(outputs)
        import onnxruntime as ort

        binding, options = self._session.io_binding(), ort.RunOptions()
        for bound, specs, places in zip(
            (binding.bind_input, binding.bind_output), self._specs, self._places[number], strict=True
        ):
            for spec, address in zip(specs, places, strict=True):
                bound(spec.name, DEVICE, self._device.number, np.dtype(spec.dtype).type, list(spec.shape), address)
        options.add_run_config_entry(*NO_WAIT)
        if self.recording and self._graph_id:
            options.add_run_config_entry(self._graph_id, str(number + 1))
        self._bound[number] = binding, options

    def launch(self, number: int) -> None:
        try:
            self._session.run_with_iobinding(*self._bound[number])
        except Exception as error:  # ONNX Runtime's errors have no common base below Exception
            words = f"ONNX Runtime failed: {first_line(error)}"
            self._device.end_capture()
            blamed = self._device.blame(words)
            if type(blamed) is ProviderError:  # CUDA itself knows of nothing: what ONNX Runtime's error says
                blamed = failure("ONNX Runtime failed", error)
            if not self.recording or isinstance(blamed, DeviceLostError):
                raise blamed from error
            self._go_on_without(words)
            for each, places in dict(self._places).items():
                self.bind(each, *places)
            self.launch(number)

    def _go_on_without(self, words: str) -> None:
        self.recording = False
        self.told.append(NOT_RECORDED.format(words))
        self._bound.clear()
        self._session = None
        self._session = self._open(False)

    def close(self) -> None:
        self._bound.clear()
        self._session = None
