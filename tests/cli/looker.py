"""A viewer of the live view, for tests: speaks with the real server."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable
from typing import Any, Self

from websockets.sync.client import connect
from websockets.typing import Origin

from onscope.view._wire import VERSION, Array, unpack

PATIENCE_S = 120.0
PATH = "/live"


def url_of(process: subprocess.Popen[str], lines: list[str]) -> str:
    """Read what a command prints until it has said where its view is."""
    assert process.stdout is not None
    for line in process.stdout:
        lines.append(line)
        if line.startswith("view: "):
            return line.removeprefix("view: ").strip()
    raise AssertionError("".join(lines))


class Looker:
    """Says hello, and then what it is told to; keeps all answers. A context manager."""

    def __init__(self, url: str) -> None:
        base, _, token = url.partition("#token=")
        base = base.rstrip("/")
        address = base.replace("http", "ws", 1) + PATH
        self._socket = connect(address, origin=Origin(base), max_size=None, proxy=None)
        self.texts: list[dict[str, Any]] = []
        self.updates: list[tuple[dict[str, Any], list[Array]]] = []
        self._said = 0
        self.say("hello", version=VERSION, token=token)
        self.layout = self.wait(lambda: self.text("hello"))["layout"]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._socket.close()

    def say(self, kind: str, **fields: Any) -> None:
        self._socket.send(json.dumps({"type": kind, **fields}))

    def show(self, *views: dict[str, Any]) -> None:
        self.say("show", views=list(views))
        self.say("credit", n=1)

    def do(self, action: str, **fields: Any) -> dict[str, Any]:
        """What became of an action."""
        self._said += 1
        number = self._said
        self.say("do", id=number, action=action, **fields)
        done: dict[str, Any] = self.wait(lambda: self.text("done", id=number))
        return done

    def text(self, kind: str, **fields: Any) -> dict[str, Any] | None:
        """The first message of a kind with these fields."""
        wanted = {"type": kind, **fields}
        return next((each for each in self.texts if wanted.items() <= each.items()), None)

    def settings(self) -> list[dict[str, Any]]:
        """What may be tuned, as the newest layout says."""
        layouts = [each["layout"] for each in self.texts if "layout" in each]
        return list(layouts[-1]["settings"]) if layouts else []

    def update(self, suits: Callable[[dict[str, Any]], bool]) -> tuple[dict[str, Any], list[Array]] | None:
        return next((each for each in self.updates if suits(each[0])), None)

    def wait(self, found: Callable[[], Any]) -> Any:
        """Take messages until something is found."""
        ends = time.monotonic() + PATIENCE_S
        while not (what := found()):
            message = self._socket.recv(max(0.0, ends - time.monotonic()))
            if isinstance(message, str):
                self.texts.append(json.loads(message))
            else:
                self.updates.append(unpack(message))
                if "snapshot" not in self.updates[-1][0]:
                    self.say("credit", n=1)
        return what
