"""A graph on a GPU: frames go up, are computed and come down on three streams beside each other and the host.

What keeps them apart. Each window under way has memory of its own (`BufferSet`, as many as `depth`), and the host waits
for the window that had it before, so that nothing in it is used by two windows. Within a window, computing waits for
the copies up and the copies down wait for computing, by events. What goes from window to window is begun on one stream
alone, whose order is that of the windows: frames by key on the one for copies up, outputs that stay on the one for
computing.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import partial

from ..._errors import ProviderError
from .._interface import MISFIT, Array, Stayed, TensorSpec, check_arrays
from ._buffers import BufferSet
from ._device import Device
from ._graphs import Recorded, recorded
from ._kernels import Kernels
from ._pending import GpuPending
from ._registered import Registered
from ._stays import GpuStayed, Stays
from ._upward import Upward

DEPTH = 3
OPENING_RUNS = 2
"""Of each set, on zeros: engines take memory, choose their kernels and record them then."""


class GpuSession:
    """See Staged. Takes `device` and `kernels` over and closes them. Raises ProviderError, DeviceMemoryError where the
    GPU's memory does not suffice and DeviceLostError where it is lost."""

    depth = DEPTH

    def __init__(
        self,
        provider: str,
        inputs: Sequence[TensorSpec],
        outputs: Sequence[TensorSpec],
        device: Device,
        kernels: Kernels,
    ) -> None:
        self.provider = provider
        self.inputs = tuple(inputs)
        self.outputs = tuple(outputs)
        self.told = kernels.told
        """What the user should know of how it was opened."""
        self._device = device
        self._kernels = kernels
        self._recorded: list[Recorded] = []
        self._sets: list[BufferSet] = []
        self._registered: list[Registered] = []
        self._staying: tuple[int, ...] = ()
        self._begun = 0
        self._closed = False
        self._stays = Stays(device)
        try:
            device.use()
            self._sets = [BufferSet(number, self.inputs, self.outputs, device) for number in range(DEPTH)]
            self._upward = Upward(device, self._sets)
            self._spans = self._sets[0].outputs.spans(range(len(self.outputs)))
            self._open()
        except BaseException:
            self.close()
            raise

    def _open(self) -> None:
        """Run on zeros until nothing is allocated any more, and record what is launched."""
        device, kernels = self._device, self._kernels
        for each in self._sets:
            device.clear(each.inputs.address, each.inputs.size_bytes)
            kernels.bind(
                each.number, *([place.address for place in region.places] for region in (each.inputs, each.outputs))
            )
            for _ in range(OPENING_RUNS):
                kernels.launch(each.number)
            device.finish(device.compute)
        if kernels.capturable:
            self._recorded = self._record()

    def _record(self) -> list[Recorded]:
        """What is launched for each set; nothing where it cannot be recorded for all."""
        found: list[Recorded] = []
        for each in self._sets:
            kept = recorded(self._device, partial(self._kernels.launch, each.number), self.told)
            if kept is None:
                for earlier in found:
                    earlier.close()
                return []
            found.append(kept)
        return found

    def run(self, arrays: Sequence[Array | Stayed]) -> list[Array]:
        """Answers for one window; those that stay are brought back too."""
        pending = self.start(arrays)
        answers = iter(pending.wait())
        stayed = dict(zip(self._staying, pending.stayed, strict=True))
        return [stayed[n].fetch() if n in stayed else next(answers) for n in range(len(self.outputs))]

    def start(self, arrays: Sequence[Array | Stayed], keys: Sequence[int | None] | None = None) -> GpuPending:
        """Begin with a window."""
        self._check(arrays, keys)
        device = self._device
        device.use()
        buffers = self._sets[self._begun % DEPTH]
        if buffers.pending is not None:
            buffers.pending.make_way()
        places = buffers.outputs.places
        try:
            for place in places:
                self._stays.vacate(place.address)
            self._upward.send(buffers, arrays, keys, self._begun, self._registered)
            device.record(buffers.went_up, device.up)
            device.order(device.compute, buffers.went_up)
            for place, array in zip(buffers.inputs.places, arrays, strict=True):
                if isinstance(array, GpuStayed):
                    self._stays.bring(array, place.address)
            self._launch(buffers.number)
            device.record(buffers.computed, device.compute)
            self._bring_down(buffers)
        except BaseException:
            self._upward.forget()
            device.drain()
            raise
        stayed = {number: self._stays.settle(places[number].spec, places[number].address) for number in self._staying}
        buffers.pending = GpuPending(device, buffers, stayed)
        self._begun += 1
        return buffers.pending

    def _launch(self, number: int) -> None:
        if self._recorded:
            self._recorded[number].launch()
        else:
            self._kernels.launch(number)

    def _bring_down(self, buffers: BufferSet) -> None:
        device, region = self._device, buffers.outputs
        if device.shared:
            device.record(buffers.came_down, device.compute)
            return
        device.order(device.down, buffers.computed)
        for offset, size in self._spans:
            device.fetch(region.pointer + offset, region.address + offset, size, device.down)
        device.record(buffers.came_down, device.down)

    def stay(self, outputs: Sequence[int]) -> None:
        """From now on these outputs stay on the GPU."""
        wrong = [number for number in outputs if not 0 <= number < len(self.outputs)]
        if wrong:
            raise ProviderError(f"found output {wrong[0]} to stay, expected one of 0 to {len(self.outputs) - 1}")
        self._staying = tuple(dict.fromkeys(outputs))
        region = self._sets[0].outputs
        self._spans = region.spans([n for n in range(len(self.outputs)) if n not in self._staying])
        self._device.use()
        for number in self._staying:
            self._stays.provide(region.places[number].size_bytes, DEPTH)

    def lie_in(self, memory: Array) -> None:
        """Copies go straight from this memory where CUDA allows it; kept until the session is closed."""
        if self._device.shared or not memory.nbytes:
            return
        self._device.use()
        found = Registered(memory)
        if found.refused:
            found.close()
        else:
            self._registered.append(found)

    def _check(self, arrays: Sequence[Array | Stayed], keys: Sequence[int | None] | None) -> None:
        if self._closed:
            raise ProviderError("found a session that was closed, expected one that is open")
        check_arrays(self.inputs, arrays)  # what stays has a shape and a dtype too
        if keys is not None and len(keys) != len(self.inputs):
            raise ProviderError(f"{MISFIT}: found {len(keys)} keys, expected {len(self.inputs)}")
        for array in arrays:
            if isinstance(array, GpuStayed) and array.home is not self._stays:
                raise ProviderError(f"{MISFIT}: found an output that stays in another session, expected this one's")

    def close(self) -> None:
        """Give back all that was taken, once what is under way is done; asked again it does nothing."""
        if self._closed:
            return
        self._closed = True
        self._device.drain()
        for each in self._sets:
            if each.pending is not None:
                each.pending.make_way()
        for kept in self._recorded:
            kept.close()
        self._kernels.close()
        for held in self._registered:
            held.close()
        self._stays.close()
        self._sets, self._upward = [], None  # type: ignore[assignment]
        self._device.close()

    def __del__(self) -> None:
        # What is still open when the process ends is given back by that; its libraries may be gone already.
        if not getattr(self, "_closed", True) and not sys.is_finalizing():
            self.close()
