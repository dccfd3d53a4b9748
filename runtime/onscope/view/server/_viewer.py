"""One who looks: what it wants, how much it can take, and what waits for it."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Iterator, Mapping
from typing import Any

from starlette.websockets import WebSocket

from .._values import Wanted
from ._said import OUTSTANDING
from ._shown import Frames, Place, Shown

MOST_VIEWERS = 64
MOST_WAITING = 128
"""Texts that wait for a viewer that does not read; of more the oldest are dropped."""
MOST_FILES = 2
MOST_DOING = 8


class Viewer:
    """Of the event loop's thread alone. `woken` is set whenever there may be something to send."""

    def __init__(self, number: int, socket: WebSocket) -> None:
        self.number, self.socket = number, socket
        self.woken = asyncio.Event()
        self.credit = 0
        self.doing = 0
        """Actions that were asked for and not answered yet."""
        self.views: tuple[Wanted, ...] = ()
        self._texts: deque[str] = deque(maxlen=MOST_WAITING)
        self._status: str | None = None
        self._files: deque[bytes] = deque(maxlen=MOST_FILES)
        self._sent: dict[int, int] = {}
        """The number of the frame that each view showed last."""
        self._served: dict[Place, int] = {}
        self._turn = 0

    def show(self, views: tuple[Wanted, ...]) -> None:
        """From now on it wants these; what it has seen of them counts no more."""
        self.views = views
        self._sent.clear()
        self._served.clear()
        self.woken.set()

    def add_credit(self, n: int) -> None:
        """So many more updates, of which never more than two are outstanding."""
        self.credit = min(self.credit + n, OUTSTANDING)
        self.woken.set()

    def tell(self, message: Mapping[str, Any]) -> None:
        """Have it told, in order."""
        self.tell_text(json.dumps(message, separators=(",", ":")))

    def tell_text(self, text: str) -> None:
        """The same of what is JSON already."""
        self._texts.append(text)
        self.woken.set()

    def tell_status(self, text: str) -> None:
        """Have it told, unless a newer one comes first."""
        self._status = text
        self.woken.set()

    def give(self, data: bytes) -> None:
        """Have it sent a file."""
        self._files.append(data)
        self.woken.set()

    def waiting(self) -> Iterator[str | bytes]:
        """What waits, but for updates: taken as it is asked for."""
        while self._texts or self._status is not None or self._files:
            if self._texts:
                yield self._texts.popleft()
            elif self._status is not None:
                text, self._status = self._status, None
                yield text
            else:
                yield self._files.popleft()

    def next(self, frames: Frames) -> tuple[Shown, list[Wanted]] | None:
        """The frame that is its turn, and the views that it serves; None: it has seen all there is.

        Where its views show different places, these take turns.
        """
        fresh: dict[int, tuple[Shown, list[Wanted]]] = {}
        for view in self.views:
            shown = frames.newest(view)
            if shown is not None and self._sent.get(view.id) != shown.number:
                fresh.setdefault(shown.number, (shown, []))[1].append(view)
        if not fresh:
            return None
        return min(fresh.values(), key=lambda each: (self._served.get(each[0].place, 0), each[0].number))

    def take(self, shown: Shown, views: list[Wanted]) -> None:
        """It is sent this now."""
        self.credit -= 1
        self._turn += 1
        self._served[shown.place] = self._turn
        for view in views:
            self._sent[view.id] = shown.number

    def hungry(self, frames: Frames) -> bool:
        """Whether it can take another frame than those that are here."""
        return bool(self.views) and self.credit > (self.next(frames) is not None)
