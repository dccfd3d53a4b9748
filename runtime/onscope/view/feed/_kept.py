"""The newest result of each place, so that a viewer of one does not lose it because another place came after."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence

from onscope.runtime import Result

from ._board import arrays_of
from ._wants import Place, Want, place_of

HELD = 2
"""Places whose newest result stands in the run's own memory, which lends four; of others there are copies."""
MOST_BYTES = 256 << 20
"""Of copies; the oldest go first."""
SHARE = 0.05
"""Of the time, for copies of places that nobody looks at now."""


class Kept:
    """Results by place. Of the feed, with its lock held."""

    def __init__(self) -> None:
        self._held: OrderedDict[Place, tuple[int, Result]] = OrderedDict()
        self._copies: OrderedDict[Place, tuple[int, Result]] = OrderedDict()
        self._given: dict[Place, int] = {}
        """The number of the result of each place that the server has."""
        self._bytes = 0
        self._free_s = 0.0
        """From when on a copy may be made that nobody asked for."""

    def add(self, number: int, result: Result, shown: Sequence[Want]) -> None:
        """Keep a result, numbered upwards. `shown`: what viewers look at now; for none, nothing is copied."""
        place = place_of(result)
        self._drop(place)
        self._held[place] = number, result
        self._held.move_to_end(place)
        while len(self._held) > HELD:
            old, (its, evicted) = self._held.popitem(last=False)
            if shown and self._given.get(old) != its:
                self._copy(old, its, evicted, shown)

    def best(self, wants: Iterable[Want]) -> tuple[int, Result] | None:
        """Of the newest results of all that is wanted, the one whose place has waited longest; taken as given."""
        found: dict[Place, tuple[int, Result]] = {}
        for want in wants:
            newest = next((each for each in self._newest_first() if want.takes(each[1])), None)
            if newest is not None and self._given.get(place := place_of(newest[1])) != newest[0]:
                found[place] = newest
        if not found:
            return None
        place = min(found, key=lambda each: (self._given.get(each, 0), -found[each][0]))
        self._given[place] = found[place][0]
        return found[place]

    def give_again(self) -> None:
        """The server is another one, and has nothing."""
        self._given.clear()

    def clear(self) -> None:
        """Keep nothing more."""
        self._held.clear()
        self._copies.clear()
        self._bytes = 0

    def _newest_first(self) -> Iterator[tuple[int, Result]]:
        yield from reversed(self._held.values())
        yield from reversed(self._copies.values())

    def _copy(self, place: Place, number: int, result: Result, shown: Iterable[Want]) -> None:
        began = time.monotonic()
        held = [each for _, each in self._held.values()]
        needed = any(want.takes(result) and not any(map(want.takes, held)) for want in shown)
        if not needed and began < self._free_s:
            return
        self._copies[place] = number, result.copied()
        self._bytes += _size(result)
        while self._bytes > MOST_BYTES:
            self._drop(next(iter(self._copies)))
        now = time.monotonic()
        self._free_s = max(self._free_s, now + (now - began) / SHARE)

    def _drop(self, place: Place) -> None:
        if place in self._copies:
            self._bytes -= _size(self._copies.pop(place)[1])


def _size(result: Result) -> int:
    return sum(array.nbytes for _, array in arrays_of(result))
