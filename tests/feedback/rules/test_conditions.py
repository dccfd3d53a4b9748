"""What conditions say of objects, frames, tracks and places."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onscope.runtime.feedback import Seen
from onscope.runtime.feedback.aim import AimSettings
from onscope.runtime.feedback.rules import RuleBook

from .worlds import seen

HEAD = "schema: 1\n"
REGIONS = """regions:
  box: {units: pixels, x: [10, 20], y: [0, 50]}
  band: {units: share, y: [0, 0.5]}
  disk: {units: share, circle: {x: 0.5, y: 0.5, radius: 0.25}}
  there: {units: stage_um, x: [1000, 1010]}
  triangle: {units: pixels, corners: [[0, 0], [100, 0], [0, 100]]}
"""


def book_of(when: str, each: str | None = "cells", more: str = "") -> RuleBook:
    head = "" if each is None else f"    each: {each}\n"
    return RuleBook.from_text(f"{HEAD}rules:\n  test:\n{head}    when: {when}\n    then: [resume]\n{more}")


def fired(book: RuleBook, one: Seen) -> list[int]:
    proposals = book.propose(one)
    assert book.failures == []
    return [each.target.track if each.target else 0 for each in proposals]


ROWS: list[dict[str, Any]] = [
    {"track": 1, "area": 50.0, "class": 0, "score": 0.9, "x": 15.0, "y": 20.0},
    {"track": 2, "area": 150.0, "class": 1, "score": 0.4, "x": 128.0, "y": 128.0},
    {"track": 3, "area": np.nan, "class": 1, "score": 0.95, "x": 250.0, "y": 250.0},
]


@pytest.mark.parametrize(
    ("when", "tracks"),
    [
        ("{area: {above: 50}}", [2]),
        ("{area: {at_least: 50}}", [1, 2]),
        ("{area: {below: 150}}", [1]),
        ("{area: {above: 40, at_most: 100}}", [1]),
        ("{area: 150}", [2]),
        ("{area: [50, 150]}", [1, 2]),
        ("{not: {area: {above: 100}}}", [1]),  # of the third it is not known
        ("{any: [{area: {above: 100}}, {phase.score: {above: 0.9}}]}", [2, 3]),
        ("{all: [{area: {above: 10}}, {phase.score: {above: 0.5}}]}", [1]),
        ("{not: {any: [{area: {above: 100}}, {phase.score: {above: 0.5}}]}}", []),
        ("{phase.class: metaphase}", [2, 3]),
        ("{phase.class: [interphase, metaphase]}", [1, 2, 3]),
        ("{tracks.track: 3}", [3]),
        ("{track: {at_most: 2}}", [1, 2]),
        ("{inside: box}", [1]),
        ("{outside: box}", [2, 3]),
        ("{inside: [box, disk]}", [1, 2]),
        ("{inside: band, not: {inside: box}}", []),
        ("{inside: triangle}", [1]),
        ("{from_middle_px: {below: 10}}", [2]),
        ("{count: {of: cells, where: {area: {above: 10}}, is: 2}}", [1, 2, 3]),
        ("{count: {of: cells, is: 3}, area: 50}", [1]),
        ("{share: {of: phase, where: {class: metaphase}, above: 0.6}}", [1, 2, 3]),
        ("{mean: {of: cells, column: area, is: 100}}", [1, 2, 3]),
        ("{median: {of: cells, column: phase.score, is: 0.9}}", []),  # float32's 0.9 is another number
        ("{highest: {of: phase, column: score, above: 0.94}}", [1, 2, 3]),
        ("{lowest: {of: cells, where: {phase.class: metaphase}, column: area, is: 150}}", [1, 2, 3]),
        ("{sum: {of: cells, column: area, at_least: 200}}", [1, 2, 3]),
        ("{frame.mean: {above: 5}}", [1, 2, 3]),
        ("{frame.p1: {above: 5}}", []),  # nobody measured it
        ("{not: {frame.p1: {above: 5}}}", []),
        ("{frame.x_um: 0, frame.exposure_ms: 10}", [1, 2, 3]),
        ("{denoise.bias: {above: 0.1}}", [1, 2, 3]),
        ("{denoise.whiteness_y: {below: 0}}", [1, 2, 3]),
        ("{denoise.suspect: false}", [1, 2, 3]),
    ],
)
def test_conditions_on_one_result(when: str, tracks: list[int]) -> None:
    trust = {"denoise": {"bias": 0.2, "whiteness y": -0.1}}
    one = seen(0, ROWS, numbers={"frame.mean": 7.0}, trust=trust)
    assert fired(book_of(when, more=REGIONS), one) == tracks


def test_regions_of_the_stage_lie_where_the_camera_says() -> None:
    rows = [{"track": 1, "x": 127.5 + 8}, {"track": 2, "x": 127.5 - 8}]
    stage = (1002.0, 0.0, 0.0)  # 8 pixels are 4 um
    book = book_of("{inside: there}", more=REGIONS)
    assert fired(book, seen(0, rows, stage_um=stage)) == [1]
    flipped = book_of("{inside: there}", more=REGIONS + "camera: {flip_x: true}\n")
    assert flipped.aim == AimSettings(flip_x=True)
    assert fired(flipped, seen(0, rows, stage_um=stage)) == [2]
    assert fired(book, seen(1, rows, stage_um=None)) == []


def walk(book: RuleBook, ways: dict[int, list[float | None]], **told: Any) -> list[list[int]]:
    """Tracks that fire in each of some results; `ways` are x of each in pixels of 0.5 um, a second apart."""
    answers = []
    for number in range(max(map(len, ways.values()))):
        rows = [
            {"track": track, "x": way[number]}
            for track, way in ways.items()
            if number < len(way) and way[number] is not None
        ]
        answers.append(fired(book, seen(number, rows, **told)))
    return answers


def test_speeds_and_ways_are_in_micrometres_of_the_stage() -> None:
    ways: dict[int, list[float | None]] = {1: [10.0, 20.0, 20.0, 60.0], 2: [10.0, None, 50.0, 10.0]}
    assert walk(book_of("{speed_um_s: {at_least: 5}}"), ways) == [[], [1], [2], [1, 2]]
    assert walk(book_of("{speed_um_s: {above: 10}}"), ways) == [[], [], [], [1, 2]]
    assert walk(book_of("{travelled_um: {at_least: 25}}"), ways) == [[], [], [], [1, 2]]
    assert walk(book_of("{displaced_um: {at_least: 20}}"), ways) == [[], [], [2], [1]]
    assert walk(book_of("{age_frames: {at_least: 2}}"), ways) == [[], [], [1, 2], [1, 2]]
    unknown = walk(book_of("{any: [{speed_um_s: {above: 0}}, {travelled_um: {at_least: 0}}]}"), ways, pixel_um=None)
    assert unknown == [[], [], [], []]


def test_a_moved_stage_is_no_speed_of_cells() -> None:
    book = book_of("{speed_um_s: {above: 0.5}}")
    assert fired(book, seen(0, [{"track": 1, "x": 100.0}])) == []
    assert fired(book, seen(1, [{"track": 2, "x": 60.0}], stage_um=(20.0, 0.0, 0.0))) == []
    assert fired(book, seen(2, [{"track": 2, "x": 70.0}], stage_um=(20.0, 0.0, 0.0))) == [2]


def test_what_is_new_gone_and_lost() -> None:
    ways: dict[int, list[float | None]] = {
        1: [10.0, 10.0, 10.0, 10.0, 10.0, 10.0, 10.0],
        2: [30.0, 30.0, None, None, None, None, 30.0],
        3: [None, 50.0, 50.0, 50.0, 50.0, 50.0, 50.0],
    }
    assert walk(book_of("{new: true}"), ways) == [[], [3], [], [], [], [], []]
    assert walk(book_of("{gone_frames: {at_least: 2}}"), ways) == [[], [], [], [2], [2], [2], []]
    assert walk(book_of("{lost: true}"), ways) == [[], [], [], [], [2], [], []]
    assert walk(book_of("{lost: true}", more="lost_after_frames: 1\n"), ways) == [[], [], [2], [], [], [], []]
    lost = "{lost_tracks: {of: tracks, at_least: 1}}"
    assert walk(book_of(lost, None), ways) == [[], [], [], [], [0], [0], [0]]
    new = "{new_tracks: {of: tracks, at_least: 1}}"
    assert walk(book_of(new, None), ways) == [[], [0], [0], [0], [0], [0], [0]]


def test_divisions_are_counted_at_all_positions_together() -> None:
    book = book_of("{divisions: {of: tracks, at_least: 2}}", None)
    mother, daughters = [{"track": 1}], [{"track": 2, "parent": 1}, {"track": 3, "parent": 1}]
    assert fired(book, seen(0, mother, index={"p": 0})) == []
    assert fired(book, seen(1, daughters, index={"p": 0})) == []
    assert fired(book, seen(2, [{"track": 2}, {"track": 3}], index={"p": 0})) == []
    assert fired(book, seen(3, [{"track": 4}], index={"p": 1})) == []
    assert fired(book, seen(4, [{"track": 5, "parent": 4}, {"track": 6, "parent": 4}], index={"p": 1})) == [0]


def test_daughters_are_told_when_they_are_born_and_their_mother_is_not_lost() -> None:
    shown = [
        [{"track": 1}],
        [{"track": 2, "parent": 1}, {"track": 3, "parent": 1}],
        *[[{"track": 2}, {"track": 3}]] * 4,
    ]
    book = book_of("{daughter: true}")
    assert [fired(book, seen(number, rows)) for number, rows in enumerate(shown)] == [[], [2, 3], [], [], [], []]
    book = book_of("{lost: true}")
    assert [fired(book, seen(number, rows)) for number, rows in enumerate(shown)] == [[]] * 6


@pytest.mark.parametrize(
    ("pick", "track"),
    [
        ("largest", 2),
        ("smallest", 1),
        ("nearest the middle", 2),
        ("highest phase.score", 3),
        ("lowest phase.score", 2),
        ("oldest", 1),
    ],
)
def test_one_object_is_picked(pick: str, track: int) -> None:
    head = f"schema: 1\nrules:\n  test:\n    each: tracks\n    pick: {pick}\n    then: [recentre]\n"
    assert fired(RuleBook.from_text(head), seen(0, ROWS)) == [track]


def test_of_a_picked_cell_that_divides_a_daughter_is_picked() -> None:
    head = "schema: 1\nrules:\n  test:\n    each: tracks\n    pick: largest\n    then: [recentre]\n"
    book = RuleBook.from_text(head)
    assert fired(book, seen(0, [{"track": 1, "area": 90.0}, {"track": 2, "area": 50.0}])) == [1]
    divided = [
        {"track": 2, "area": 95.0},
        {"track": 3, "area": 40.0, "parent": 1},
        {"track": 4, "area": 45.0, "parent": 1},
    ]
    assert fired(book, seen(1, divided)) == [4]
    assert fired(book, seen(2, [{"track": 2, "area": 95.0}, {"track": 3, "area": 80.0}, {"track": 4}])) == [4]


def test_several_objects_are_lit_together() -> None:
    text = (
        "schema: 1\nrules:\n  test:\n    each: cells\n    when: {area: {above: 10}}\n"
        "    together: true\n    once: per object\n"
        "    then:\n      - illuminate: {labels: nuclei, light: LED, power_mw: 1, duration_ms: 10}\n"
    )
    book = RuleBook.from_text(text)
    (proposal,) = book.propose(seen(0, ROWS))
    assert proposal.target is not None
    assert proposal.target.values["labels"] == (1, 2)
    assert proposal.target.values["tracks"] == (1, 2)
    assert book.propose(seen(1, ROWS)) == []


def test_priorities_come_first_and_rules_keep_their_order() -> None:
    text = (
        HEAD
        + "rules:\n"
        + "".join(
            f"  {name}: {{then: [{{mark: {{words: {name}}}}}], priority: {priority}}}\n"
            for name, priority in (("a", 0), ("b", 5), ("c", 0), ("d", -1), ("e", 5))
        )
    )
    assert [each.rule for each in RuleBook.from_text(text).propose(seen(0))] == ["b", "e", "a", "c", "d"]


def test_rules_look_at_the_frames_that_they_name() -> None:
    text = HEAD + "rules:\n  gfp: {channel: GFP, then: [resume]}\n  second: {position: [1, B2], then: [resume]}\n"
    book = RuleBook.from_text(text)
    told = [({"c": 1}, {"c": "GFP"}), ({"p": 1}, {}), ({"p": 4}, {"p": "B2"}), ({}, {})]
    answers = [[each.rule for each in book.propose(seen(0, index=i, labels=n))] for i, n in told]
    assert answers == [["gfp"], ["second"], ["second"], []]


def test_a_stage_that_does_not_run_on_a_frame_changes_nothing() -> None:
    book = book_of("{phase.score: {above: 0.5}}")
    assert fired(book, seen(0)) == []
    assert fired(book, seen(1, ROWS)) == [1, 3]


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.permutations([0, 1, 2, 3, 4]), st.integers(0, 5))
def test_rows_of_other_tables_are_found_by_their_row(order: list[int], kept: int) -> None:
    rows = [{"track": number + 1, "score": number / 10, "area": 10.0 * number} for number in range(5)]
    one = seen(0, rows)
    tables = dict(one.tables)
    tables["phase"] = tables["phase"][order][:kept]
    tables["tracks"] = tables["tracks"][order]
    one = seen(0, tables=tables)
    expected = [number + 1 for number in range(5) if number in order[:kept] and number >= 2]
    assert fired(book_of("{phase.score: {above: 0.15}}"), one) == expected
    behind = [number + 1 for number in order[:kept] if number >= 3]
    assert fired(book_of("{cells.area: {at_least: 30}}", "phase"), one) == behind


@pytest.mark.parametrize("labels", [{"action": "burst"}, {"p": "burst 7"}, {"p": "visit 12"}, {"p": "visit 3 tile 0"}])
def test_frames_of_actions_set_nothing_off_unless_it_is_wished(labels: dict[str, str]) -> None:
    book = book_of("{area: {above: 60}}")
    assert fired(book, seen(0, ROWS)) == [2]
    assert fired(book, seen(1, ROWS, labels=labels)) == []
    wished = RuleBook.from_text("schema: 1\nrules:\n  a: {each: cells, action_frames: true, then: [resume]}\n")
    assert fired(wished, seen(1, ROWS, labels=labels)) == [1, 2, 3]
    assert fired(book, seen(2, ROWS, labels={"p": "bursting"})) == [2]
