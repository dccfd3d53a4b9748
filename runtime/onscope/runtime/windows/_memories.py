"""Whose memory a recurrent network goes on with, as far as the acquisition knows: one of a bounded number of places."""

from __future__ import annotations

from collections import OrderedDict

from ._places import Place


class Memories:
    """Numbers of the worker's memories, given to places as their windows are sent.

    A memory goes on with the window that follows the last one it has seen. `holds`: also after a gap. When there are
    more than `most` places, the one whose window was sent longest ago begins anew.
    """

    def __init__(self, most: int, *, holds: bool) -> None:
        self._most = most
        self._holds = holds
        self._seen: OrderedDict[Place, tuple[int, int, int]] = OrderedDict()

    def of(self, place: Place, life: int, turn: int, after_gap: bool) -> tuple[int, bool]:
        """The memory for window `turn` of a place, which is being sent, and whether it begins anew."""
        seen = self._seen.pop(place, None)
        if seen is None:
            taken = {number for number, *_ in self._seen.values()}
            if len(taken) == self._most:
                number = self._seen.popitem(last=False)[1][0]
            else:
                number = next(number for number in range(self._most) if number not in taken)
            reset = True
        else:
            number, last_life, last_turn = seen
            follows = turn == last_turn + 1 and not after_gap
            reset = life != last_life or not (follows or self._holds)
        self._seen[place] = number, life, turn
        return number, reset

    def forget(self, place: Place, turn: int | None = None) -> None:
        """Its memory has seen a window that failed, `turn` of the place (None: it may not have seen it).

        The worker then forgets it too. Where the next window was already sent, it has begun anew with that one, and
        goes on from there: whether the news of a failure came before or after makes no difference.
        """
        if turn is None or (place in self._seen and self._seen[place][2] == turn):
            self._seen.pop(place, None)

    def clear(self) -> None:
        """All memories are gone."""
        self._seen.clear()
