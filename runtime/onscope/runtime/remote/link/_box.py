"""A box as the supervisor sees it: what starts a worker there."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any

from ..._events import Event, Tell
from ...service import LinkCounters
from ..wire import LARGEST, Address, parse_address
from ._connecting import Connecting
from ._link import RemoteLink

FIRST_CONTACT_S = 10.0
"""How long the first worker may take to answer; later ones are waited for as long as it takes."""


class Box:
    """Starts a worker on the box at `address` each time it is called, as `ProcessLink` does on this machine.

    The first time it raises WorkerError when the box is not there, or refuses; later, when a run goes on, the link
    tries until it is. `patience_s`: how long a cut may last before the worker counts as dead. `memory_mb`: what the
    worker may take, where the box allows so much (None: what the box allows). `heard` is told, from a thread of the
    link, what the box says of itself and of its clock, each time that is better known.
    """

    def __init__(self, address: str | Address, patience_s: float = 10.0, memory_mb: float | None = None) -> None:
        self.address = address if isinstance(address, Address) else parse_address(address)
        self.tell: Tell = lambda event: None
        self.heard: Callable[[Mapping[str, Any]], object] = lambda facts: None
        self.counters = LinkCounters()
        """Of all its links, one after another."""
        self._patience_s = patience_s
        self._memory_bytes = int(min(memory_mb * 2**20, LARGEST)) if memory_mb else 0
        self._met = False
        self._ended: list[str] = []
        self._lock = threading.Lock()

    def __call__(self) -> RemoteLink:
        with self._lock:
            replaces, self._ended = self._ended, []
        link = RemoteLink(
            Connecting(
                self.address,
                self._patience_s,
                self._memory_bytes,
                tuple(replaces),
                lambda words: self.tell(Event("warning", words)),
                lambda facts: self.heard(facts),
                self._keep_ended,
                self.counters,
            )
        )
        if not self._met:
            link.require_contact(FIRST_CONTACT_S)
            self._met = True
        return link

    def _keep_ended(self, session: str) -> None:
        """A session that the box was not told the end of: the next link's greeting tells it."""
        with self._lock:
            self._ended = [*self._ended[-3:], session]
