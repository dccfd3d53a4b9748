"""The documented rule files do what they say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from onscope.runtime.feedback import (
    Autofocus,
    Burst,
    Illuminate,
    Mark,
    Notify,
    Recentre,
    ScaleExposure,
    Seen,
    SetInterval,
    Stop,
    Tiles,
)
from onscope.runtime.feedback.rules import RuleBook

from .worlds import seen

EXAMPLES = Path(__file__).resolve().parents[3] / "docs" / "examples" / "rules"
METAPHASE = 1


def asked(book: RuleBook, one: Seen) -> list[tuple[str, object, int]]:
    """Rule, what is asked for, and of which track."""
    proposals = book.propose(one)
    assert book.failures == []
    return [(each.rule, each.asked, each.target.track if each.target else 0) for each in proposals]


def test_mitosis_triggers_fast_imaging_once_in_five_minutes_for_each_cell() -> None:
    book = RuleBook.load(EXAMPLES / "mitosis.yaml")
    burst = ("metaphase", Burst(60, 500.0), 7)
    dividing: list[dict[str, Any]] = [{"track": 3}, {"track": 7, "class": METAPHASE, "score": 0.93}]
    assert asked(book, seen(0, dividing)) == []  # 1 of 3
    assert asked(book, seen(1, [{"track": 3}, {"track": 7}])) == []
    assert asked(book, seen(2, dividing)) == [burst]  # 2 of 3
    assert asked(book, seen(3, dividing)) == []  # five minutes have not passed
    cut_off = {"track": 8, "class": METAPHASE, "score": 0.99, "touches_border": True}
    other = [*dividing, {"track": 9, "class": METAPHASE, "score": 0.81}, cut_off]
    assert asked(book, seen(4, other)) == []
    assert asked(book, seen(5, other)) == [("metaphase", Burst(60, 500.0), 9)]
    assert asked(book, seen(6, dividing, at_s=2 + 299)) == []
    assert asked(book, seen(7, dividing, at_s=2 + 300)) == [burst]


def test_what_was_asked_for_says_why() -> None:
    book = RuleBook.load(EXAMPLES / "mitosis.yaml")
    dividing = [{"track": 7, "class": METAPHASE, "score": 0.93, "y": 20.0, "x": 30.0, "label": 4}]
    book.propose(seen(0, dividing))
    (proposal,) = book.propose(seen(1, dividing))
    assert proposal.because == (
        "track 7 of phase: class is metaphase and score 0.93 is above 0.8 and cells.touches_border is false, "
        "in 2 of the last 3 frames"
    )
    assert proposal.values == {"class": 1.0, "score": pytest.approx(0.93), "cells.touches_border": 0.0}
    assert proposal.target is not None
    assert (proposal.target.label, proposal.target.y, proposal.target.x) == (4, 20.0, 30.0)
    assert proposal.models == {"phase": "abc"}
    assert (proposal.priority, proposal.frame.seq) == (10, 1)
    assert proposal.proposed_ns > proposal.received_ns


def test_the_largest_cell_is_followed_until_it_is_lost() -> None:
    book = RuleBook.load(EXAMPLES / "follow.yaml")
    cells = [
        {"track": 1, "area": 50.0},
        {"track": 2, "area": 90.0},
        {"track": 3, "area": 200.0, "touches_border": True},
    ]
    recentre = Recentre(0.7, 1.0)
    assert asked(book, seen(0, cells)) == [("follow", recentre, 2)]
    grown = [{"track": 1, "area": 500.0}, cells[2], {"track": 2, "area": 20.0}]
    assert asked(book, seen(1, grown)) == [("follow", recentre, 2)]
    assert asked(book, seen(2, grown[:2])) == []  # it may come back
    assert asked(book, seen(3, grown)) == [("follow", recentre, 2)]
    assert asked(book, seen(4, grown[:2])) == []
    assert asked(book, seen(5, grown[:2])) == []
    assert asked(book, seen(6, grown[:2])) == [("follow", recentre, 1), ("lost", Mark("track 2 is lost"), 2)]


def test_a_followed_cell_is_the_same_after_each_move_of_the_stage() -> None:
    """Tracks begin anew whenever the stage has moved; the cell is then where it was on the stage."""
    book = RuleBook.load(EXAMPLES / "follow.yaml")
    assert asked(book, seen(0, [{"track": 1, "x": 60.0}, {"track": 2, "x": 200.0, "area": 150.0}]))[0][2] == 2
    # 30 um to the right: what was at 200 is at 140; the larger cell that comes into view is another one.
    moved = [{"track": 3, "x": 140.0}, {"track": 4, "x": 250.0, "area": 300.0}]
    assert asked(book, seen(1, moved, stage_um=(30.0, 0.0, 0.0)))[0][2] == 3
    again = [{"track": 5, "x": 220.0, "area": 300.0}, {"track": 6, "x": 112.0}]
    assert asked(book, seen(2, again, stage_um=(45.0, 0.0, 0.0)))[0][2] == 6


def test_chosen_cells_are_stimulated_once_each() -> None:
    book = RuleBook.load(EXAMPLES / "stimulate.yaml")
    light = Illuminate("nuclei", "LED", 2.0, 500.0, -0.5)
    cells = [
        {"track": 1, "x": 10.0},
        {"track": 2, "x": 200.0},
        {"track": 3, "x": 90.0, "area": 20.0},
        {"track": 4, "x": 127.0, "area": 500.0},
    ]
    assert asked(book, seen(0, cells)) == [("stimulate", light, 1), ("stimulate", light, 4)]
    assert asked(book, seen(1, cells)) == []
    cells[1]["x"] = 120.0
    assert asked(book, seen(2, cells)) == [("stimulate", light, 2)]
    # The exposure was changed: tracks begin anew, and no cell is lit twice.
    fresh = [one | {"track": number + 10} for number, one in enumerate(cells)]
    assert asked(book, seen(3, fresh, segment=1, seq=0)) == []
    assert book.limits.power_mw == {"LED": 3.0}
    assert book.limits.object_j_cm2 == 5.0


def test_more() -> None:
    book = RuleBook.load(EXAMPLES / "more.yaml")
    numbers = {"frame.sharpness": 1.0, "frame.signal": 1500.0, "denoise.suspicion": 0.2}
    for number in range(6):
        assert asked(book, seen(number, [], numbers=numbers)) == []
    for number in range(6, 8):
        assert asked(book, seen(number, [], numbers=numbers | {"frame.sharpness": 0.6})) == []
    blurred = seen(8, [], numbers=numbers | {"frame.sharpness": 0.8})  # until it is above 0.9 again
    assert asked(book, blurred) == [("focus", Autofocus(12.0, 0.5), 0)]
    dim = seen(9, [], numbers=numbers | {"frame.signal": 1100.0})
    assert asked(book, dim) == [("exposure", ScaleExposure(1100.0, 1500.0, 0.7, 1.5), 0)]
    assert asked(book, seen(10, [], numbers=numbers | {"frame.signal": 1400.0})) == []  # 10 s have not passed
    assert asked(book, seen(20, [], numbers=numbers | {"frame.signal": 740.0})) == [
        ("exposure", ScaleExposure(740.0, 1500.0, 0.7, 1.5), 0),
        ("bleached", SetInterval(60.0), 0),
        ("bleached", Notify("bench", "signal 740, imaging every minute from now on"), 0),
    ]
    pairs = [{"track": 100 + one, "parent": 1 + one // 2} for one in range(100)]
    stop, tiles = ("enough", Stop("50 divisions were seen"), 0), ("crowded", Tiles(3, 3, 0.1), 0)
    assert asked(book, seen(21, pairs, numbers=numbers)) == [stop]
    large = [one | {"area": 300.0} for one in pairs]
    assert asked(book, seen(22, large, numbers=numbers | {"denoise.suspicion": 2.0})) == []
    assert asked(book, seen(23, large, numbers={})) == []  # nobody knows whether it is to be believed
    assert asked(book, seen(24, large, numbers=numbers)) == [tiles]
    assert book.targets == {"bench": ("http://127.0.0.1:8765/onscope",)}
