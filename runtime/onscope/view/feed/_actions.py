"""What viewers ask the run to do: one after the other, in a thread of its own."""

from __future__ import annotations

import base64
import threading
from collections.abc import Callable, Mapping
from queue import Empty, Full, Queue
from typing import Any

from onscope.runtime import OnscopeError
from onscope.runtime.worker import LIMIT, Message

from .._plain import plain

Do = Callable[[dict[str, Any]], Mapping[str, Any]]
"""Does what a viewer asked for, given the fields of its message; gives `words` and what else the answer has."""
MOST_WAITING = 32
PART = LIMIT // 4 * 2
"""Bytes of a file that go into one message; base64 makes four of three."""


class Actions:
    """Carries out what was asked for; `send` takes what the server has to know of it."""

    def __init__(self, actions: Mapping[str, Do], send: Callable[[Message], object]) -> None:
        self._actions, self._send = actions, send
        self._asked: Queue[Message | None] = Queue(MOST_WAITING)
        self._thread = threading.Thread(target=self._run, name="onscope-view-actions", daemon=True)
        self._thread.start()

    def ask(self, message: Message) -> None:
        """It waits for its turn; returns at once."""
        try:
            self._asked.put_nowait(message)
        except Full:
            words = f"found {MOST_WAITING} actions that wait already, expected fewer: ask again later"
            self._answer(message, {"ok": False, "words": words})

    def close(self, timeout_s: float) -> None:
        """What waits is left out; what is under way is waited for."""
        try:
            while True:
                self._asked.get_nowait()
        except Empty:
            self._asked.put(None)
        self._thread.join(timeout_s)

    def _run(self) -> None:
        while (message := self._asked.get()) is not None:
            self._answer(message, self._done(message))

    def _done(self, message: Message) -> dict[str, Any]:
        do = self._actions.get(message["action"])
        if do is None:
            return {"ok": False, "words": f"found the action {message['action']!r}, which this run cannot do"}
        try:
            return {"ok": True, "words": "", **do(dict(message["fields"]))}
        except OnscopeError as error:
            return {"ok": False, "words": str(error)}
        except Exception as error:  # a viewer asked for it, and it ends nothing
            return {"ok": False, "words": f"{message['action']} failed: {error!r}"}

    def _answer(self, message: Message, given: dict[str, Any]) -> None:
        to = {"viewer": message["viewer"]}
        data = given.pop("png", None)
        self._send({"kind": "done", **to, "done": {"id": message["id"], **plain(given)}})
        if isinstance(data, bytes):
            for begin in range(0, len(data), PART):
                part = base64.b64encode(data[begin : begin + PART]).decode()
                last = begin + PART >= len(data)
                self._send({"kind": "png", **to, "name": str(given.get("name", "")), "part": part, "last": last})
