"""The server's process as the acquisition sees it: started, and started again when it has died or hangs."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from onscope.runtime import Event, WorkerError
from onscope.runtime.worker import LIMIT, Message, ProcessLink

from .._errors import ViewError
from .._plain import size_of

MODULE = "onscope.view.server"
START_S = 60.0
"""How long the server may take to be there, on a machine that is busy with other things."""
PAUSES_S = (0.5, 2.0, 8.0)
"""Before each time that it is started again."""
LIVED_S = 600.0
"""After so long a life its deaths are counted anew."""
BEAT_S = 1.0
"""It says that it is there so often."""
HANG_S = 15.0
"""When nothing was heard for so long, it hangs."""


class Server:
    """Listens at `host` and `port` (0: a free one, the same from then on). `send` and `close` from any thread."""

    def __init__(self, host: str, port: int, token: str) -> None:
        self.port = port
        self.gone = False
        """Whether it has ended for good."""
        self._host, self._token = host, token
        self._closing = threading.Event()
        self._changing = threading.Lock()
        self._sending = threading.Lock()
        self._link: ProcessLink | None = None
        self._heard = self._listens = False
        self._hung = ""

    @property
    def pid(self) -> int:
        """Process id; 0 when there is none."""
        link = self._link
        return 0 if link is None else link.pid

    def start(self) -> None:
        """Have it listen. Raises ViewError when it does not."""
        try:
            link = ProcessLink(MODULE)
        except WorkerError as error:
            raise ViewError(str(error)) from error
        with self._changing:
            self._link, self._hung = link, ""
            if self._closing.is_set():
                link.kill()
        try:
            self.port = self._listening(link)
        except BaseException:
            link.kill()
            link.close()
            raise
        self._heard = self._listens = True

    def send(self, message: Mapping[str, Any]) -> None:
        """Tell it; waits while it does not read. That it is gone, `run` finds."""
        link = self._link
        if link is None or size_of(message) > LIMIT:  # it would take no more messages after it
            return
        with self._sending, contextlib.suppress(OSError):
            link.send(message)

    def run(
        self, heard: Callable[[Message], object], again: Callable[[], object], tell: Callable[[Event], object]
    ) -> None:
        """Until it is closed or has ended for good: `heard` is given its messages, `again` called when it was started
        again, and `tell` told of both."""
        threading.Thread(target=self._watch, name="onscope-view-watch", daemon=True).start()
        pauses, began = list(PAUSES_S), time.monotonic()
        while not self._closing.is_set():
            words = self._hear(heard)
            if time.monotonic() - began > LIVED_S:
                pauses = list(PAUSES_S)
            while not self._closing.is_set():
                if not pauses:
                    self.gone = True
                    tell(Event("warning", f"the live view has ended ({words}), and the run goes on without it"))
                    return
                tell(Event("warning", f"the live view's server has ended ({words}); it is started again"))
                if self._closing.wait(pauses.pop(0)):
                    return
                try:
                    self.start()
                except ViewError as error:
                    words = str(error)
                    continue
                began = time.monotonic()
                again()
                tell(Event("view", f"the live view is there again, at port {self.port}"))
                break

    def kill(self) -> None:
        """End it at once."""
        with self._changing:
            self._closing.set()
            if self._link is not None:
                self._link.kill()

    def close(self) -> None:
        """Let it end by itself, else end it."""
        with self._changing:
            self._closing.set()
            link, self._link = self._link, None
        if link is not None:
            link.close()

    def _listening(self, link: ProcessLink) -> int:
        """Wait until it listens; the port."""
        late = threading.Timer(START_S, link.kill)
        late.daemon = True
        late.start()
        try:
            link.send({"kind": "open", "host": self._host, "port": self.port, "token": self._token})
            message = link.receive()
        except (OSError, ValueError):
            message = None
        finally:
            late.cancel()
        if message is None:
            raise ViewError(f"the view's server did not start ({link.epitaph()}): is `onscope[view]` installed?")
        if message["kind"] != "listening":
            raise ViewError(str(message["message"]))
        return int(message["port"])

    def _hear(self, heard: Callable[[Message], object]) -> str:
        """Give its messages on until it has ended; how it has."""
        link = self._link
        message: Message | None = {}
        while link is not None and message is not None:
            try:
                message = link.receive()
            except (OSError, ValueError):
                message = None
            self._heard = True
            if message and message["kind"] != "alive":
                heard(message)
        self._listens = False
        if link is None or self._closing.is_set():
            return ""
        link.kill()
        words = self._hung or link.epitaph()
        link.close()
        return words

    def _watch(self) -> None:
        """End one that says nothing. In turns of waiting, not by the clock: a machine that slept is no server that
        hangs."""
        silent = 0
        while not self._closing.wait(BEAT_S) and not self.gone:
            silent = 0 if self._heard or not self._listens else silent + 1
            self._heard = False
            if silent * BEAT_S >= HANG_S:
                with self._changing:
                    if self._link is not None:
                        self._hung = f"it said nothing for {HANG_S:g} s"
                        self._link.kill()
                silent = 0
