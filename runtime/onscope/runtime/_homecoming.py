"""A server that was lost is used again once it is back: a second worker is prepared on it, and takes over."""

from __future__ import annotations

import threading
from dataclasses import replace

from ._dispatch import Dispatcher
from ._errors import OnscopeError
from ._events import Event
from ._supervise import Supervisor
from ._takeover import Takeover
from .kserve import SCHEME, is_reachable, parse_provider

FIRST_S, LONGEST_S = 1.0, 600.0
"""How long is waited before the server is tried, and before it is tried again where it listened and could not run."""


class Homecoming:
    """Waits for one server at a time, in a thread of its own. `one_change` is held while workers change."""

    def __init__(self, supervisor: Supervisor, dispatcher: Dispatcher, one_change: threading.Lock) -> None:
        self._supervisor, self._dispatcher, self._one_change = supervisor, dispatcher, one_change
        self._thread: threading.Thread | None = None
        supervisor.displaced = self.displaced

    def displaced(self, lost: str, whole: str) -> None:
        """A provider of the list `whole` is not used, and the next one in its place; called in the listening thread.

        Devices of this machine that are lost stay so: their process would have to be new, and the machine often too.
        """
        if not lost.startswith(f"{SCHEME}:") or (self._thread is not None and self._thread.is_alive()):
            return
        self._thread = threading.Thread(target=self._wait, args=(lost, whole), name="onscope-homecoming", daemon=True)
        self._thread.start()

    def _wait(self, lost: str, whole: str) -> None:
        address = parse_provider(lost.partition(":")[2])
        pause = FIRST_S
        while not self._supervisor.ended.wait(pause):
            if not is_reachable(address):
                pause = FIRST_S
                continue
            try:
                with self._one_change:
                    Takeover(self._supervisor, self._dispatcher, provider=whole, only=lost).run(
                        lambda: self._take(whole)
                    )
            except OnscopeError as error:
                if self._supervisor.ended.is_set():
                    return
                pause = min(2 * pause, LONGEST_S)
                words = f"{address} listens, and is not used yet: {error}; tried again in {pause:.0f} s"
                self._supervisor.tell(Event("warning", words))
                continue
            self._supervisor.tell(
                Event("provider back", f"{lost} is back and runs from here on; what networks remember begins anew")
            )
            return

    def _take(self, whole: str) -> None:
        self._supervisor.terms = replace(self._supervisor.terms, provider=whole)
