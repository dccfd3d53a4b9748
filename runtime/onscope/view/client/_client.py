"""A viewer of a running onscope: a small client with a thread of its own, which connects again when it must."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as TooLate
from types import TracebackType
from typing import Any

from .._errors import ViewError
from .._values import Layout, Wanted
from .._wire import MOST_VIEWS
from ._address import address_of
from ._asked import Asked, Done
from ._line import Heard, Line, State
from ._said import Said
from ._update import Update
from ._wanted import told

__all__ = ["Done", "State", "ViewClient"]
CREDIT = {"type": "credit", "n": 1}
AGAIN_S = 0.5
"""After so long it is asked again for an update, where the answer could not be used or another thread took it."""


class ViewClient:
    """Looks at the run behind `url` (the page's address with its token, or host:port and `token`). A context manager.

    All methods return soon but `take` and `do`, which wait as long as they are told; any thread may call them. `heard`
    is called in the client's thread with every message ("hello", "layout", "status", "told", "ended", and
    "connected", "lost", "refused" of the client itself, the last two with `words`); it must neither wait nor raise.
    It holds one update at most beside the one that is arriving. Raises ViewError when the address is none, or the
    package websockets is missing.
    """

    def __init__(self, url: str, *, token: str = "", heard: Heard | None = None) -> None:
        try:
            import websockets  # noqa: F401
        except ImportError as error:
            raise ViewError(
                "found no package websockets, expected it to look at a run: install onscope[view] or onscope[napari]"
            ) from error
        self._address = address_of(url, token)
        self._changed = threading.Condition()
        self._said = Said(self._changed)
        self._asked = Asked()
        self._views: tuple[Wanted, ...] = ()
        self._line = Line(self._address, self._said, self._asked, self._changed, self._greeted, heard)
        self._line.start()

    @property
    def state(self) -> State:
        """ "connecting" also while it tries again; "refused" and "closed" are the end."""
        return self._line.state

    @property
    def words(self) -> str:
        """Why it is not connected, in a sentence; "" while it is."""
        return self._line.words

    @property
    def layout(self) -> Layout | None:
        """What the run has to show, the newest; None before it was told."""
        return self._said.layout

    @property
    def status(self) -> dict[str, Any]:
        """The run's newest numbers, as they were told; empty before."""
        return dict(self._said.status)

    @property
    def ended(self) -> bool:
        """Whether the run is over; its last pictures can still be taken."""
        return self._said.ended

    def wait(self, timeout_s: float = 10.0) -> Layout:
        """The layout, once it is connected and told. Raises ViewError when it is refused, or not there in time."""
        with self._changed:
            self._changed.wait_for(lambda: self._said.layout is not None or self._line.over, timeout_s)
        if self._said.layout is None:
            raise ViewError(
                f"found no layout at {self._address.websocket} after {timeout_s:g} s "
                f"({self.words or self.state}): is the run's view on, and the token its own?"
            )
        return self._said.layout

    def show(self, views: Iterable[Wanted]) -> None:
        """What the next updates hold; also after connecting again. Raises ViewError when there are too many."""
        wanted = tuple(views)
        if len(wanted) > MOST_VIEWS:
            raise ViewError(f"found {len(wanted)} pictures, expected at most {MOST_VIEWS}: leave some out")
        with self._changed:
            self._views = wanted
            self._said.forget_update()  # it holds what was wanted before
        self._send_views()
        self._ask_for_update()

    def take(self, timeout_s: float | None = None) -> Update | None:
        """The newest update that was not taken yet; None when none came in time, or none will come any more.

        One is asked for when this is called, so that it shows what is newest then; nothing is sent unless it is taken.
        """
        end = None if timeout_s is None else time.monotonic() + timeout_s
        while True:
            self._said.waiting = True
            self._ask_for_update()
            left = AGAIN_S if end is None else max(0.0, end - time.monotonic())
            with self._changed:
                self._changed.wait_for(lambda: self._said.fresh or self._line.over, min(left, AGAIN_S))
                update = self._said.take()
            if update is not None or self._line.over or (end is not None and time.monotonic() >= end):
                return update

    def ask(self, action: str, **fields: Any) -> Future[Done]:
        """`do` without waiting: what will hold the answer, or the ViewError of a connection that was lost before it."""
        if action == "snapshot":
            self._said.expect_snapshot()
        number, answer = self._asked.new()
        if not self._line.send({"type": "do", "id": number, "action": action, **fields}):
            self._asked.fail(
                number, ViewError(f"found no connection ({self.words}), expected one to ask for {action!r}")
            )
        return answer

    def do(self, action: str, *, timeout_s: float = 10.0, **fields: Any) -> Done:
        """Ask for an action (docs/view-inside.md) and wait for what became of it; `ok` says whether it was done.

        Raises ViewError when the connection is lost before the answer, or there is none in time.
        """
        answer = self.ask(action, **fields)
        try:
            return answer.result(timeout_s)
        except TooLate:
            answer.cancel()
            raise ViewError(
                f"found no answer to {action!r} after {timeout_s:g} s, expected one: look at the run"
            ) from None

    def snapshot(self, name: str, timeout_s: float = 10.0) -> bytes | None:
        """The PNG of the snapshot that `do("snapshot", ...)` named, once; None when it did not come in time."""
        with self._changed:
            self._changed.wait_for(lambda: name in self._said.snapshots or self._line.over, timeout_s)
            return self._said.snapshots.pop(name, None)

    def close(self) -> None:
        """Leave; may be called more than once, from any thread."""
        self._line.close()

    def __enter__(self) -> ViewClient:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    def _send_views(self) -> None:
        if self._views:
            self._line.send({"type": "show", "views": [told(each) for each in self._views]})

    def _ask_for_update(self) -> None:
        """Where somebody waits for one, and has said of what."""
        if self._views and self._line.connected and self._said.want() and not self._line.send(CREDIT):
            self._said.unasked()

    def _greeted(self) -> None:
        self._send_views()
        self._ask_for_update()
