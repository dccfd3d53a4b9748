"""The harness of the PC's end: what a box says, to a PC that opens lanes and runs windows as a supervisor does."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from onscope.runtime import FrameSpec, WorkerError, _errors
from onscope.runtime._answers import AnswerSlots
from onscope.runtime._clock import now_ns
from onscope.runtime._shm import SharedSlots
from onscope.runtime.remote.clock import OtherClock
from onscope.runtime.remote.link import _lanes
from onscope.runtime.remote.link._desk import CREDIT, Desk
from onscope.runtime.remote.link._words import MOST_WORDS
from onscope.runtime.remote.session import Session
from onscope.runtime.remote.wire import CHUNK, WireError, pack, size_of, unpack
from onscope.runtime.service import LinkCounters
from onscope.runtime.worker import Message

from .messages import in_few_words, split
from .supervised import Supervised
from .watch import Watch

WEIGHTS = b"weights" * 100
SHA256 = hashlib.sha256(WEIGHTS).hexdigest()
SLOTS, FRAME_BYTES, LARGEST = 8, 512, 1 << 14
SPEC = FrameSpec((16, 16), "uint16", camera="cam")


class Desking:
    """What the box says comes as it is; `@open`, `@answers`, `@run`, `@close` and `@take` are the PC's own, which makes
    no mistakes, and so does nothing where they make no sense.

    What the desk lets through is done as a supervisor would: slots are made for what a box says that its stages answer,
    and a result of every window that it says is done. None of it may raise.
    """

    def __init__(self, folder: Path) -> None:
        self.handled = 0
        self.told: list[Message] = []
        """What the supervisor was told in the last input."""
        self._weights = folder / "weights.onnx"
        self._weights.write_bytes(WEIGHTS)
        self._watch = Watch(folder / "nothing", self._weights)
        self._frames = SharedSlots.create(FRAME_BYTES, SLOTS)
        self._patch = pytest.MonkeyPatch()
        self._patch.setattr(_lanes, "SHARE", LARGEST / psutil.virtual_memory().total)
        AnswerSlots([], [], 1, 1).close()  # loads what the first ones need

    def close(self) -> None:
        self._frames.close()
        self._patch.undo()

    def __call__(self, data: bytes) -> None:
        self.told = []
        self._routes: dict[int, Supervised] = {}
        self._session = Session()
        self._sent_files: dict[str, bytes] = {}
        self._lanes: dict[int, bool] = {}
        """Those that are open, and whether the box was told of slots for their answers."""
        self._names: dict[int, list[str]] = {}
        self._windows: dict[int, tuple[int, int]] = {}
        desk = Desk(self._session, OtherClock(), "always", self._tell, LinkCounters())
        try:
            with self._watch:
                self._converse(desk, data)
        finally:
            desk.lanes.close_all()
            for route in self._routes.values():
                route.close()
        assert all(WEIGHTS.startswith(sent) for sent in self._sent_files.values())
        assert self._sent_files.keys() <= {f"{SHA256}.onnx"}

    def _converse(self, desk: Desk, data: bytes) -> None:
        for parts in split(data):
            try:
                head, payload = unpack(parts)
                if head["kind"].startswith("@"):
                    self._do(desk, head)
                    continue
                before = {lane: route.written() for lane, route in self._routes.items()}
                open_ = {(each.lane, each.answer) for each in desk.lanes.flights.values()}
                desk.handle(head, payload)
                self.handled += 1
                for lane, was in before.items():
                    changed = np.nonzero((was != self._routes[lane].written()).any(axis=1))[0]
                    assert {(lane, int(slot)) for slot in changed} <= open_
                assert len(desk.epitaph) < 3000
            except WireError as error:
                in_few_words(error)
                break
        self._take(1 << 30)

    def _tell(self, message: Message) -> None:
        assert isinstance(message["kind"], str)
        json.dumps(message).encode()
        self.told.append(message)
        if message["kind"] == "done":
            assert 0 <= message["started"] <= now_ns()
            assert 0 <= message["finished"] <= now_ns()
            assert all(0 <= start <= now_ns() and 0 <= end <= now_ns() for start, end in message["stages"])
            lane, answer = self._windows[message["window"]]
            self._routes[lane].done(message, answer)
        elif message["kind"] == "failed":
            assert message["window"] in self._windows
            assert len(message["message"]) <= MOST_WORDS
        elif message["kind"] in ("opened", "refused", "progress"):
            assert isinstance(message["lane"], int)
            if message["kind"] == "opened":
                self._routes[message["lane"]] = Supervised(message, self._names[message["lane"]])
            elif message["kind"] == "refused":
                assert issubclass(getattr(_errors, message["error"], WorkerError), Exception)

    def _do(self, desk: Desk, head: Mapping[str, Any]) -> None:
        kind, lane = head["kind"], head.get("lane")
        if kind == "@take":
            self._take(8)
        elif type(lane) is not int or not 0 <= lane < 8:
            return
        elif kind == "@open" and lane not in self._names:  # a lane's number is never given again
            names = head.get("names", ["plus"])
            self._lanes[lane] = False
            self._names[lane] = names if names in (["plus"], ["mean"]) else ["plus"]
            desk.send(self._opening(lane))
        elif kind == "@answers" and self._lanes.get(lane) is False and lane in self._routes:
            self._lanes[lane] = True
            desk.send({**self._routes[lane].answers.message, "lane": lane})
        elif (
            kind == "@close"
            and lane in self._lanes
            and not any(each.lane == lane for each in desk.lanes.flights.values())
        ):
            del self._lanes[lane]
            desk.send({"kind": "close", "lane": lane})
        elif kind == "@run" and self._lanes.get(lane):
            self._run(desk, head, lane)

    def _run(self, desk: Desk, head: Mapping[str, Any], lane: int) -> None:
        window, answer, flights = head.get("window"), head.get("answer"), desk.lanes.flights
        if type(window) is not int or window in self._windows or type(answer) is not int or len(flights) >= CREDIT:
            return
        if not 0 <= answer < SLOTS or any((each.lane, each.answer) == (lane, answer) for each in flights.values()):
            return
        self._windows[window] = lane, answer
        run = {"kind": "run", "window": window, "lane": lane, "answer": answer, "slots": [answer], "keys": None}
        desk.send({**run, "stages": None})

    def _opening(self, lane: int) -> Message:
        ring = {"name": self._frames.name, "slot_bytes": FRAME_BYTES, "slots": SLOTS}
        more = {"weights": str(self._weights), "weights_sha256": SHA256}
        stages = [{"name": name, **more} for name in self._names[lane]]
        spec = {"shape": list(SPEC.shape), "dtype": SPEC.dtype}
        opening = {"kind": "open", "lane": lane, "ring": ring, "spec": spec, "length": 1, "stages": stages}
        return {**opening, "calibration": None, "provider": "cpu", "numbers": {}}

    def _take(self, most: int) -> None:
        """What the box gets, which it can read."""
        for _ in range(most):
            if (item := self._session.take()) is None:
                return
            parts = pack(*item)
            assert size_of(parts[1:]) <= CHUNK
            head, payload = unpack(parts)
            if head["kind"] == "file":
                sent = self._sent_files.get(head["name"], b"")
                self._sent_files[head["name"]] = (b"" if head["at"] == 0 else sent) + bytes(payload or b"")
            self._session.heard(item[0]["n"])
