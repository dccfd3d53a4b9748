"""A built engine, opened: what TensorRT launches between the addresses of a session's buffers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..._errors import DeviceMemoryError, ProviderError
from ..gpu import Device, GpuSession, free_memory
from ._dialect import Port, specs_of
from ._library import complaint, logger, made


def open_engine(
    trt: Any, engine: bytes, inputs: Sequence[Port], outputs: Sequence[Port], number: int, provider: str
) -> GpuSession:
    """A session of one engine on the GPU of that number. Its inputs and outputs are the compiled graph's, in its order;
    those that TensorRT has as bytes lie there as they are. Raises ProviderError."""
    device = Device(number)
    try:
        kernels = EngineKernels(trt, engine, inputs, outputs, device)
    except BaseException:
        device.close()
        raise
    return GpuSession(provider, specs_of(inputs), specs_of(outputs), device, kernels)


class EngineKernels:
    """One engine and its context (Kernels). The context's own memory serves all sets: they are launched in turn."""

    capturable = True

    def __init__(
        self, trt: Any, engine: bytes, inputs: Sequence[Port], outputs: Sequence[Port], device: Device
    ) -> None:
        self.told: list[str] = []
        self._device = device
        self._stream = int(device.compute)
        self._names = [port.name for port in (*inputs, *outputs)]
        self._addresses: dict[int, list[int]] = {}
        self._set = -1
        self._log = logger(trt)
        refused = "found an engine that TensorRT cannot load, expected one that was built here"
        runtime = made(trt.Runtime, "found a TensorRT that cannot start on this machine", self._log, self._log)
        self._engine = runtime.deserialize_cuda_engine(engine)
        if self._engine is None:
            raise self._failure(refused)
        self._context = self._engine.create_execution_context()
        if self._context is None:
            raise DeviceMemoryError(
                f"found too little memory on the GPU for the engine ({free_memory()}): {complaint(self._log)}"
            )
        self._check((*inputs, *outputs))

    def bind(self, number: int, inputs: Sequence[int], outputs: Sequence[int]) -> None:
        self._addresses[number] = [*inputs, *outputs]

    def launch(self, number: int) -> None:
        if number != self._set:
            for name, address in zip(self._names, self._addresses[number], strict=True):
                self._context.set_tensor_address(name, address)
            self._set = number
        if not self._context.execute_async_v3(self._stream):
            raise self._failure("TensorRT failed")

    def close(self) -> None:
        self._context = self._engine = None

    def _failure(self, words: str) -> Exception:
        return self._device.blame(f"{words}: {complaint(self._log)}")

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
