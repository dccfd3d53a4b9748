"""A runtime that is looked at, and those who look: all of them the real parts."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from onscope.runtime import Event, FrameSpec, Pipeline, Runtime
from onscope.view import View
from onscope.view._wire import Array, Message, unpack
from tests import models

PATIENT_S = 60.0
"""How long tests wait for what has to come, however busy the machine is."""


@dataclass
class Rig:
    """A runtime with a view; `seq` counts its frames."""

    runtime: Runtime
    view: View
    events: list[Event]
    seq: int = 0

    def submit(self, value: int, spec: FrameSpec = models.SPEC, segment: int = 0, **more: Any) -> int:
        """Hand a frame of one value over, and wait until it has its result; its number."""
        self.runtime.submit(models.frame(self.seq, value, spec, segment, **more))
        assert self.runtime.drain(PATIENT_S)
        self.seq += 1
        return self.seq - 1

    @contextmanager
    def eyes(self, **options: Any) -> Iterator[Eyes]:
        """A viewer that has said hello."""
        with eyes(self.view.port, **options) as viewer:
            viewer.say(type="hello", version=1, token=self.view.token)
            assert viewer.text("hello")["version"] == 1
            yield viewer


@dataclass
class Eyes:
    """A viewer. What comes and is not waited for is kept in `kept`."""

    socket: ClientConnection
    kept: list[Message] = field(default_factory=list)
    updates: list[tuple[Message, list[Array]]] = field(default_factory=list)

    def say(self, **message: Any) -> None:
        self.socket.send(json.dumps(message))

    def show(self, *views: dict[str, Any], credit: int = 0) -> None:
        self.say(type="show", views=list(views))
        if credit:
            self.say(type="credit", n=credit)

    def take(self) -> None:
        """Take what comes next, whatever it is; raises ConnectionClosed."""
        message = self.socket.recv(timeout=PATIENT_S)
        if isinstance(message, bytes):
            self.updates.append(unpack(message))
        else:
            self.kept.append(json.loads(message))

    def update(self) -> tuple[Message, list[Array]]:
        """The next update."""
        while not self.updates:
            self.take()
        return self.updates.pop(0)

    def text(self, kind: str, true: Callable[[Message], object] = lambda message: True) -> Message:
        """The next text of a type that fulfils something; those before are dropped."""
        while True:
            while self.kept:
                message = self.kept.pop(0)
                if message["type"] == kind and true(message):
                    return message
            self.take()

    def closed(self) -> tuple[int, str]:
        """Wait until the server closes: its code, and what it was told as the reason."""
        words = ""
        try:
            while True:
                self.take()
                if self.kept and self.kept[-1]["type"] == "refused":
                    words = self.kept[-1]["words"]
        except ConnectionClosed as end:
            return end.rcvd.code if end.rcvd is not None else 1006, words


@contextmanager
def eyes(port: int, **options: Any) -> Iterator[Eyes]:
    """A viewer that has said nothing yet."""
    with connect(f"ws://127.0.0.1:{port}/live", open_timeout=PATIENT_S, max_size=None, **options) as socket:
        yield Eyes(socket)


@contextmanager
def rig(folder: Path, pipeline: Pipeline | None = None, spec: FrameSpec = models.SPEC, **options: Any) -> Iterator[Rig]:
    """A runtime that adds 1, doubles in size and finds bright pixels, and a view of it."""
    events: list[Event] = []
    with Runtime(pipeline or models.pipeline(folder), worker="thread", on_event=events.append) as runtime:
        runtime.prepare(spec)
        with View(runtime, **options) as view:
            yield Rig(runtime, view, events)


def goes_on(run: Rig) -> None:
    """A viewer sees what comes next."""
    with run.eyes() as viewer:
        viewer.show({"id": 1, "bits": 16}, credit=1)
        value = 1000 + run.seq
        run.submit(value)
        while int(picture(viewer.update())[0, 0]) != value:
            viewer.say(type="credit", n=1)


def picture(update: tuple[Message, list[Array]], number: int = 0) -> Array:
    """The pixels of an update's view."""
    head, arrays = update
    at: int = head["views"][number]["array"]
    return arrays[at]


def until(true: Callable[[], object]) -> None:
    """Wait for something; fails when it does not come."""
    end = time.monotonic() + PATIENT_S
    while not true():
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.005)
