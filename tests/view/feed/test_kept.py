"""What the feed keeps of each place."""

from __future__ import annotations

from types import MappingProxyType

import numpy as np
import pytest

from onscope.runtime import Frame, FrameId, Result, Stamps
from onscope.view.feed import _kept
from onscope.view.feed._kept import Kept
from onscope.view.feed._wants import Want

ANY = Want("", {}, "raw")
PLACES = 10


def result(seq: int, **index: int) -> Result:
    frame = Frame(FrameId("run", "cam", 0, seq), np.full((4, 5), seq, np.uint16), "yx", {"t": 0, **index})
    return Result((frame,), MappingProxyType({}), Stamps(0, 0, 0, 0, 0, {}, 0, 0), {})


def at(place: int) -> Want:
    return Want("", {"p": place}, "raw")


def filled(shown: list[Want], rounds: int = 2) -> Kept:
    """Results 1 to 10 of places 0 to 9, and 11 to 20 of them again."""
    kept = Kept()
    for number in range(rounds * PLACES):
        kept.add(number + 1, result(number, p=number % PLACES), shown)
    return kept


def numbers(kept: Kept, wants: list[Want]) -> list[int]:
    """What is given until there is nothing more."""
    found = []
    while (best := kept.best(wants)) is not None:
        number, given = best
        assert (given.frame.pixels == number - 1).all()
        found.append(number)
    return found


def test_a_place_that_is_looked_at_keeps_its_newest() -> None:
    kept = filled([at(3), at(7)])
    assert sorted(numbers(kept, [at(3), at(7)])) == [14, 18]
    kept.give_again()
    assert numbers(kept, [at(7)]) == [18]


def test_who_takes_any_gets_the_newest_alone() -> None:
    kept = filled([at(3), ANY])
    assert numbers(kept, [ANY]) == [20]
    assert numbers(kept, [ANY, at(3)]) == [14]


def test_nothing_is_copied_for_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Result, "copied", lambda self: pytest.fail("copied"))
    kept = filled([])
    assert sorted(numbers(kept, [at(place) for place in range(PLACES)])) == [19, 20]


def test_what_the_server_has_is_not_copied(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Result, "copied", lambda self: pytest.fail("copied"))
    kept = Kept()
    for number in range(PLACES):
        kept.add(number + 1, result(number, p=number), [at(number)])
        assert kept.best([at(number)]) is not None


def test_places_take_turns_however_the_asking_falls() -> None:
    wants = [at(place) for place in range(3)]
    kept, given = Kept(), []
    for number in range(30):
        kept.add(number + 1, result(number, p=number % 3), wants)
        if number % 3 == 2:  # always after the same place
            best = kept.best(wants)
            assert best is not None
            given.append((best[0] - 1) % 3)
    assert {given.count(place) for place in range(3)} <= {3, 4}


def test_copies_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_kept, "MOST_BYTES", 5 * 40)  # five frames of 4 x 5 of two bytes
    wants = [at(place) for place in range(PLACES)]
    assert sorted(numbers(filled(wants), wants)) == list(range(14, 21))
    monkeypatch.undo()
    assert sorted(numbers(filled(wants), wants)) == list(range(11, 21))
