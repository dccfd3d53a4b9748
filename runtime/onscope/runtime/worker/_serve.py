"""What the worker does: it opens lanes, runs windows in the order they come, and says what came of each."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Sequence
from dataclasses import asdict

from .._errors import OnscopeError
from ..clocks import Monitor
from ..engines import ON_GPU, behind_faults
from ._hosted import Numbers
from ._messages import VERSION, WAKE, Message, WorkerEnd
from ._open_lane import OpenLane, graphs_of
from ._windows import Windows


def serve(link: WorkerEnd, die: Callable[[BaseException], object]) -> None:
    """Answer messages until the acquisition process closes the link.

    `die` ends this worker from any thread of it, after an error that is nobody's on purpose. Lanes are opened in
    threads of their own: one camera's new frames do not hold up the windows of another.
    """
    link.send({"kind": "hello", "version": VERSION, "pid": os.getpid()})
    lanes = _Lanes(link, die)
    windows = Windows(link)
    try:
        while True:
            if windows.begun and not link.waiting() and not windows.can_take_more:
                windows.finish_one()
                continue
            message = link.receive()
            if message is None:
                break
            kind = message["kind"]
            if kind == WAKE:
                continue
            if kind == "run":
                windows.run(lanes[message["lane"]], message)
                continue
            windows.finish_all()
            if kind == "open":
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

    def __init__(self, link: WorkerEnd, die: Callable[[BaseException], object]) -> None:
        self._link = link
        self._die = die
        self._lock = threading.Lock()
        self._numbers = Numbers()
        self._clocks = Monitor(lambda reading: self._tell({"kind": "clocks", **reading.message()}))
        self._open: dict[int, OpenLane] = {}
        self._opening: dict[int, threading.Thread] = {}
        self._tuned: dict[str, Message] = {}
        """What was said of each stage last: lanes that are still being opened do not know of it."""

    def __getitem__(self, number: int) -> OpenLane:
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
        lane: OpenLane | None
        answer: Message
        try:
            lane = OpenLane(message, self._link, self._numbers)
            answer = {"kind": "opened", "lane": number, "answers": [asdict(answer) for answer in lane.opened]}
            answer["ways"] = [[each and asdict(each) for each in way] for way in lane.ways.answers()]
            chains = [way.chain for way in lane.ways.all]
            answer["ways_warm_ns"] = [chain.warm_ns for chain in chains]
            answer["warm_ns"] = max(answer["ways_warm_ns"])
            answer["depth"], answer["far"] = lane.ways.depth, lane.ways.far
            chosen = lane.chosen
            answer["provider"] = chosen.provider
            answer["report"] = [*filter(None, [chosen.why]), *(line for chain in chains for line in chain.report)]
            answer["warnings"] = [*chosen.told, *(line for chain in chains for line in chain.warned())]
            answer["graphs"], *answer["way_graphs"] = map(graphs_of, chains)
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
