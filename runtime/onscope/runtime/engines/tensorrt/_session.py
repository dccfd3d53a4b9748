"""A built engine, opened: frames go up as bytes, answers come down into arrays that were made once."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..._errors import ProviderError
from .._interface import Array, TensorSpec, check_arrays
from ._device import Device
from ._dialect import Port
from ._library import complaint, logger, made


class TensorRtSession:
    """One engine on one GPU. `inputs` and `outputs` are the compiled graph's, in its order."""

    def __init__(
        self, trt: Any, engine: bytes, inputs: Sequence[Port], outputs: Sequence[Port], number: int, provider: str
    ) -> None:
        self.provider = provider
        self.inputs = tuple(TensorSpec(port.name, port.shape, port.dtype) for port in inputs)
        self.outputs = tuple(TensorSpec(port.name, port.shape, port.dtype) for port in outputs)
        self._device = Device(number)
        self._log = logger(trt)
        refused = "found an engine that TensorRT cannot load, expected one that was built here"
        runtime = made(trt.Runtime, "found a TensorRT that cannot start on this machine", self._log, self._log)
        self._engine = runtime.deserialize_cuda_engine(engine)
        if self._engine is None:
            raise ProviderError(f"{refused}: {complaint(self._log)}")
        self._context = self._engine.create_execution_context()
        if self._context is None:
            raise ProviderError(f"found too little memory on the GPU for the engine: {complaint(self._log)}")
        self._check((*inputs, *outputs))
        self._addresses = {port.name: self._device.take(_size(port)) for port in (*inputs, *outputs)}
        for name, address in self._addresses.items():
            self._context.set_tensor_address(name, address)
        self._answers = [np.empty(port.shape, port.dtype) for port in outputs]

    def run(self, arrays: Sequence[Array]) -> list[Array]:
        """Answers for one window, in arrays that the next call writes again."""
        check_arrays(self.inputs, arrays)
        sent = [np.ascontiguousarray(array) for array in arrays]  # kept until the copies are done
        for spec, array in zip(self.inputs, sent, strict=True):
            self._device.send(array, self._addresses[spec.name])
        if not self._context.execute_async_v3(int(self._device.stream)):
            raise ProviderError(f"TensorRT failed: {complaint(self._log)}")
        for spec, answer in zip(self.outputs, self._answers, strict=True):
            self._device.fetch(self._addresses[spec.name], answer)
        self._device.wait()
        return list(self._answers)

    def _check(self, ports: Sequence[Port]) -> None:
        """The engine's tensors must be those of the graph; a size that depends on the frame is refused."""
        engine = self._engine
        names = {engine.get_tensor_name(number) for number in range(engine.num_io_tensors)}
        for port in ports:
            if port.name not in names:
                raise ProviderError(f"found an engine without {port.name!r}, expected the graph's: build it again")
            found, wanted = tuple(engine.get_tensor_shape(port.name)), (*port.shape, *((2,) if port.as_bytes else ()))
            if found != wanted:
                raise ProviderError(
                    f"found {port.name!r} of {'x'.join(map(str, found))} in the engine, expected "
                    f"{'x'.join(map(str, wanted))}: sizes that depend on what a frame shows cannot be run with TensorRT"
                )


def _size(port: Port) -> int:
    return math.prod(port.shape) * np.dtype(port.dtype).itemsize
