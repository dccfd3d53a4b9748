"""Memory of the GPU and one stream of work for it, by NVIDIA's cuda-bindings."""

from __future__ import annotations

from typing import Any

import numpy.typing as npt

from ._gpu import checked

NON_BLOCKING = 1
"""cudaStreamNonBlocking: work of others on the default stream is not waited for."""


class Device:
    """One GPU's stream, and the memory that was taken there; freed with it."""

    def __init__(self, number: int) -> None:
        from cuda.bindings import runtime

        self._cuda = runtime
        self._taken: list[Any] = []
        checked(runtime.cudaSetDevice(number))
        self.stream = checked(runtime.cudaStreamCreateWithFlags(NON_BLOCKING))
        self._kind = runtime.cudaMemcpyKind

    def take(self, size_bytes: int) -> int:
        """The address of so much memory on the GPU."""
        address = checked(self._cuda.cudaMalloc(max(size_bytes, 1)))
        self._taken.append(address)
        return int(address)

    def send(self, array: npt.NDArray[Any], address: int) -> None:
        """Copy a contiguous array there, in turn with the stream's work."""
        checked(
            self._cuda.cudaMemcpyAsync(
                address, array.ctypes.data, array.nbytes, self._kind.cudaMemcpyHostToDevice, self.stream
            )
        )

    def fetch(self, address: int, array: npt.NDArray[Any]) -> None:
        """Copy from there into a contiguous array, in turn with the stream's work."""
        checked(
            self._cuda.cudaMemcpyAsync(
                array.ctypes.data, address, array.nbytes, self._kind.cudaMemcpyDeviceToHost, self.stream
            )
        )

    def wait(self) -> None:
        """Until all work of the stream is done."""
        checked(self._cuda.cudaStreamSynchronize(self.stream))

    def close(self) -> None:
        """Free the memory and the stream; asked again it does nothing."""
        taken, self._taken = self._taken, []
        for address in taken:
            self._cuda.cudaFree(address)
        if taken:
            self._cuda.cudaStreamDestroy(self.stream)

    def __del__(self) -> None:
        if getattr(self, "_taken", None):
            self.close()
