"""What one end has sent and the other not acknowledged; what came, each message once and in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ..wire import Payload, WireError

WINDOW = 8 << 20
"""Bytes that may be on their way, unacknowledged: what a fast link holds, and little enough for a slow one to tell
soon that it is alive."""
ACK_BYTES = 1 << 20
HEAD = 200
"""Bytes that a message counts beside its payload."""
SHARE = 4
"""Of so many messages one may be of those that can wait, where both kinds are there."""

Item = tuple[Mapping[str, Any], Payload | None]


class Lost(WireError):
    """Messages are missing between the last that came and this one: the link has to be resumed."""


class Session:
    """Counts both directions. Not thread-safe; no I/O, no clock.

    Messages are added as iterators, which are only asked for the next one when it may go out: a payload is read from
    its slot or file then, and whoever owns the slot keeps it until the answer has come.
    """

    def __init__(self, window: int = WINDOW) -> None:
        self.got = 0
        """Number of the last message that came."""
        self._window = window
        self._soon: deque[Iterator[Item]] = deque()
        self._later: deque[Iterator[Item]] = deque()
        self._turn = 0
        self._sent = 0
        self._kept: deque[tuple[int, Item]] = deque()
        self._again = 0
        self._on_the_way = 0
        self._told = 0
        self._since_told = 0
        self.acknowledged_bytes = 0
        """Of all messages that the other end has."""

    def add(self, items: Iterable[Item], *, later: bool = False) -> None:
        """Messages to send, in order; `later`: those that others may overtake, in order among themselves."""
        (self._later if later else self._soon).append(iter(items))

    def take(self) -> Item | None:
        """The next message to put on the wire, numbered; None: there is none, or enough on its way."""
        if self._again:
            number, item = self._kept[len(self._kept) - self._again]
            self._again -= 1
            return self._numbered(number, item)
        if self._on_the_way >= self._window or (item_ := self._next()) is None:
            return None
        self._sent += 1
        self._kept.append((self._sent, item_))
        self._on_the_way += _size(item_)
        return self._numbered(self._sent, item_)

    def came(self, head: Mapping[str, Any], size: int = 0) -> bool:
        """Whether a numbered message is new and to be handled; raises Lost, or WireError when it makes no sense."""
        number, got = head.get("n"), head.get("got")
        if type(number) is not int or number < 1:
            raise WireError(f"found a message numbered {number!r:.40}, expected a number from 1")
        self.heard(got)
        if number > self.got + 1:
            raise Lost(f"found message {number}, expected {self.got + 1}")
        if number <= self.got:
            return False
        self.got = number
        self._since_told += size + HEAD
        return True

    def heard(self, got: object) -> None:
        """The other end has all messages up to `got`; raises WireError when it cannot."""
        if type(got) is not int or not 0 <= got <= self._sent:
            raise WireError(f"found {got!r:.40} as the last message that came, expected one of {self._sent}")
        while self._kept and self._kept[0][0] <= got:
            size = _size(self._kept.popleft()[1])
            self._on_the_way -= size
            self.acknowledged_bytes += size
        self._again = min(self._again, len(self._kept))

    def resume(self, got: object) -> int:
        """The link is back, and the other end has all up to `got`: the others go out again, in order; how many."""
        self.heard(got)
        self._again = len(self._kept)
        self._told = -1
        return self._again

    @property
    def owes(self) -> bool:
        """Whether enough came for the other end to be told now, if no message of ours tells it by the way."""
        return self._since_told >= ACK_BYTES

    @property
    def untold(self) -> bool:
        """Whether anything came that the other end was not told of."""
        return self._told != self.got

    def told(self) -> int:
        """The number to tell the other end, which from now on counts as told."""
        self._told, self._since_told = self.got, 0
        return self.got

    @property
    def empty(self) -> bool:
        """Whether all that was added has come to the other end."""
        return not (self._kept or self._soon or self._later)

    @property
    def waiting(self) -> int:
        """Messages that the other end has not acknowledged, and iterators of such that were not sent yet."""
        return len(self._kept) + len(self._soon) + len(self._later)

    @property
    def kept_bytes(self) -> int:
        """What is on its way, or has to be sent again."""
        return self._on_the_way

    def _numbered(self, number: int, item: Item) -> Item:
        head, payload = item
        return {**head, "n": number, "got": self.told()}, payload

    def _next(self) -> Item | None:
        while self._soon or self._later:
            self._turn += 1
            waits = self._later if self._later and (not self._soon or self._turn % SHARE == 0) else self._soon
            item = next(waits[0], None)
            if item is not None:
                return item
            waits.popleft()
        return None


def _size(item: Item) -> int:
    return HEAD + (0 if item[1] is None else len(item[1]))
