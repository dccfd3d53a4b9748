"""A lane as the worker sees it: its chains, the slots of its frames, and those of its answers."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._errors import OnscopeError
from .._frame import Pixels
from .._shm import SharedSlots
from ._chain import Chain
from ._choose import open_ways
from ._hosted import Moment, Numbers
from ._messages import Message, WorkerEnd
from ._opened import StageAnswer, dtype_of
from ._runs import UnderWay


class OpenLane:
    """One FrameSpec's chain and slots, as the worker sees them."""

    def __init__(self, message: Message, link: WorkerEnd, numbers: Numbers) -> None:
        spec = message["spec"]
        numbers.raise_to(message["numbers"])

        def progress(text: str, **more: str) -> None:
            link.send({"kind": "progress", "lane": message["lane"], "text": text, **more})

        self.chosen = open_ways(message, progress, numbers)
        self.ways = self.chosen.ways
        self.opened = self.chain.opened
        ring = message["ring"]
        self._ring = SharedSlots.attach(ring["name"], ring["slot_bytes"], ring["slots"])
        self._frames = [self._ring.view(slot, tuple(spec["shape"]), spec["dtype"]) for slot in range(ring["slots"])]
        self.ways.hear(link.wake)
        self.ways.lie_in(self._ring.whole, self._ring.name)
        self._answers: SharedSlots | None = None
        self._offsets: list[int] = []

    @property
    def chain(self) -> Chain:
        """The one that ran last."""
        return self.ways.now

    def attach_answers(self, message: Message) -> None:
        self._answers = SharedSlots.attach(message["name"], message["slot_bytes"], message["slots"])
        self._offsets = message["offsets"]

    def has_room(self, message: Message) -> bool:
        """Whether the window of a message may be begun now."""
        return self.ways.room(message.get("way", 0))

    def begin(self, message: Message) -> UnderWay:
        """Begin with one window."""
        window = [self._frames[slot] for slot in message["slots"]]
        memory = message["state"], message["reset"]
        moment = Moment(*message["moment"])
        more = (*memory, message["channel"], message["keys"])
        return self.ways.begin(message.get("way", 0), window, message["stages"], *more, moment=moment)

    def finish(self, message: Message, one: UnderWay) -> tuple[list[list[int]], list[tuple[int, int]]]:
        """Run it to its end; the shapes of its answers and its stages' stamps."""
        way, chosen, answer_slot = message.get("way", 0), message["stages"], message["answer"]
        answers, stamps = self.ways.finish(way, one)
        numbers = range(len(self.opened)) if chosen is None else chosen
        for number, answer in zip(numbers, answers, strict=True):
            expected, offset = self.ways.expected(way, number), self._offsets[number]
            self._write(answer_slot, answer, expected, offset)
        return [list(answer.shape) for answer in answers], stamps

    def _write(self, slot: int, answer: Pixels, expected: StageAnswer, offset: int) -> None:
        shape, vary = expected.shape, bool(expected.columns)
        dtype = dtype_of(answer.dtype.name, expected.columns, expected.dtypes)
        fits = answer.shape == shape or (vary and answer.shape[0] <= shape[0] and answer.shape[1:] == shape[1:])
        if not fits or answer.dtype != dtype or self._answers is None:
            raise OnscopeError(f"found an answer of the shape {answer.shape}, expected {shape} as in the warm-up")
        np.copyto(self._answers.view(slot, answer.shape, dtype, offset), answer)

    def close(self) -> None:
        self.ways.close()  # engines may hold on to the slots
        self._frames.clear()
        self._ring.close()
        if self._answers is not None:
            self._answers.close()


def graphs_of(chain: Chain) -> list[dict[str, Any]]:
    """What a chain runs, as plain values."""
    return [*(group.described for group in chain.groups), *chain.host.described]
