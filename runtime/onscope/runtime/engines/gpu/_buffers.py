"""The memory of a session's windows: taken once, at fixed addresses, one set for each window that is under way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..._errors import ProviderError
from .._interface import Array, TensorSpec
from ._device import Device, Event
from ._memory import GpuMemory, HostMemory

if TYPE_CHECKING:
    from ._pending import GpuPending

ALIGNED = 256
SMALL_BYTES = 1024
"""Inputs up to this size (the host's statistics, counters) go up together, by one copy."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a tensor lies: on the GPU, and in the host's memory beside it, which is the same where both have one."""

    spec: TensorSpec
    address: int
    offset: int
    size_bytes: int
    host: Array

    @property
    def small(self) -> bool:
        return self.size_bytes <= SMALL_BYTES


class Region:
    """Tensors in one piece of memory, the small ones first; `places` are in the order of `specs`."""

    def __init__(self, specs: Sequence[TensorSpec], device: Device, what: str) -> None:
        sizes = [size_of(spec) for spec in specs]
        offsets: dict[int, int] = {}
        self.size_bytes = self.small_bytes = 0
        for number in sorted(range(len(specs)), key=lambda each: sizes[each] > SMALL_BYTES):
            offsets[number] = self.size_bytes
            self.size_bytes += -(-sizes[number] // ALIGNED) * ALIGNED
            if sizes[number] <= SMALL_BYTES:
                self.small_bytes = offsets[number] + sizes[number]
        self._gpu = None if device.shared else GpuMemory(self.size_bytes, what)
        host = HostMemory(self.size_bytes, device.shared, what)
        self.address = host.address if self._gpu is None else self._gpu.address
        self.pointer = int(np.asarray(host).ctypes.data)
        self.places = tuple(
            Place(
                spec,
                self.address + offsets[number],
                offsets[number],
                sizes[number],
                host.view(offsets[number], fixed(spec), np.dtype(spec.dtype)),
            )
            for number, spec in enumerate(specs)
        )

    def spans(self, chosen: Sequence[int]) -> list[tuple[int, int]]:
        """Offsets and sizes of as few copies as bring all the chosen tensors, and none of the others."""
        spans: list[tuple[int, int]] = []
        order = sorted(range(len(self.places)), key=lambda each: self.places[each].offset)
        joined = False
        for number in order:
            place = self.places[number]
            if number not in chosen:
                joined = False
            elif joined:
                spans[-1] = spans[-1][0], place.offset + place.size_bytes - spans[-1][0]
            else:
                spans.append((place.offset, place.size_bytes))
                joined = True
        return spans


class BufferSet:
    """The memory and the events of one window; `pending` is the window that is under way in it."""

    def __init__(
        self, number: int, inputs: Sequence[TensorSpec], outputs: Sequence[TensorSpec], device: Device
    ) -> None:
        self.number = number
        self.inputs = Region(inputs, device, "the frames of a window")
        self.outputs = Region(outputs, device, "the answers of a window")
        self.went_up: Event = device.event()
        self.computed: Event = device.event()
        self.came_down: Event = device.event()
        self.pending: GpuPending | None = None


def fixed(spec: TensorSpec) -> tuple[int, ...]:
    """A tensor's shape; raises ProviderError unless it is fixed."""
    if None in spec.shape:
        raise ProviderError(
            f"found {spec.name!r} of a size that is not fixed, expected a graph that was compiled for one frame size: "
            "packages as they are are run with --provider cpu"
        )
    return tuple(int(size) for size in spec.shape if size is not None)


def size_of(spec: TensorSpec) -> int:
    """Of a tensor, in bytes."""
    dtype: np.dtype[Any] = np.dtype(spec.dtype)
    return int(np.prod(fixed(spec), dtype=np.int64)) * dtype.itemsize
