"""The line to the server: a thread that connects, listens, and connects again when it must."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from itertools import chain
from typing import Any, Literal

from .._errors import ViewError
from ._address import Address
from ._asked import Asked
from ._connection import Refused, connection
from ._said import Said

State = Literal["connecting", "connected", "refused", "closed"]
Heard = Callable[[str, dict[str, Any]], object]
DELAYS_S = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
"""How long it waits before it connects again; the last one for good."""
HELLO_S = 10.0
JOIN_S = 5.0

log = logging.getLogger("onscope.view")


class Line:
    """Hands what it hears to `said` and `asked`. `greeted` is called in its thread after each hello, `heard` with every
    message; `changed` is notified of each new `state`, for which `words` says why.
    """

    def __init__(
        self,
        address: Address,
        said: Said,
        asked: Asked,
        changed: threading.Condition,
        greeted: Callable[[], object],
        heard: Heard | None,
    ) -> None:
        self._address, self._said, self._asked, self._changed = address, said, asked, changed
        self._greeted, self._heard = greeted, heard
        self._closing = threading.Event()
        self._socket: Any = None
        self._end: Callable[[], object] | None = None
        self.state: State = "connecting"
        self.words = ""
        self._thread = threading.Thread(target=self._run, name="onscope-view-client", daemon=True)

    def start(self) -> None:
        """Begin; once."""
        self._thread.start()

    @property
    def over(self) -> bool:
        """Whether it will not connect again."""
        return self.state in ("refused", "closed")

    @property
    def connected(self) -> bool:
        """Whether the server has said hello, and is there as far as is known."""
        return self._socket is not None

    def send(self, message: dict[str, Any]) -> bool:
        """Whether it went out; a connection that is lost is looked after by the line's thread."""
        socket = self._socket
        if socket is None:
            return False
        try:
            socket.send(json.dumps(message))
        except Exception:
            return False
        return True

    def close(self) -> None:
        """Leave, also where it is just connecting; may be called more than once, from any thread."""
        self._closing.set()
        end = self._end
        if end is not None:
            with suppress(Exception):
                end()
        if threading.current_thread() is not self._thread:
            self._thread.join(JOIN_S)

    def _opened(self, end: Callable[[], object]) -> None:
        self._end = end
        if self._closing.is_set():  # `close` may have come too early to see it
            end()

    def _run(self) -> None:
        tries = 0
        while not self._closing.is_set():
            began = time.monotonic()
            try:
                with connection(self._address, self._opened) as socket:
                    self._listen(socket)
                words = "the server left"
            except Refused as refusal:
                if not self._closing.is_set():
                    self._become("refused", str(refusal))
                    break
                words = ""
            except Exception as error:  # whatever the network makes of it: it is told, and tried again
                words = f"{self._address.websocket} cannot be reached ({error})"
                log.debug("the view's connection ended", exc_info=True)
            finally:
                self._socket = self._end = None
                self._asked.fail_all(ViewError("found the connection lost before an answer, expected one: ask again"))
            if not self._closing.is_set():
                tries = 0 if time.monotonic() - began > DELAYS_S[-1] else tries + 1
                self._become("connecting", words)
                self._closing.wait(DELAYS_S[min(tries, len(DELAYS_S) - 1)])
        if self.state != "refused":
            self._become("closed", "it was closed")

    def _listen(self, socket: Any) -> None:
        self._said.begin()
        try:
            first = socket.recv(timeout=HELLO_S)
        except TimeoutError:
            raise TimeoutError(f"it said nothing for {HELLO_S:g} s") from None
        for message in chain([first], socket):
            kind, told = self._said.hear(message)
            if kind == "refused" or (kind != "hello" and self._socket is None):
                raise Refused(str(told.get("words") or f"found {kind!r} first, expected the hello of onscope's view"))
            if kind == "hello":
                self._socket = socket
                self._become("connected", "")
                self._greeted()
            if kind == "done":
                self._asked.answer(told)
            elif kind != "update":
                self._tell(kind, told)

    def _become(self, state: State, words: str) -> None:
        with self._changed:
            before, self.state, self.words = self.state, state, words
            self._changed.notify_all()
        if state == "connected" or state == "refused" or (before == "connected" and state == "connecting"):
            self._tell("lost" if state == "connecting" else state, {"words": words})

    def _tell(self, kind: str, told: dict[str, Any]) -> None:
        if self._heard is None:
            return
        try:
            self._heard(kind, told)
        except Exception:
            log.warning("what listens to the view's client failed at %r", kind, exc_info=True)
