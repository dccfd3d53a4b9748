"""The middle of the server: frames from the acquisition, updates to viewers, newest first and one per credit."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor

from starlette.websockets import WebSocket, WebSocketDisconnect

from onscope.runtime.worker import Link, Message

from .._plain import plain
from .._wire import VERSION, WireError
from ._asking import Asking
from ._files import Files
from ._journal import Journals
from ._made import Maker
from ._said import DoThis, Show
from ._shown import MOST_PLACES, Frames, Shown, Slots
from ._update import Names, update
from ._vectors import Histories
from ._viewer import MOST_DOING, MOST_VIEWERS, Viewer
from ._welcome import Refused, answered, read_next, turn_away, wait_for_hello

log = logging.getLogger("onscope")
GONE = (WebSocketDisconnect, OSError, TimeoutError)
THREADS = 2
SEND_S = 30.0
"""How long a viewer may take to take what is sent, before it counts as gone."""
MOST_EVENTS = 20
MOST_STRANGERS = 64
"""Who may have come and not said hello yet."""
RATE_S = 2.0
EMPTY_LAYOUT: Message = {"run": "", "images": [], "tables": [], "actions": []}


class Hub:
    """Of the event loop's thread alone, but for `close`."""

    def __init__(self, link: Link, token: str) -> None:
        self._token = token
        self._asking = Asking(link)
        self.beat = self._asking.beat
        self._pool = ThreadPoolExecutor(THREADS, "onscope-view-pictures")
        self._reading = ThreadPoolExecutor(1, "onscope-view-board")
        self._maker = Maker(self._pool)
        self._slots, self._frames, self._histories = Slots(), Frames(self._maker.forget), Histories(MOST_PLACES)
        self._journals = Journals(self._reading)
        self._viewers: dict[int, Viewer] = {}
        self._strangers: deque[asyncio.Task[None]] = deque()
        self._last_number = time.monotonic_ns()
        """Of viewers: an answer to one of a server before this one is for nobody here."""
        self._layout, self._names = EMPTY_LAYOUT, Names()
        self._events: deque[Message] = deque(maxlen=MOST_EVENTS)
        self._ended: Message | None = None
        self._shown: deque[float] = deque(maxlen=1000)
        self._files = Files()

    @property
    def looking(self) -> int:
        """How many viewers there are."""
        return len(self._viewers)

    def close(self) -> None:
        """End the threads; the loop has ended."""
        self._pool.shutdown(cancel_futures=True)
        self._reading.shutdown(cancel_futures=True)
        self._slots.close()

    def heard(self, message: Message) -> None:
        """A message of the acquisition process."""
        kind = message["kind"]
        if kind == "frame":
            reading = asyncio.get_running_loop().run_in_executor(self._reading, self._read, message)
            reading.add_done_callback(self._came)
        elif kind == "status":
            self._tell_status(message["status"])
        elif kind == "layout":
            self._layout, self._names = message["layout"], Names(message["layout"])
            self._tell({"type": "layout", "layout": self._layout})
        elif kind == "told":
            self._events.append({"type": "told", **message["told"]})
            self._tell(self._events[-1])
        elif kind == "ended":
            self._ended = {"type": "ended", "words": message["words"]}
            self._tell(self._ended)
        elif (viewer := self._viewers.get(message["viewer"])) is None:
            self._files.forget(message["viewer"], message.get("name", ""))
        elif kind == "done":
            viewer.doing -= 1
            viewer.tell({"type": "done", **message["done"]})
        elif kind == "png" and (file := self._files.add(message)) is not None:
            viewer.give(file)

    async def welcome(self, socket: WebSocket) -> None:
        """Speak with one who has come, until it leaves or says what it must not."""
        try:
            await socket.accept()
            with contextlib.suppress(*GONE):
                if await self._knows(socket):
                    await self._serve(socket)
        except Refused:
            pass  # it was told why

    async def _knows(self, socket: WebSocket) -> bool:
        """Whether it has said hello, and there is a place for it. Raises Refused."""
        hello = asyncio.create_task(wait_for_hello(socket, self._token))
        if len(self._strangers) >= MOST_STRANGERS:  # the oldest gives way: they cannot keep viewers out
            self._strangers.popleft().cancel()
        self._strangers.append(hello)
        try:
            await asyncio.wait({hello})
        finally:
            hello.cancel()
            with contextlib.suppress(ValueError):  # it gave way
                self._strangers.remove(hello)
        if not hello.cancelled():
            hello.result()
        if hello.cancelled() or len(self._viewers) >= MOST_VIEWERS:
            await turn_away(socket)
            return False
        return True

    async def _serve(self, socket: WebSocket) -> None:
        self._last_number += 1
        viewer = Viewer(self._last_number, socket)
        viewer.tell({"type": "hello", "version": VERSION, "layout": self._layout})
        for event in self._events:
            viewer.tell({**event, "past": True})
        if self._ended:
            viewer.tell(self._ended)
        self._viewers[viewer.number] = viewer
        self._tell_looking()
        sending, hearing = asyncio.create_task(self._send_to(viewer)), asyncio.create_task(self._hear(viewer))
        try:
            await asyncio.wait({sending, hearing}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            del self._viewers[viewer.number]
            self._tell_looking()
            self._ask()
            sending.cancel()
            hearing.cancel()
            ends = await asyncio.gather(sending, hearing, return_exceptions=True)
        for end in ends:
            if isinstance(end, WireError):
                await answered(socket, str(end))
            elif isinstance(end, Exception) and not isinstance(end, GONE):
                log.error("a viewer's connection failed", exc_info=end)

    async def _hear(self, viewer: Viewer) -> None:
        while True:
            said = await read_next(viewer, viewer.socket)
            if isinstance(said, DoThis):
                self._do(viewer, said)
            elif isinstance(said, Show):
                self._tell_looking()
            self._ask()

    async def _send_to(self, viewer: Viewer) -> None:
        while True:
            await viewer.woken.wait()
            viewer.woken.clear()
            for waiting in viewer.waiting():
                await self._send(viewer, waiting)
            while viewer.credit and (found := viewer.next(self._frames)):
                shown, views = found
                viewer.take(shown, views)
                self._ask()
                if not shown.was_sent:
                    shown.was_sent = True
                    self._shown.append(time.monotonic())
                await self._send(viewer, await update(self._maker, shown, views, self._names))
                for waiting in viewer.waiting():
                    await self._send(viewer, waiting)

    async def _send(self, viewer: Viewer, data: str | bytes) -> None:
        async with asyncio.timeout(SEND_S):
            await (viewer.socket.send_text(data) if isinstance(data, str) else viewer.socket.send_bytes(data))

    def _do(self, viewer: Viewer, said: DoThis) -> None:
        words = ""
        if said.action not in self._layout["actions"]:
            words = f"found the action {said.action!r}, which this run cannot do"
        elif viewer.doing >= MOST_DOING:
            words = f"found {MOST_DOING} actions that are not done yet, expected fewer: wait for them"
        if words:
            viewer.tell({"type": "done", "id": said.id, "ok": False, "words": words})
            return
        viewer.doing += 1
        told = {"viewer": viewer.number, "id": said.id, "action": said.action, "fields": said.fields}
        self._asking.say({"kind": "do", **told})

    def _read(self, message: Message) -> Shown | None:
        try:
            return self._slots.read(message)
        except OSError:  # a larger board has taken its place, and a newer frame comes with it
            return None
        finally:
            self._asking.say({"kind": "read", "name": message["memory"]["name"], "slot": message["slot"]})

    def _came(self, reading: asyncio.Future[Shown | None]) -> None:
        self._asking.forget()
        shown = None
        if not reading.cancelled():
            try:
                shown = reading.result()
            except Exception:  # it costs this frame, and the next one is asked for
                log.exception("a frame cannot be read")
        if shown is not None:
            frame = shown.head["frame"]
            sequence = (frame["run"], frame["segment"])
            shown.history = self._histories.add(shown.place, sequence, frame["seq"], shown.tables)
            self._frames.add(shown)
            for viewer in self._viewers.values():
                viewer.woken.set()
        self._ask()

    def _ask(self) -> None:
        self._asking.ask(self._viewers.values(), self._frames)

    def _tell(self, message: Message) -> None:
        text = json.dumps(message, separators=(",", ":"))
        for viewer in self._viewers.values():
            viewer.tell_text(text)

    def _tell_status(self, status: Message) -> None:
        now = time.monotonic()
        while self._shown and self._shown[0] < now - RATE_S:
            self._shown.popleft()
        told = {"type": "status", **status, "shown_per_s": len(self._shown) / RATE_S}
        if isinstance(told.get("feedback"), dict):
            told["feedback"] = plain(self._journals.complete(told["feedback"]))
        text = json.dumps(told, separators=(",", ":"))
        for viewer in self._viewers.values():
            viewer.tell_status(text)

    def _tell_looking(self) -> None:
        self._asking.tell_looking(self._viewers.values())
