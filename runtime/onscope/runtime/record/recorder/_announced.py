"""What was announced to the recorder: the lanes, and the frames that are not on the disk yet.

It is all that a process needs to be told that takes over from one that died.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from ..._errors import RecordError
from ..._frame import Frame, FrameSpec
from ..._shm import SharedSlots
from ._link import RecorderLink
from ._messages import Message, memory_of, save_message


@dataclass(slots=True)
class _Lane:
    message: Message
    descriptor: int | None


class Announced:
    """Used with the sink's lock held. What sends raises OSError when the process is gone."""

    def __init__(self) -> None:
        self._lanes: dict[int, _Lane] = {}
        self._pending: dict[int, Message] = {}
        self._next = 0

    def __len__(self) -> int:
        """Frames that are not on the disk yet."""
        return len(self._pending)

    @property
    def first(self) -> int:
        """The lowest number that a process may be told of from now on."""
        return min(self._pending, default=self._next)

    def add_lane(self, number: int, spec: FrameSpec, slots: SharedSlots, depth: int) -> None:
        """Raises RecordError when the lane is open: its frames would be looked for in other memory."""
        if number in self._lanes:
            raise RecordError(f"found the lane {number} of a recording open, expected a new number: number lanes once")
        # Held until the lane is closed: a process that starts later must find the slots, whatever became of the name.
        file, descriptor = memory_of(slots), None
        with contextlib.suppress(OSError):  # too many open files: the name has to do
            descriptor = None if file is None else os.open(file, os.O_RDONLY)
        message = {"kind": "open", "lane": number, "spec": asdict(spec), "depth": depth}
        message |= {"name": slots.name, "slot_bytes": slots.slot_bytes, "slots": slots.slots}
        self._lanes[number] = _Lane(message, descriptor)

    def drop_lane(self, number: int) -> None:
        lane = self._lanes.pop(number)
        if lane.descriptor is not None:
            os.close(lane.descriptor)

    def add(self, lane: int, slot: int, frame: Frame) -> Message:
        """Number a frame; the message that announces it."""
        message = save_message(self._next, lane, slot, frame)
        self._pending[self._next] = message
        self._next += 1
        return message

    def saved(self, numbers: Sequence[int]) -> list[Message]:
        """These are on the disk; what announced them."""
        return [self._pending.pop(number) for number in numbers]

    def open_lane(self, number: int, link: RecorderLink) -> None:
        """Have a process open a lane."""
        lane = self._lanes[number]
        by_descriptor = lane.descriptor is not None and link.send_memory(lane.descriptor)
        link.send({**lane.message, "by_descriptor": by_descriptor})

    def repeat(self, link: RecorderLink) -> None:
        """Tell a new process everything, in the same order."""
        for number in self._lanes:
            self.open_lane(number, link)
        for message in self._pending.values():
            link.send(message)

    def close(self) -> None:
        for number in list(self._lanes):
            self.drop_lane(number)
