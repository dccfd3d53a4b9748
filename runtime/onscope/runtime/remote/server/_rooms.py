"""The box's slots for one PC's lanes: frames come into them, answers leave from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import psutil

from ..._frame import Pixels
from ..._shm import SharedSlots
from ...worker import Message, dtype_of
from ..packing import Codec, item_of, lay, size_of_piece
from ..wire import Payload, WireError, whole, whole_list

MOST_LANES = 64
MOST_SLOTS = 1 << 16
LARGEST_SLOT = 4 << 30
LINE = 64
"""Every slot begins at a multiple of it."""
SHARE = 0.5
"""Of the machine's memory: what the slots of one PC may take."""


@dataclass(eq=False)
class Room:
    """One lane's slots."""

    frames: SharedSlots
    answers: SharedSlots | None = None
    offsets: Sequence[int] = ()
    opened: Sequence[Mapping[str, Any]] = ()
    """What the worker said that each stage answers."""

    @property
    def nbytes(self) -> int:
        slots = [self.frames] if self.answers is None else [self.frames, self.answers]
        return sum(each.slot_bytes * each.slots for each in slots)

    def close(self) -> None:
        self.frames.close()
        if self.answers is not None:
            self.answers.close()


@dataclass(frozen=True, slots=True)
class Answer:
    """One stage's answer: where it begins in its slot, the bytes of an element, and all of its bytes."""

    stage: int
    at: int
    item: int
    data: memoryview


class Rooms:
    """All lanes of one PC. Raises WireError for messages that make no sense, WorkerError or OSError for want of
    memory."""

    def __init__(self, codec: Codec) -> None:
        self._codec = codec
        self._rooms: dict[int, Room] = {}
        self._most = int(psutil.virtual_memory().total * SHARE)

    def open(self, message: Message) -> Message:
        """Make a lane's slots for frames; the message as the worker takes it."""
        number = whole(message, "lane")
        if number in self._rooms or len(self._rooms) >= MOST_LANES:
            raise WireError(f"found lane {number} opened again, or one of more than {MOST_LANES} lanes")
        ring = message.get("ring")
        if not isinstance(ring, dict):
            raise WireError("found a lane without a ring")
        made = self._make(ring)
        self._rooms[number] = Room(made)
        return {**message, "ring": {"name": made.name, "slot_bytes": made.slot_bytes, "slots": made.slots}}

    def attach_answers(self, message: Message) -> Message:
        """Make a lane's slots for answers; the message as the worker takes it."""
        room = self._of(message)
        if room.answers is not None:
            raise WireError(f"found the answers of lane {message['lane']} a second time")
        room.offsets = whole_list(message, "offsets", LARGEST_SLOT, MOST_SLOTS)
        if not room.opened or len(room.offsets) != len(room.opened):
            raise WireError(f"found {len(room.offsets)} answers of lane {message['lane']}, expected {len(room.opened)}")
        room.answers = made = self._make(message)
        return {**message, "name": made.name, "slot_bytes": made.slot_bytes}

    def _make(self, asked: Mapping[str, Any]) -> SharedSlots:
        slot_bytes, slots = whole(asked, "slot_bytes", 1, LARGEST_SLOT), whole(asked, "slots", 1, MOST_SLOTS)
        made = -(-slot_bytes // LINE) * LINE * slots
        if sum(each.nbytes for each in self._rooms.values()) + made > self._most:
            raise WireError(f"found slots of {made} bytes, expected at most {self._most} for one PC")
        return SharedSlots.create(slot_bytes, slots)

    def fill(self, head: Mapping[str, Any], piece: Payload) -> None:
        """A piece of a frame, into its slot."""
        frames = self._of(head).frames
        size = size_of_piece(head, piece)
        slot, at = whole(head, "slot", 0, frames.slots - 1), whole(head, "at", 0, frames.slot_bytes - size)
        view: Pixels = frames.view(slot, (size,), np.uint8, at)
        lay(head, piece, view, self._codec)

    def check_run(self, message: Message) -> None:
        """Raise WireError for a window that would reach beyond the slots."""
        room = self._of(message)
        if room.answers is None:
            raise WireError(f"found a window of lane {message['lane']}, which is not open")
        whole(message, "window")
        whole(message, "answer", 0, room.answers.slots - 1)
        whole_list(message, "slots", room.frames.slots - 1, MOST_SLOTS)
        if message.get("stages") is not None:
            whole_list(message, "stages", len(room.opened) - 1, len(room.opened))

    def opened(self, message: Message) -> None:
        """What the worker said of a lane."""
        if (room := self._rooms.get(message["lane"])) is not None:
            room.opened = message["answers"]

    def answers(
        self, lane: int, slot: int, chosen: Sequence[int] | None, shapes: Sequence[Sequence[int]]
    ) -> list[Answer]:
        """The bytes of a window's answers."""
        room = self._rooms.get(lane)
        if room is None or room.answers is None:
            return []
        found = []
        for number, shape in zip(range(len(shapes)) if chosen is None else chosen, shapes, strict=True):
            answer = room.opened[number]
            dtype = dtype_of(answer["dtype"], answer["columns"], answer["dtypes"])
            nbytes = int(np.prod(shape)) * dtype.itemsize
            if nbytes:
                at = room.offsets[number]
                data = room.answers.view(slot, (nbytes,), np.uint8, at).data
                found.append(Answer(number, at, item_of(dtype), data))
        return found

    def close(self, number: int) -> None:
        if (room := self._rooms.pop(number, None)) is not None:
            room.close()

    def close_all(self) -> None:
        for number in list(self._rooms):
            self.close(number)

    def _of(self, head: Mapping[str, Any]) -> Room:
        number = whole(head, "lane")
        if number not in self._rooms:
            raise WireError(f"found lane {number}, which is not open")
        return self._rooms[number]
