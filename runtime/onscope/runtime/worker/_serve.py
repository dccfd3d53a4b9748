"""What the worker does: it opens lanes, runs windows in the order they come, and says what came of each."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from .._clock import now_ns
from .._errors import DeviceLostError, OnscopeError
from .._frame import Pixels
from .._shm import SharedSlots
from ..clocks import Monitor
from ..engines import ON_GPU, behind_faults
from ._chain import Chain
from ._choose import open_ways
from ._hosted import Moment, Numbers
from ._messages import VERSION, Link, Message
from ._opened import StageAnswer, dtype_of


class _Lane:
    """One FrameSpec's chain and slots, as the worker sees them."""

    def __init__(self, message: Message, link: Link, numbers: Numbers) -> None:
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
        self._answers: SharedSlots | None = None
        self._offsets: list[int] = []

    @property
    def chain(self) -> Chain:
        """The one that ran last."""
        return self.ways.now

    def attach_answers(self, message: Message) -> None:
        self._answers = SharedSlots.attach(message["name"], message["slot_bytes"], message["slots"])
        self._offsets = message["offsets"]

    def run(self, message: Message) -> tuple[list[list[int]], list[tuple[int, int]]]:
        """Run one window through the chosen stages; the shapes of its answers and its stages' stamps."""
        chosen, answer_slot = message["stages"], message["answer"]
        window = [self._frames[slot] for slot in message["slots"]]
        memory = message["state"], message["reset"]
        moment = Moment(*message["moment"])
        way, more = message.get("way", 0), (*memory, message["channel"], message["keys"])
        answers, stamps = self.ways.run(way, window, chosen, *more, moment=moment)
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
        self._frames.clear()
        self._ring.close()
        if self._answers is not None:
            self._answers.close()


def serve(link: Link, die: Callable[[BaseException], object]) -> None:
    """Answer messages until the acquisition process closes the link.

    `die` ends this worker from any thread of it, after an error that is nobody's on purpose. Lanes are opened in
    threads of their own: one camera's new frames do not hold up the windows of another.
    """
    link.send({"kind": "hello", "version": VERSION, "pid": os.getpid()})
    lanes = _Lanes(link, die)
    try:
        while (message := link.receive()) is not None:
            kind = message["kind"]
            if kind == "run":
                link.send(_run(lanes[message["lane"]], message))
            elif kind == "open":
                lanes.open(message)
            elif kind == "answers":
                lanes.attach_answers(message)
            elif kind == "tune":
                lanes.tune(message)
            elif kind == "close":
                lanes.close(message["lane"])
    except OSError:  # from the link: the acquisition process is gone, and with it the need for answers
        pass
    finally:
        lanes.close_all()


class _Lanes:
    """The open lanes, and those being opened."""

    def __init__(self, link: Link, die: Callable[[BaseException], object]) -> None:
        self._link = link
        self._die = die
        self._lock = threading.Lock()
        self._numbers = Numbers()
        self._clocks = Monitor(lambda reading: self._tell({"kind": "clocks", **reading.message()}))
        self._open: dict[int, _Lane] = {}
        self._opening: dict[int, threading.Thread] = {}
        self._tuned: dict[str, Message] = {}
        """What was said of each stage last: lanes that are still being opened do not know of it."""

    def __getitem__(self, number: int) -> _Lane:
        return self._open[number]

    def attach_answers(self, message: Message) -> None:
        lane = self._open.get(message["lane"])
        if lane is None:
            return  # closed meanwhile
        self._numbers.raise_to(message.get("numbers", {}))  # what another worker has given until now
        try:
            lane.attach_answers(message)
        except OSError as error:  # not the end of the link, for which an OSError stands elsewhere
            self._die(error)

    def open(self, message: Message) -> None:
        # One at a time: sessions that are built side by side take longer than one after the other.
        before = list(self._opening.values())
        thread = threading.Thread(target=self._build, args=(message, before), name="onscope-opening", daemon=True)
        with self._lock:
            self._opening[message["lane"]] = thread
        thread.start()

    def _build(self, message: Message, before: Sequence[threading.Thread]) -> None:
        for thread in before:
            thread.join()
        number = message["lane"]
        lane: _Lane | None
        answer: Message
        try:
            lane = _Lane(message, self._link, self._numbers)
            answer = {"kind": "opened", "lane": number, "answers": [asdict(answer) for answer in lane.opened]}
            answer["ways"] = [[each and asdict(each) for each in way] for way in lane.ways.answers()]
            chains = [way.chain for way in lane.ways.all]
            answer["ways_warm_ns"] = [chain.warm_ns for chain in chains]
            answer["warm_ns"] = max(answer["ways_warm_ns"])
            chosen = lane.chosen
            answer["provider"] = chosen.provider
            answer["report"] = [*filter(None, [chosen.why]), *(line for chain in chains for line in chain.report)]
            answer["warnings"] = [*chosen.told, *(line for chain in chains for line in chain.warned())]
            answer["graphs"], *answer["way_graphs"] = map(_graphs, chains)
        except (OnscopeError, OSError) as error:
            lane = None
            answer = {"kind": "refused", "lane": number, "error": type(error).__name__, "message": str(error)}
        except BaseException as error:  # without its answer the lane would be waited for for ever
            self._die(error)
            return
        with self._lock:
            wanted = self._opening.pop(number, None) is not None
            if lane is not None and wanted:
                for tuned in self._tuned.values():
                    lane.ways.tune(tuned)
                self._open[number] = lane
        if lane is not None and not wanted:
            lane.close()
        elif wanted:
            self._tell(answer)
            if lane is not None and behind_faults(lane.chosen.provider).partition(":")[0] in ON_GPU:
                self._clocks.watch(behind_faults(lane.chosen.provider))

    def _tell(self, message: Message) -> None:
        with contextlib.suppress(OSError):
            self._link.send(message)

    def tune(self, message: Message) -> None:
        """Settings of a stage's decoder for all windows after; they were checked where they come from."""
        with self._lock:
            self._tuned[message["stage"]] = message
            for lane in self._open.values():
                lane.ways.tune(message)

    def close(self, number: int) -> None:
        with self._lock:
            self._opening.pop(number, None)
            lane = self._open.pop(number, None)
        if lane is not None:
            lane.close()

    def close_all(self) -> None:
        self._clocks.close()
        with self._lock:
            self._opening.clear()
            lanes = list(self._open.values())
            self._open.clear()
        for lane in lanes:
            lane.close()


def _graphs(chain: Chain) -> list[dict[str, Any]]:
    return [*(group.described for group in chain.groups), *chain.host.described]


def _run(lane: _Lane, message: Message) -> Message:
    started = now_ns()
    try:
        shapes, stamps = lane.run(message)
    except (OnscopeError, OSError) as error:
        return {
            "kind": "failed",
            "window": message["window"],
            "message": str(error),
            "warnings": lane.chain.warned(),
            "lost": lane.chosen.provider if isinstance(error, DeviceLostError) else "",
        }
    return {
        "kind": "done",
        "window": message["window"],
        "reset": lane.chain.began_anew,
        "warnings": lane.chain.warned(),
        "frozen": lane.chain.frozen() if message.get("way", 0) == 0 else [],
        "numbers": lane.chain.numbers.all,
        "parameters": lane.ways.parameters(message.get("level")),
        "trust": lane.chain.watches.trust,
        "suspect": lane.chain.watches.suspect,
        "shapes": shapes,
        "started": started,
        "stages": stamps,
        "finished": now_ns(),
    }
