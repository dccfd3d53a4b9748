"""The PC's lanes: frames out of its slots, answers into them."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..._clock import now_ns
from ..._frame import Pixels
from ..._shm import SharedSlots
from ...worker import Message
from ..clock import OtherClock
from ..packing import Codec, Packer, item_of, lay, size_of_piece
from ..session import Item
from ..wire import Payload, WireError, chunks, whole
from ._places import Places

REMEMBERED = 8
"""Windows whose hand-over is compared: the quickest of them waited for no other."""


@dataclass(eq=False)
class Lane:
    """One lane's slots on both machines."""

    ring: SharedSlots
    nbytes: int
    item: int
    """Bytes of a pixel."""
    places: Places
    answers: SharedSlots | None = None

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
    left: bool = False


@dataclass(eq=False)
class Lanes:
    """All lanes of one link; used by its thread alone."""

    credit: int
    clock: OtherClock
    packer: Packer
    codec: Codec
    flights: dict[int, Flight] = field(default_factory=dict)
    sent_frames: int = 0
    """Frames of which the pixels went to the box."""
    _lanes: dict[int, Lane] = field(default_factory=dict)
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
        lane = Lane(attached, nbytes, item_of(spec["dtype"]), Places(slots))
        self._lanes[message["lane"]] = lane
        return {**message, "ring": {"slot_bytes": ring["slot_bytes"], "slots": slots}}

    def attach_answers(self, message: Mapping[str, Any]) -> Message:
        lane = self._lanes[message["lane"]]
        lane.answers = SharedSlots.attach(message["name"], message["slot_bytes"], message["slots"])
        return {key: value for key, value in message.items() if key != "name"}

    def run(self, message: Mapping[str, Any]) -> Iterator[Item]:
        """A window and those of its frames that the box has not yet."""
        number, lane = message["window"], self._lanes[message["lane"]]
        self.flights[number] = flight = Flight(message["lane"], message["answer"], now_ns())
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

    def close_all(self) -> None:
        for number in list(self._lanes):
            self.close(number)

    def part(self, head: Mapping[str, Any], piece: Payload) -> None:
        """A piece of an answer, into its slot; raises WireError unless a window under way waits for it."""
        number, slot = whole(head, "lane"), whole(head, "answer")
        lane = self._lanes.get(number)
        if lane is None or not any((each.lane, each.answer) == (number, slot) for each in self.flights.values()):
            raise WireError(f"found an answer for slot {slot} of lane {number}, where no window waits for one")
        assert lane.answers is not None
        size = size_of_piece(head, piece)
        at = whole(head, "at", 0, lane.answers.slot_bytes - size)
        view: Pixels = lane.answers.view(slot, (size,), np.uint8, at)
        lay(head, piece, view, self.codec)

    def answered(self, message: Message) -> Message:
        """What came of a window, its stamps told in this machine's clock."""
        came = now_ns()
        flight = self.flights.pop(message["window"], None)
        if flight is None or not flight.left:
            raise WireError(f"found an answer to window {message['window']!r:.40}, which is not under way")
        if (lane := self._lanes.get(flight.lane)) is not None:
            lane.places.done(message["window"])
        if message["kind"] != "done":
            return message

        def here(there: object) -> int:
            return self.clock.here(whole({"a stamp": there}, "a stamp"), flight.sent_ns, came)

        computing = whole(message, "finished") - whole(message, "started")
        self._handovers.append(max(0, came - flight.sent_ns - computing))
        stages = [(here(start), here(end)) for start, end in message["stages"]]
        return {
            **message,
            "started": here(message["started"]),
            "stages": stages,
            "finished": here(message["finished"]),
        }
