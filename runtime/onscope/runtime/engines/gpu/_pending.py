"""A window whose work was begun on a GPU."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from .._interface import Array, Stayed

if TYPE_CHECKING:
    from ._buffers import BufferSet
    from ._device import Device


class GpuPending:
    """See Pending. `staying` are the outputs that are not brought back, by their numbers."""

    def __init__(self, device: Device, buffers: BufferSet, staying: Mapping[int, Stayed]) -> None:
        self.stayed: Sequence[Stayed] = tuple(staying.values())
        self._device = device
        self._buffers: BufferSet | None = buffers
        self._answers: list[Array] = [
            each.host for number, each in enumerate(buffers.outputs.places) if number not in staying
        ]
        self._failed: Exception | None = None

    def wait(self) -> list[Array]:
        self._finish()
        if self._failed is not None:
            raise self._failed
        return self._answers

    def make_way(self) -> None:
        """Its memory is needed for another window: what came of it is kept for a later `wait`."""
        self._finish()
        self._answers = [each.copy() for each in self._answers]

    def _finish(self) -> None:
        buffers, self._buffers = self._buffers, None
        if buffers is None:
            return
        buffers.pending = None
        try:
            self._device.use()
            self._device.wait(buffers.came_down)
        except Exception as error:
            self._failed = error
