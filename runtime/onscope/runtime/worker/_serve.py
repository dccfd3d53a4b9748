"""What the worker does: it opens lanes, runs windows in the order they come, and says what came of each."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import asdict

import numpy as np

from .._clock import now_ns
from .._errors import OnscopeError
from .._frame import Pixels
from .._shm import SharedSlots
from ._chain import Chain
from ._messages import VERSION, Link, Message


class _Lane:
    """One FrameSpec's chain and slots, as the worker sees them."""

    def __init__(self, message: Message, link: Link) -> None:
        spec = message["spec"]
        self.axes: str = spec["axes"]
        self.chain = Chain(
            message["stages"],
            message["provider"],
            message["threads"],
            lambda text: link.send({"kind": "progress", "text": text}),
        )
        link.send({"kind": "progress", "text": "warming up"})
        self.opened = self.chain.warm_up(spec["shape"], spec["dtype"], self.axes, message["length"])
        ring = message["ring"]
        self._ring = SharedSlots.attach(ring["name"], ring["slot_bytes"], ring["slots"])
        self._frames = [self._ring.view(slot, tuple(spec["shape"]), spec["dtype"]) for slot in range(ring["slots"])]
        self._answers: SharedSlots | None = None
        self._offsets: list[int] = []

    def attach_answers(self, message: Message) -> None:
        self._answers = SharedSlots.attach(message["name"], message["slot_bytes"], message["slots"])
        self._offsets = message["offsets"]

    def run(self, slots: Sequence[int], answer_slot: int) -> tuple[list[list[int]], list[tuple[int, int]]]:
        """Run one window; the shapes of its answers and the stamps of its stages."""
        answers, stamps = self.chain.run([self._frames[slot] for slot in slots], self.axes)
        for expected, answer, offset in zip(self.opened, answers, self._offsets, strict=True):
            self._write(answer_slot, answer, expected.shape, offset, vary=bool(expected.columns))
        return [list(answer.shape) for answer in answers], stamps

    def _write(self, slot: int, answer: Pixels, shape: tuple[int, ...], offset: int, *, vary: bool) -> None:
        fits = answer.shape == shape or (vary and answer.shape[0] <= shape[0] and answer.shape[1:] == shape[1:])
        if not fits or self._answers is None:
            raise OnscopeError(f"found an answer of the shape {answer.shape}, expected {shape} as in the warm-up")
        np.copyto(self._answers.view(slot, answer.shape, answer.dtype.name, offset), answer)

    def close(self) -> None:
        self._frames.clear()
        self._ring.close()
        if self._answers is not None:
            self._answers.close()


def serve(link: Link) -> None:
    """Answer messages until the acquisition process closes the link."""
    link.send({"kind": "hello", "version": VERSION, "pid": os.getpid()})
    lanes: dict[int, _Lane] = {}
    try:
        while (message := link.receive()) is not None:
            kind = message["kind"]
            if kind == "run":
                link.send(_run(lanes[message["lane"]], message))
            elif kind == "open":
                link.send(_open(lanes, message, link))
            elif kind == "answers":
                lanes[message["lane"]].attach_answers(message)
    except OSError:  # from the link: the acquisition process is gone, and with it the need for answers
        pass
    finally:
        for lane in lanes.values():
            lane.close()


def _open(lanes: dict[int, _Lane], message: Message, link: Link) -> Message:
    number = message["lane"]
    try:
        lanes[number] = lane = _Lane(message, link)
    except (OnscopeError, OSError) as error:
        return {"kind": "refused", "lane": number, "error": type(error).__name__, "message": str(error)}
    return {"kind": "opened", "lane": number, "answers": [asdict(answer) for answer in lane.opened]}


def _run(lane: _Lane, message: Message) -> Message:
    started = now_ns()
    try:
        shapes, stamps = lane.run(message["slots"], message["answer"])
    except (OnscopeError, OSError) as error:
        return {"kind": "failed", "window": message["window"], "message": str(error)}
    return {
        "kind": "done",
        "window": message["window"],
        "shapes": shapes,
        "started": started,
        "stages": stamps,
        "finished": now_ns(),
    }
