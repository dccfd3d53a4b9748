"""A server that says what the live view's server says, of frames made up here: the page can be looked at without a run.

`python -m tests.browser.standin` serves it at port 8123.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Mount, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.websockets import WebSocket, WebSocketDisconnect

import onscope.view
from onscope.view._wire import MOST_VIEWS, VERSION, pack

from . import made

PAGE = Path(onscope.view.__file__).parent / "page"
POLICY = "default-src 'self'"
TURN_S = 0.04


@dataclass
class Standin:
    """What the made-up run is doing; `said` has every message of every viewer, in its order."""

    port: int = 0
    token: str = ""
    said: list[dict[str, Any]] = field(default_factory=list)
    layout: dict[str, Any] = field(default_factory=made.layout)
    before: list[dict[str, Any]] = field(default_factory=list)
    """Events that each viewer is told of when it comes."""
    status: dict[str, Any] = field(default_factory=dict)
    """What differs in the status."""
    told: list[dict[str, Any]] = field(default_factory=list)
    changes: int = 0
    armed: bool = False
    paused: bool = False
    ended: bool = False
    viewers: int = 0
    began: float = field(default_factory=time.monotonic)
    held: float = 0.0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/" + (f"#token={self.token}" if self.token else "")

    @property
    def seq(self) -> int:
        """Of the newest frame."""
        return int(((self.held or time.monotonic()) - self.began) * 20)

    def asked(self, kind: str) -> list[dict[str, Any]]:
        """The messages of a kind."""
        return [each for each in list(self.said) if each["type"] == kind]

    def set(self, of: str, name: str, value: float) -> None:
        """Change a setting; viewers are told the layout soon."""
        for setting in self.layout["settings"]:
            if (setting["of"], setting["name"]) == (of, name):
                setting["value"] = value
        self.changes += 1

    def tell(self, **told: Any) -> None:
        """Have all viewers told of an event, soon."""
        self.told.append(told)

    async def live(self, socket: WebSocket) -> None:
        """One viewer, from its hello on."""
        await socket.accept()
        viewer = Viewer(self, socket)
        self.viewers += 1
        try:
            await viewer.hear()
        except (WebSocketDisconnect, RuntimeError):
            pass
        finally:
            self.viewers -= 1
            viewer.gone()


class Viewer:
    """A connection: hears messages, and sends statuses and an update per credit."""

    def __init__(self, run: Standin, socket: WebSocket) -> None:
        self.run, self.socket = run, socket
        self.views: list[dict[str, Any]] = []
        self.credit = 0
        self.tasks: list[asyncio.Task[None]] = []

    def gone(self) -> None:
        for task in self.tasks:
            task.cancel()

    async def send(self, type_: str, /, **fields: Any) -> None:
        await self.socket.send_text(json.dumps({"type": type_, **fields}))

    async def hear(self) -> None:
        hello = json.loads(await self.socket.receive_text())
        self.run.said.append(hello)
        if hello.get("token", "") != self.run.token:
            await self.send("refused", words="found another token, expected the one that the run has printed")
            await self.socket.close(1008)
            return
        await self.send("hello", version=VERSION, layout=self.run.layout)
        for event in self.run.before:
            await self.send("told", **event, past=True)
        self.tasks = [asyncio.create_task(self.statuses()), asyncio.create_task(self.updates())]
        while True:
            message = json.loads(await self.socket.receive_text())
            self.run.said.append(message)
            if message["type"] == "show":
                assert len(message["views"]) <= MOST_VIEWS
                self.views = message["views"]
            elif message["type"] == "credit":
                self.credit += message["n"]
                assert self.credit <= 2
            elif message["type"] == "do":
                await self.act(message)

    async def act(self, message: dict[str, Any]) -> None:
        run, action = self.run, message["action"]
        ok, words, more = True, "", {}
        if action in ("arm", "shadow"):
            run.armed = action == "arm"
        elif action in ("pause", "resume"):
            run.paused = action == "pause"
            run.held = time.monotonic() if run.paused else 0.0
        elif action == "stop":
            run.ended = True
            await self.send("ended", words="The run is over: 1000 frames, all accounted for.")
        elif action == "tune":
            words = "from window 18 on"
            if message["of"] == "nuclei" and message["value"] > 0.95:
                ok, words = False, "found 0.99 as threshold, expected 0.1 to 0.95: ask for a value of these"
            else:
                run.set(message["of"], message["name"], message["value"])
        elif action == "snapshot":
            more = {"name": "frame-17.png", "frame": {"run": "made", "camera": "", "segment": 0, "seq": 17}}
        elif action == "swap":
            self.run.layout["packages"][message["stage"]] = message["package"]
            await self.send("layout", layout=self.run.layout)
            words = "from window 40 on"
        await self.send("told", kind=action, words=words or f"{action} by a viewer", bad=not ok, at=time.time())
        await self.send("done", id=message["id"], ok=ok, words=words, **more)
        if action == "snapshot":
            await self.socket.send_bytes(pack({"snapshot": "frame-17.png"}, [made.png()]))

    async def statuses(self) -> None:
        known, changes = len(self.run.told), self.run.changes
        with contextlib.suppress(WebSocketDisconnect, RuntimeError):
            while True:
                for event in self.run.told[known:]:
                    await self.send("told", **event)
                known = len(self.run.told)
                if changes != self.run.changes:
                    changes = self.run.changes
                    await self.send("layout", layout=self.run.layout)
                await self.send(
                    "status", **{**made.status(self.run.seq, self.run.armed, self.run.paused), **self.run.status}
                )
                await asyncio.sleep(0.25)

    async def updates(self) -> None:
        last: tuple[int, list[Any]] = (-1, [])
        with contextlib.suppress(WebSocketDisconnect, RuntimeError):
            while True:
                if self.credit and self.views and last != (now := (self.run.seq, self.views)):
                    last = now
                    self.credit -= 1
                    head, arrays = await asyncio.to_thread(made.update, now[0], now[1])
                    await self.socket.send_bytes(pack(head, arrays))
                await asyncio.sleep(TURN_S)


class WithPolicy(StaticFiles):
    """Files that may load nothing from elsewhere."""

    async def get_response(self, path: str, scope: Any) -> Response:
        response = await super().get_response(path, scope)
        response.headers["Content-Security-Policy"] = POLICY
        response.headers["Cache-Control"] = "no-store"
        return response


@contextlib.contextmanager
def serving(port: int = 0, **options: Any) -> Iterator[Standin]:
    """A stand-in that serves while the block lasts."""
    run = Standin(**options)
    app = Starlette(routes=[WebSocketRoute("/live", run.live), Mount("/", WithPolicy(directory=PAGE, html=True))])
    server = uvicorn.Server(uvicorn.Config(app, "127.0.0.1", port, log_level="warning", timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive(), "the stand-in could not be started"
        time.sleep(0.01)
    run.port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield run
    finally:
        server.should_exit = True
        thread.join(30)


if __name__ == "__main__":
    with serving(8123) as standing:
        print(standing.url, flush=True)
        threading.Event().wait()
