"""Memory that lives as long as somebody uses it: on the GPU, and pages of the host that the GPU reads by itself."""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np

from .._interface import Array
from ._failures import MEMORY, checked, no_memory


class GpuMemory:
    """So many bytes on the GPU, freed with this object; `address` is the GPU's."""

    def __init__(self, size_bytes: int, what: str) -> None:
        from cuda.bindings import runtime

        self._free = runtime.cudaFree
        self.address = 0
        self.size_bytes = size_bytes
        answer = runtime.cudaMalloc(max(size_bytes, 1))
        if getattr(answer[0], "name", "") == MEMORY:
            runtime.cudaGetLastError()  # what was told is not told again to whoever asks next
            raise no_memory(size_bytes, what)
        self.address = int(checked(answer))

    def __del__(self) -> None:
        if getattr(self, "address", 0):
            self._free(self.address)
            self.address = 0


class HostMemory:
    """So many bytes of the host that are never paged out, as a NumPy array of uint8; freed when no view is left.

    `shared`: the GPU works on them where they lie (`address` is what it calls them), as on boards whose GPU and
    processor have one memory.
    """

    def __init__(self, size_bytes: int, shared: bool, what: str) -> None:
        from cuda.bindings import runtime

        self._free = runtime.cudaFreeHost
        self._pointer = 0
        size = max(size_bytes, 1)
        flags = runtime.cudaHostAllocPortable | (runtime.cudaHostAllocMapped if shared else 0)
        answer = runtime.cudaHostAlloc(size, flags)
        if getattr(answer[0], "name", "") == MEMORY:
            runtime.cudaGetLastError()
            raise no_memory(size_bytes, f"{what} (memory of the host that is never paged out)")
        self._pointer = int(checked(answer))
        self.address = int(checked(runtime.cudaHostGetDevicePointer(self._pointer, 0))) if shared else 0
        self.__array_interface__ = {"shape": (size,), "typestr": "|u1", "data": (self._pointer, False), "version": 3}
        ctypes.memset(self._pointer, 0, size)

    def view(self, offset: int, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
        """A part of it as an array, which keeps all of it alive."""
        whole = np.asarray(self)
        return whole[offset : offset + int(np.prod(shape)) * dtype.itemsize].view(dtype).reshape(shape)

    def __del__(self) -> None:
        if getattr(self, "_pointer", 0):
            self._free(self._pointer)
            self._pointer = 0
