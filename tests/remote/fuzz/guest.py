"""The harness of a box's end of one PC: only the worker's process is no real one."""

from __future__ import annotations

import json
import os
import re
import shutil
import types
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from onscope.runtime._shm import SharedSlots
from onscope.runtime.remote.packages import Store
from onscope.runtime.remote.packing import Codec
from onscope.runtime.remote.server import _guest, _rooms
from onscope.runtime.remote.server._guest import Guest
from onscope.runtime.remote.wire import CHUNK, WireError, pack, size_of, unpack
from onscope.runtime.service import BoxCounters
from onscope.runtime.worker import Message

from .messages import in_few_words, split
from .watch import Watch

MOST_BYTES = 1 << 20
"""What the slots of one PC may take here."""
ANSWER = {"dtype": "uint16", "columns": [], "dtypes": []}
SHAPE = [16, 16]
PATHS = re.compile(r"[0-9a-f]{64}\.(onnx|npy|tif|tiff|yaml)")


class Worker:
    """Says what a worker would: `sent` is what reached it, `replies` what it will say when the input lets it.

    None among them: a real one would have ended itself over what came.
    """

    pid = 1

    def __init__(self) -> None:
        self.sent: list[Message] = []
        self.replies: deque[Message | None] = deque()
        self._alive = True
        self._lanes: dict[Any, int] = {}
        self._slots: dict[Any, Mapping[str, Any]] = {}

    def send(self, message: Mapping[str, Any]) -> None:
        made: Message = json.loads(json.dumps(message))
        self.sent.append(made)
        if self._alive:
            self.replies.append(reply := self._reply(made))
            self._alive = reply is not None

    def _reply(self, message: Message) -> Message | None:
        kind, lane = message["kind"], message.get("lane")
        if kind == "open":
            self._lanes[lane] = len(message["stages"])
            return {"kind": "opened", "lane": lane, "answers": [ANSWER] * self._lanes[lane]}
        if kind == "answers":
            self._slots[lane] = message
        elif kind == "close":
            self._lanes.pop(lane, None)
            self._slots.pop(lane, None)
        elif kind == "run":
            if lane not in self._lanes or lane not in self._slots:
                return None
            chosen = message.get("stages")
            return self._done(message, range(self._lanes[lane]) if chosen is None else chosen)
        return {"kind": "progress", "lane": lane, "text": kind}

    def _done(self, message: Message, chosen: Any) -> Message | None:
        slots, nbytes = self._slots[message["lane"]], 2 * SHAPE[0] * SHAPE[1]
        room = slots["slot_bytes"] * slots["slots"] - slots["slot_bytes"] * message["answer"]
        if any(n >= len(slots["offsets"]) or slots["offsets"][n] + nbytes > room for n in chosen):
            return None
        times = {"started": 1, "finished": 2, "stages": [[1, 2] for _ in chosen]}
        return {"kind": "done", "window": message["window"], "shapes": [SHAPE for _ in chosen], **times}

    def receive(self) -> Message | None:
        return None

    def epitaph(self) -> str:
        return "x" * 100_000

    def kill(self) -> None: ...

    close = kill


class Thread:
    """Runs nothing: what the harness has for a worker needs nobody who listens."""

    def __init__(self, **_: Any) -> None: ...
    def start(self) -> None: ...


class Hosting:
    """What one PC says to its Guest, message after message, until it is refused as the server would refuse it."""

    def __init__(self, folder: Path) -> None:
        self.handled = 0
        self.reached: list[Message] = []
        """What reached the worker in the last input."""
        self.stored: list[str] = []
        self._patch = pytest.MonkeyPatch()
        self._patch.setattr(_guest, "ProcessLink", Worker)
        self._patch.setattr(_guest, "threading", types.SimpleNamespace(Thread=Thread))
        memory = types.SimpleNamespace(virtual_memory=lambda: types.SimpleNamespace(total=2 * MOST_BYTES))
        self._patch.setattr(_rooms, "psutil", memory)
        self._folder = folder / "store"
        shutil.rmtree(self._folder, ignore_errors=True)
        self._store = Store(self._folder)
        self._watch = Watch(self._folder)
        self._codec = Codec()
        SharedSlots.create(64, 1).close()  # starts what keeps account of shared memory

    def close(self) -> None:
        self._patch.undo()

    def __call__(self, data: bytes) -> None:
        guest = Guest("0" * 32, self._store, lambda guest, _: guest.died(), BoxCounters(), self._codec)
        worker: Any = guest._worker
        try:
            with self._watch:
                self._converse(guest, worker, data)
        finally:
            guest.close(kill=True)
            self.reached = worker.sent
            self.stored = sorted(os.listdir(self._folder))
            for name in self.stored:
                (self._folder / name).unlink()
        assert all(PATHS.fullmatch(name) for name in self.stored), self.stored
        for message in self.reached:
            self._check_reached(message)

    def _converse(self, guest: Guest, worker: Any, data: bytes) -> None:
        for parts in split(data):
            try:
                head, payload = unpack(parts)
                if head["kind"] == "@answer":
                    self._answer(guest, worker)
                elif head["kind"] == "@take":
                    self._take(guest, 8)
                else:
                    guest.handle(head, payload)
                    self.handled += 1
            except WireError as error:
                in_few_words(error)
                break
            self._check(guest)
        while worker.replies:
            self._answer(guest, worker)
        self._take(guest, 1 << 30)

    def _answer(self, guest: Guest, worker: Any) -> None:
        if not worker.replies:
            return
        if (reply := worker.replies.popleft()) is not None:
            guest.answer(reply)
        else:
            guest._listen()  # which hears its end, and has it posted

    def _take(self, guest: Guest, most: int) -> None:
        """What the PC gets, which it can read."""
        for _ in range(most):
            if (item := guest.session.take()) is None:
                return
            parts = pack(*item)
            assert size_of(parts[1:]) <= CHUNK
            head, _ = unpack(parts)
            if head["kind"] == "died":
                assert len(head["epitaph"]) <= 1900
            guest.session.heard(item[0]["n"])

    def _check(self, guest: Guest) -> None:
        made = sum(room.nbytes for room in guest._rooms._rooms.values())
        assert made <= MOST_BYTES, f"found {made} bytes of slots"
        assert len(guest._uploads) <= _guest.MOST_FILES
        assert len(guest._flights) <= _guest.MOST_WINDOWS

    def _check_reached(self, message: Message) -> None:
        """A worker is told of files in the store alone, and of its own slots."""
        assert message["kind"] in ("open", "answers", "run", "tune", "close")
        if message["kind"] == "open":
            for name in _files(message):
                folder, _, file = name.rpartition("/")
                assert folder == str(self._folder)
                assert PATHS.fullmatch(file)
            assert "/" not in message["provider"].partition(":")[0]
            assert "state=" not in message["provider"]
        if message["kind"] in ("open", "answers"):
            name = message["ring"]["name"] if message["kind"] == "open" else message["name"]
            assert re.fullmatch(rf"onscope-{os.getpid()}-[0-9a-f]{{8}}", name)


def _files(message: Message) -> list[str]:
    """Whatever a worker opens for a lane."""
    found = [] if message.get("calibration") is None else [message["calibration"]]
    for stage in [*message["stages"], *(stage for way in message.get("ways", ()) for stage in way["stages"])]:
        found += [stage["weights"]] if "weights" in stage else []
        found += [stage["request"]["weights"]] if "request" in stage else []
        trust = stage.get("trust")
        found += [trust["weights"][0]] if trust is not None and trust.get("weights") is not None else []
    return found
