"""How a window's arrays get to the addresses that its kernels read: each by as few copies as there can be."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from .._interface import Array, Stayed
from ._buffers import BufferSet, Place
from ._device import Device
from ._frames import Frames, Slot, ring
from ._memory import GpuMemory, HostMemory
from ._registered import Registered
from ._stays import GpuStayed

Kind = tuple[tuple[int | None, ...], str]


class Upward:
    """The copies up of one session.

    A frame that is one of several of a window goes to a ring by its key, and from there, on the GPU, to the inputs of
    each window that holds it. The only frame of a window goes straight to its input, and is copied from there when
    the next window has it too.
    """

    def __init__(self, device: Device, sets: Sequence[BufferSet]) -> None:
        self._device = device
        self._sets = sets
        self._rings: dict[Kind, Frames] = {}
        self._alone: dict[int, tuple[Frames, list[Slot]]] = {}
        self._memory: list[GpuMemory | HostMemory] = []
        """Of the rings."""
        self._hosts: dict[int, Array] = {}
        """The host's view of a ring's slot by its address, where both have one memory."""
        kinds = Counter((place.spec.shape, place.spec.dtype) for place in sets[0].inputs.places if not place.small)
        for number, place in enumerate(sets[0].inputs.places):
            kind = place.spec.shape, place.spec.dtype
            if kinds[kind] > 1 and kind not in self._rings:
                self._rings[kind] = ring(kinds[kind], lambda _, place=place: self._take(place))  # type: ignore[misc]
            elif kinds[kind] == 1:
                slots = [Slot(each.inputs.places[number].address, each.number) for each in sets]
                self._alone[number] = Frames(slots), slots

    def _take(self, place: Place) -> int:
        """Memory for a frame of that kind; its address."""
        if not self._device.shared:
            memory = GpuMemory(place.size_bytes, "the frames that several windows hold")
            self._memory.append(memory)
            return memory.address
        shared = HostMemory(place.size_bytes, True, "the frames that several windows hold")
        self._memory.append(shared)
        self._hosts[shared.address] = shared.view(0, place.host.shape, place.host.dtype)
        return shared.address

    def send(
        self,
        buffers: BufferSet,
        arrays: Sequence[Array | Stayed],
        keys: Sequence[int | None] | None,
        begun: int,
        registered: Sequence[Registered],
    ) -> None:
        """Begin with all copies of a window, the `begun`th, on the stream for copies up."""
        region = buffers.inputs
        self._send_small(buffers, arrays)
        for number, (place, array) in enumerate(zip(region.places, arrays, strict=True)):
            if place.small:
                continue
            key = None if keys is None else keys[number]
            kind = place.spec.shape, place.spec.dtype
            if isinstance(array, GpuStayed):
                self._is_lost(number, buffers, begun)
            elif key is not None and kind in self._rings:
                self._by_ring(self._rings[kind], place, array, key, begun, registered)  # type: ignore[arg-type]
            elif key is not None:
                self._by_itself(number, buffers, array, key, begun, registered)  # type: ignore[arg-type]
            else:
                self._is_lost(number, buffers, begun)
                self._copy(place, array, place.address, place.host, registered)  # type: ignore[arg-type]

    def _send_small(self, buffers: BufferSet, arrays: Sequence[Array | Stayed]) -> None:
        region = buffers.inputs
        some = False
        for place, array in zip(region.places, arrays, strict=True):
            if place.small and not isinstance(array, GpuStayed):
                np.copyto(place.host, array)  # type: ignore[arg-type]
                some = True
        if some and not self._device.shared:
            self._device.send(region.address, region.pointer, region.small_bytes)

    def _by_ring(
        self, frames: Frames, place: Place, array: Array, key: int, begun: int, registered: Sequence[Registered]
    ) -> None:
        slot = frames.find(key, begun)
        if slot is None:
            slot = frames.take(key, begun, begun - len(self._sets))
            self._copy(place, array, slot.address, self._hosts.get(slot.address, place.host), registered)
        self._device.move(place.address, slot.address, place.size_bytes, self._device.up)

    def _by_itself(
        self,
        number: int,
        buffers: BufferSet,
        array: Array,
        key: int,
        begun: int,
        registered: Sequence[Registered],
    ) -> None:
        frames, slots = self._alone[number]
        place, mine = buffers.inputs.places[number], slots[buffers.number]
        slot = frames.find(key, begun)
        if slot is mine:
            return
        # The host writes shared memory at once, also where a copy that was begun has still to read it.
        if slot is not None and not self._device.shared:
            frames.give(mine, None, begun)
            self._device.move(place.address, slot.address, place.size_bytes, self._device.up)
            return
        frames.give(mine, key, begun)
        self._copy(place, array, place.address, place.host, registered)

    def _is_lost(self, number: int, buffers: BufferSet, begun: int) -> None:
        """What lay in an input is overwritten by something without a key."""
        if number in self._alone:
            frames, slots = self._alone[number]
            frames.give(slots[buffers.number], None, begun)

    def _copy(self, place: Place, array: Array, address: int, host: Array, registered: Sequence[Registered]) -> None:
        """From the caller's array to an address; `host` is the memory between them, or the address itself."""
        if self._device.shared:
            np.copyto(host, array)
            return
        if array.flags.c_contiguous and any(each.holds(array) for each in registered):
            self._device.send(address, int(array.ctypes.data), place.size_bytes)
            return
        np.copyto(host, array)
        self._device.send(address, int(host.ctypes.data), place.size_bytes)

    def forget(self) -> None:
        """Nothing of what was sent can be relied on: a window failed while it was begun."""
        for frames in self._rings.values():
            frames.forget()
        for frames, _ in self._alone.values():
            frames.forget()
