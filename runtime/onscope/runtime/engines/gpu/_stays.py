"""Outputs that stay on the GPU, such as a recurrent network's memory, for as long as somebody holds them."""

from __future__ import annotations

import weakref
from typing import Any

import numpy as np

from ..._errors import ProviderError
from .._interface import Array, TensorSpec
from ._device import Device
from ._memory import GpuMemory


class GpuStayed:
    """An output that stays (see Stayed). It lies where it was computed until those addresses are needed again; then it
    is copied to memory of its own, which returns to the pool when nobody holds this object any more."""

    def __init__(self, home: Stays, spec: TensorSpec, address: int) -> None:
        self.shape = tuple(size or 0 for size in spec.shape)
        self.dtype: np.dtype[Any] = np.dtype(spec.dtype)
        self.home = home
        self.address = address
        self.own: GpuMemory | None = None

    @property
    def nbytes(self) -> int:
        return int(np.prod(self.shape)) * self.dtype.itemsize

    def fetch(self) -> Array:
        """A copy in the host's memory; waits for what computes it."""
        return self.home.fetch(self)

    def __del__(self) -> None:
        own = getattr(self, "own", None)
        if own is not None:
            self.home.take_back(own)


class Stays:
    """All outputs of a session that stay. Everything here is done on the stream for computing, in the order in which it
    is begun, so that memory can be used again as soon as it is given back."""

    def __init__(self, device: Device) -> None:
        self._device: Device | None = device
        self._lodgers: dict[int, weakref.ref[GpuStayed]] = {}
        """Who lies at the addresses that outputs are computed into."""
        self._pool: dict[int, list[GpuMemory]] = {}

    def provide(self, size_bytes: int, count: int) -> None:
        """Take memory for so many that will have to move; raises DeviceMemoryError."""
        self._pool.setdefault(size_bytes, []).extend(self._new(size_bytes) for _ in range(count))

    def settle(self, spec: TensorSpec, address: int) -> GpuStayed:
        """What is computed into that address by what was begun last."""
        stayed = GpuStayed(self, spec, address)
        self._lodgers[address] = weakref.ref(stayed)
        return stayed

    def vacate(self, address: int) -> None:
        """The address is about to be written: whoever lies there moves out."""
        found = self._lodgers.pop(address, None)
        stayed = None if found is None else found()
        if stayed is None:
            return
        own = self._own(stayed.nbytes)
        self._opened().move(own.address, address, stayed.nbytes, self._opened().compute)
        stayed.address, stayed.own = own.address, own

    def bring(self, stayed: GpuStayed, address: int) -> None:
        """Copy one to where an input is read from."""
        device = self._opened()
        device.move(address, stayed.address, stayed.nbytes, device.compute)

    def fetch(self, stayed: GpuStayed) -> Array:
        device = self._opened()
        array = np.empty(stayed.shape, stayed.dtype)
        device.use()
        device.fetch(array.ctypes.data, stayed.address, array.nbytes, device.compute)
        device.finish(device.compute)
        return array

    def take_back(self, memory: GpuMemory) -> None:
        """May be called by any thread, whenever the last holder lets go."""
        pool = self._pool.get(memory.size_bytes)
        if pool is not None and self._device is not None:
            pool.append(memory)

    def close(self) -> None:
        """Give all memory back; what is still held cannot be fetched any more."""
        self._device = None
        self._lodgers.clear()
        self._pool.clear()

    def _own(self, size_bytes: int) -> GpuMemory:
        try:
            return self._pool.setdefault(size_bytes, []).pop()
        except IndexError:
            return self._new(size_bytes)

    def _new(self, size_bytes: int) -> GpuMemory:
        return GpuMemory(size_bytes, "the memory of a recurrent network")

    def _opened(self) -> Device:
        if self._device is None:
            raise ProviderError("found an output of a session that was closed, expected one of a session that is open")
        return self._device
