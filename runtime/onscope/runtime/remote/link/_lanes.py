"""The PC's lanes: frames out of its slots, answers into them."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import psutil

from ..._clock import now_ns
from ..._errors import WorkerError
from ..._frame import Pixels
from ..._shm import SharedSlots
from ...worker import Message
from ..clock import OtherClock
from ..packing import Codec, Packer, item_of, lay, size_of_piece
from ..session import Item
from ..wire import Payload, WireError, chunks, whole
from ._done import Asked, Spans, checked_done
from ._opened import Opened, checked_opened
from ._places import Places

REMEMBERED = 8
"""Windows whose hand-over is compared: the quickest of them waited for no other."""
SHARE = 1 / 16
"""Of this machine's memory: what the answers to one window of each lane may take, which some eight have room for."""


@dataclass(eq=False)
class Lane:
    """One lane's slots on both machines."""

    ring: SharedSlots
    nbytes: int
    item: int
    """Bytes of a pixel."""
    places: Places
    asked: Message
    """What opened it, and when."""
    asked_ns: int
    answers: SharedSlots | None = None
    offsets: tuple[int, ...] = ()
    opened: Opened | None = None
    refused: bool = False
    channels: set[int | None] = field(default_factory=set)
    """Those of its windows."""

    def pixels(self, slot: int) -> memoryview:
        return self.ring.view(slot, (self.nbytes,), np.uint8).data

    def close(self) -> None:
        self.ring.close()
        if self.answers is not None:
            self.answers.close()


@dataclass(slots=True)
class Flight:
    """A window under way; `left` when all of it was sent."""

    lane: int
    answer: int
    sent_ns: int
    asked: Asked
    came: Spans = field(default_factory=Spans)
    """What came of its answers."""
    left: bool = False


@dataclass(eq=False)
class Lanes:
    """All lanes of one link; used by its thread alone."""

    credit: int
    clock: OtherClock
    packer: Packer
    codec: Codec
    flights: dict[int, Flight] = field(default_factory=dict)
    most_bytes: int = field(default_factory=lambda: int(psutil.virtual_memory().total * SHARE))
    """What the answers to one window of each lane may take."""
    sent_frames: int = 0
    """Frames of which the pixels went to the box."""
    _lanes: dict[int, Lane] = field(default_factory=dict)
    _closed: set[int] = field(default_factory=set)
    """Of these words may still be on their way."""
    _stages: set[str] = field(default_factory=set)
    """Names of all stages that it was asked to open, and of trackers that go on."""
    _handovers: deque[int] = field(default_factory=lambda: deque(maxlen=REMEMBERED))

    @property
    def handover_ns(self) -> int:
        """What the way there and back takes, beside the computing."""
        return min(self._handovers, default=0)

    def open(self, message: Mapping[str, Any]) -> Message:
        """The message as the box takes it, but for the files; raises OSError when the lane is closed already."""
        ring, spec = message["ring"], message["spec"]
        slots = (self.credit + 1) * message["length"]
        nbytes = int(np.prod(spec["shape"])) * np.dtype(spec["dtype"]).itemsize
        attached = SharedSlots.attach(ring["name"], ring["slot_bytes"], ring["slots"])
        lane = Lane(attached, nbytes, item_of(spec["dtype"]), Places(slots), dict(message), now_ns())
        self._lanes[message["lane"]] = lane
        self._stages |= {stage["name"] for stage in message["stages"]} | message.get("numbers", {}).keys()
        return {**message, "ring": {"slot_bytes": ring["slot_bytes"], "slots": slots}}

    def attach_answers(self, message: Mapping[str, Any]) -> Message:
        lane = self._lanes[message["lane"]]
        lane.answers = SharedSlots.attach(message["name"], message["slot_bytes"], message["slots"])
        lane.offsets = tuple(message.get("offsets", ()))
        return {key: value for key, value in message.items() if key != "name"}

    def run(self, message: Mapping[str, Any]) -> Iterator[Item]:
        """A window and those of its frames that the box has not yet."""
        number, lane = message["window"], self._lanes[message["lane"]]
        asked = Asked(message["stages"], message.get("way", 0))
        self.flights[number] = flight = Flight(message["lane"], message["answer"], now_ns(), asked)
        lane.channels.add(message.get("channel"))
        keys = message["keys"]
        names = message["slots"] if keys is None else keys
        slots, new = lane.places.take(number, names, again=keys is not None)
        self.sent_frames += len(new)

        def items() -> Iterator[Item]:
            for position, slot in new:
                for at, piece in chunks(lane.pixels(message["slots"][position])):
                    more, payload = self.packer.piece(message["lane"], "frame", lane.item, piece)
                    yield {"kind": "fill", "lane": message["lane"], "slot": slot, "at": at, **more}, payload
            flight.left = True
            yield {"kind": "worker", "message": {**message, "slots": slots}}, None

        return items()

    def close(self, number: int) -> None:
        lane = self._lanes.pop(number, None)
        if lane is not None:
            lane.close()
            self.packer.forget(number)
            self._closed.add(number)

    def close_all(self) -> None:
        for number in list(self._lanes):
            self.close(number)

    def part(self, head: Mapping[str, Any], piece: Payload) -> None:
        """A piece of an answer, into its slot; raises WireError unless the oldest window under way waits for it."""
        number, slot = whole(head, "lane"), whole(head, "answer")
        lane, flight = self._lanes.get(number), next(iter(self.flights.values()), None)
        if lane is None or flight is None or (flight.lane, flight.answer) != (number, slot) or not flight.left:
            raise WireError(f"found an answer for slot {slot} of lane {number}, where no window waits for one")
        assert lane.answers is not None
        size = size_of_piece(head, piece)
        at = whole(head, "at", 0, lane.answers.slot_bytes - size)
        flight.came.add(at, size)
        view: Pixels = lane.answers.view(slot, (size,), np.uint8, at)
        lay(head, piece, view, self.codec)

    def opened(self, told: Mapping[str, Any]) -> Message | None:
        """What the box says of a lane that it opened; None: nobody waits for it any more. Raises WireError for what
        was not asked, WorkerError for answers that this machine has no room for."""
        lane = self.opening(whole(told, "lane"))
        if lane is None:
            return None
        message, lane.opened = checked_opened(lane.asked, told, now_ns() - lane.asked_ns)
        taken = sum(each.opened.nbytes for each in self._lanes.values() if each.opened is not None)
        if taken > self.most_bytes:
            raise WorkerError(
                f"found answers of {taken / 1e6:.0f} MB to the windows of a run on the box, expected at most "
                f"{self.most_bytes / 1e6:.0f} MB, as this machine has to keep some of them: choose a smaller ROI"
            )
        return message

    def opening(self, number: int) -> Lane | None:
        """A lane that the box was asked to open and has said nothing of; None: it is closed by now. Raises
        WireError."""
        lane = self._lanes.get(number)
        if (lane is None and number not in self._closed) or (lane is not None and (lane.opened or lane.refused)):
            raise WireError(f"found word of lane {number}, which it was not asked to open")
        return lane

    def refused(self, number: int) -> bool:
        """Whether somebody waits for a lane that the box refuses. Raises WireError."""
        lane = self._lanes.get(number)
        if (lane is None and number not in self._closed) or (lane is not None and lane.refused):
            raise WireError(f"found word of lane {number}, which it was not asked to open")
        if lane is not None:
            lane.refused = True
        return lane is not None

    def failed(self, told: Mapping[str, Any]) -> None:
        """A window has failed."""
        self._landed(told)

    def done(self, told: Mapping[str, Any]) -> Message:
        """What came of a window, its stamps told in this machine's clock."""
        came = now_ns()
        flight, lane = self._landed(told)
        if lane.opened is None:
            raise WireError(f"found an answer of lane {flight.lane}, which is not open")
        stages, channels = self._stages, lane.channels
        message = checked_done(told, flight.asked, lane.opened, lane.offsets, flight.came, stages, channels)

        def here(there: int) -> int:
            return self.clock.here(there, flight.sent_ns, came)

        computing = message["finished"] - message["started"]
        self._handovers.append(max(0, came - flight.sent_ns - computing))
        spans = [(here(start), here(end)) for start, end in message["stages"]]
        started, finished = here(message["started"]), here(message["finished"])
        return {**message, "started": started, "stages": spans, "finished": finished}

    def _landed(self, told: Mapping[str, Any]) -> tuple[Flight, Lane]:
        """The oldest window under way, since a worker answers in order, and its lane; raises WireError for another."""
        number = whole(told, "window")
        if next(iter(self.flights), None) != number or not self.flights[number].left:
            raise WireError(f"found an answer to window {number}, which is not the oldest under way")
        flight = self.flights.pop(number)
        if (lane := self._lanes.get(flight.lane)) is None:
            raise WireError(f"found an answer to window {number} of a lane that is closed")
        lane.places.done(number)
        return flight, lane
