"""What was announced to the recorder: the lanes, and the frames that are not on the disk yet.

It is all that a process needs to be told that takes over from one that died.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from ..._errors import RecordError
from ..._frame import Frame, FrameId, FrameSpec
from ..._shm import SharedSlots
from .._places import Places
from ._link import RecorderLink
from ._messages import Message, announcement, memory_of, placed


@dataclass(slots=True)
class _Lane:
    spec: FrameSpec
    message: Message
    descriptor: int | None


@dataclass(slots=True)
class _Frame:
    lane: int
    slot: int
    data: bytes
    id: FrameId


class Announced:
    """Used with the sink's lock held. What sends raises OSError when the process is gone."""

    def __init__(self, places: Places) -> None:
        self.places = places
        self._lanes: dict[int, _Lane] = {}
        self._pending: dict[int, _Frame] = {}
        self.next = 0

    def __len__(self) -> int:
        """Frames that are not on the disk yet."""
        return len(self._pending)

    @property
    def bytes_at_most(self) -> int:
        """Bytes of the frames that can stand in all slots of the open lanes at once."""
        return sum(lane.spec.nbytes * lane.message["depth"] for lane in self._lanes.values())

    @property
    def ids(self) -> list[FrameId]:
        """Whose they are."""
        return [frame.id for frame in self._pending.values()]

    @property
    def first(self) -> int:
        """The lowest number that a process may be told of from now on."""
        return min(self._pending, default=self.next)

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
        self._lanes[number] = _Lane(spec, message, descriptor)

    def drop_lane(self, number: int) -> None:
        lane = self._lanes.pop(number)
        if lane.descriptor is not None:
            os.close(lane.descriptor)

    def add(self, lane: int, slot: int, frame: Frame) -> bytes:
        """Give a frame the number `next` and a place; the message that announces it.

        Raises RecordError when it cannot be saved: it has no place then.
        """
        text = announcement(self.next, lane, slot, frame)
        data = placed(text, self.places.assign(frame, self._lanes[lane].spec))
        self._pending[self.next] = _Frame(lane, slot, data, frame.id)
        self.next += 1
        return data

    def forget(self, number: int) -> None:
        """Nobody waits for this frame any more, whatever becomes of it."""
        self._pending.pop(number, None)

    def saved(self, numbers: Sequence[int]) -> list[tuple[int, int]]:
        """These are on the disk; lane and slot of each."""
        frames = [self._pending.pop(number) for number in numbers if number in self._pending]
        return [(frame.lane, frame.slot) for frame in frames]

    def open_lane(self, number: int, link: RecorderLink) -> None:
        """Have a process open a lane."""
        lane = self._lanes[number]
        by_descriptor = lane.descriptor is not None and link.send_memory(lane.descriptor)
        link.send({**lane.message, "by_descriptor": by_descriptor})

    def repeat(self, link: RecorderLink) -> None:
        """Tell a new process everything, in the same order."""
        for number in self._lanes:
            self.open_lane(number, link)
        for frame in self._pending.values():
            link.send_bytes(frame.data)

    def close(self) -> None:
        for number in list(self._lanes):
            self.drop_lane(number)
