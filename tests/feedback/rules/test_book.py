"""Books of rules: Python rules, rules that fail, hostile files and data, and how much they remember."""

from __future__ import annotations

import math
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from onscope.runtime._errors import OnscopeError, RuleError
from onscope.runtime.feedback import KINDS, WISHES, Action, Mark, MoveStage, Proposal, Recentre, Target, Wish
from onscope.runtime.feedback.rules import RuleBook
from onscope.runtime.feedback.rules._then_model import ASKED

from .worlds import seen

PYTHON = '''
"""Rules of mine."""
from dataclasses import dataclass

from onscope.runtime.feedback import Burst, Mark, Proposal, Recentre, Target
from onscope.runtime.feedback.rules import rule


@dataclass
class Memory:
    results: int = 0


memory = Memory()


@rule(name="counting", priority=3, cooldown_s=2.5, numbers=["frame.p99"])
def count(seen):
    """Every result is worth a word."""
    memory.results += 1
    yield Mark(f"{memory.results} at {seen.numbers.get('frame.p99', 0):.0f}")


@rule()
def follow(seen):
    for row in seen.tables.get("tracks", ()):
        yield Recentre(), Target(0, int(row["track"]), float(row["y"]), float(row["x"]), {"age": 3, "of": "me"})


@rule(priority=9)
def whole(seen):
    words = "since I say so"
    return [Proposal("whatever", Burst(2), words, seen.frame.id, 1, 2, priority=50)] if seen.number == 2 else []
'''


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    path = tmp_path / "mine.py"
    path.write_text(PYTHON)
    return path


def test_python_rules_are_asked_as_those_of_files_are(mine: Path) -> None:
    book = RuleBook.load(mine)
    assert (book.name, [each.name for each in book.rules]) == ("mine", ["counting", "follow", "whole"])
    assert book.needs.numbers == {"frame.p99"}
    first = book.propose(seen(0, [{"track": 5, "y": 3.0, "x": 4.0}], numbers={"frame.p99": 80.0}))
    assert [each.rule for each in first] == ["counting", "follow"]
    assert first[0].asked == Mark("1 at 80")
    assert first[0].because == "Every result is worth a word."
    assert first[1].target == Target(0, 5, 3.0, 4.0, {"age": 3, "of": "me"})
    assert first[1].values == {"age": 3.0}
    assert first[1].models == {"phase": "abc"}
    assert book.propose(seen(1)) == []
    (one,) = book.propose(seen(2))
    assert (one.rule, one.because, one.priority) == ("whole", "since I say so", 50)
    assert [each.rule for each in book.propose(seen(3))] == ["counting"]
    book.refused("counting", seen(3).frame.id)  # its cooldown of 2.5 s is one of 1 s now
    assert [each.rule for each in book.propose(seen(4))] == ["counting"]
    assert book.propose(seen(5)) == []
    assert book.failures == []


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("x = 1", "found no rule in"),
        ("1 / 0", "raises ZeroDivisionError: division by zero"),
        ("def f(:", "raises SyntaxError"),
        ("from onscope.runtime.feedback.rules import rule\n@rule(cooldown_s=-1)\ndef f(seen): ...", "cooldown of -1 s"),
    ],
)
def test_python_files_that_are_no_rules_are_told(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "mine.py"
    path.write_text(text)
    with pytest.raises(RuleError, match=told):
        RuleBook.load(path)
    with pytest.raises(RuleError, match="found no Python file"):
        RuleBook.from_python(tmp_path / "nowhere.py")


def test_a_rule_that_raises_is_left_out_of_the_result_and_in_the_end_for_good(tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text(
        "from onscope.runtime.feedback import Mark\nfrom onscope.runtime.feedback.rules import rule\n"
        "@rule()\ndef wrong(seen):\n    yield Mark('half')\n"
        "    if seen.number in (1, 2, 4, 5, 6): raise OSError('no')\n"
        "@rule()\ndef odd(seen): return [7] if seen.number == 0 else None\n"
        "@rule()\ndef right(seen): return [Mark('fine')]\n"
    )
    book = RuleBook.load(path)
    told = []
    for number in range(9):
        rules = [each.rule for each in book.propose(seen(number))]
        assert rules == (["wrong", "right"] if number in (0, 3) else ["right"])
        told.append(book.failures)
    assert told[0] == ["rule odd: found int, expected actions, wishes, pairs of one and a Target, or Proposals."]
    assert told[1] == told[2] == told[4] == told[5] == ["rule wrong: OSError: no."]
    assert told[6] == ["rule wrong: OSError: no. It failed three times in a row and is left out from now on."]
    assert told[7] == told[8] == told[3] == []
    assert book.disabled == ["wrong"]


def test_a_column_that_is_not_there_is_told() -> None:
    book = RuleBook.from_text("schema: 1\nrules:\n  a: {each: cells, when: {colour: 3}, then: [resume]}\n")
    for _ in range(3):
        assert book.propose(seen(0, [{}])) == []
        assert "found no value 'colour' of the stage 'cells'" in book.failures[0]
    assert book.disabled == ["a"]


def test_a_value_that_is_not_known_is_asked_for_nowhere() -> None:
    text = "schema: 1\nrules:\n  a: {then: [{scale_exposure: {value: frame.p99, target: 5}}]}\n"
    book = RuleBook.from_text(text)
    assert book.propose(seen(0, numbers={"frame.p99": math.nan})) == []
    assert book.failures == [
        "rule a: found frame.p99 nan, expected a finite number for scale_exposure: nothing is asked for."
    ]


def test_every_kind_can_be_written() -> None:
    assert set(ASKED) == {*KINDS, *WISHES} - {"project"}
    each = (
        "{move_stage: {x_um: 1, y_um: 2}}, {visit: {places: [[1, 2], [3, 4]], stay: true}}, {pause: {duration_s: 3}}, "
    )
    each += "{stack: {planes: 3, step_um: 1}}, {set_power: {light: LED, power_mw: frame.p50}}, pause, resume, stop"
    book = RuleBook.from_text(f"schema: 1\nrules:\n  a: {{then: [{each}]}}\n")
    asked = [proposal.asked for proposal in book.propose(seen(0, numbers={"frame.p50": 7.5}))]
    assert asked[0] == MoveStage(1.0, 2.0)
    assert asked[1].places == ((1.0, 2.0), (3.0, 4.0))  # type: ignore[union-attr]
    assert asked[4].power_mw == 7.5  # type: ignore[union-attr]
    assert len(asked) == 8


GOOD = """schema: 1
rules:
  one:
    each: cells
    when:
      area: {above: 5}
    then:
      - recentre: {damping: 0.5}
"""


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("schema: 1", "schema: 2"), "line 1: schema"),
        (("    each: cells\n", ""), "line 5: found 'area' in a rule without `each`"),
        (("area: {above: 5}", "area: {above: much}"), "line 6: rules.one.when.area.above"),
        (("above: 5", "abov: 5"), "line 6: rules.one.when.area.abov"),
        (("above: 5", "above: 5, at_least: 6"), "found two thresholds on one side"),
        (("above: 5", "above: 5, below: 4"), "found 5 to 4"),
        (("above: 5", "above: 5, until_below: 6"), "found until_below"),
        (("above: 5", "above: .inf"), "line 6"),
        (("above: 5", "is: []"), "found an empty list"),
        (("above: 5", "above: 5, relative_to: best"), "expected something like: highest of 50"),
        (("area: {above: 5}", "inside: left"), "line 6: found the region 'left', expected one of none"),
        (("area: {above: 5}", "in_frames: 2 of 3"), "line 5: rules.one.when: Value error, found no condition"),
        (("area: {above: 5}", "{area: 5, in_frames: 3 of 2}"), "n at most m"),
        (("area: {above: 5}", "{area: 5, lost_frames: left out}"), "found lost_frames without in_frames"),
        (("area: {above: 5}", "{area: 5, not: }"), "line 5"),
        (("    when:\n      area: {above: 5}\n", "    when:\n"), "found nothing behind when"),
        (
            ("recentre: {damping: 0.5}", "recenter: {damping: 0.5}"),
            "line 8: rules.one.then.0: Value error, found recenter",
        ),
        (("damping: 0.5", "damping: .nan"), "line 8"),
        (("- recentre: {damping: 0.5}", "- notify: {target: me, words: a}"), "line 8: found the target 'me'"),
        (("- recentre: {damping: 0.5}", "- burst: {frames: 0}"), "line 8"),
        (("- recentre: {damping: 0.5}", "- project: {}"), "found project, expected one of move_stage"),
        (("    then:", "    cooldown: soon\n    then:"), "line 7: rules.one.cooldown: Value error, found 'soon'"),
        (("    then:", "    pick: finest\n    then:"), "found 'finest', expected something like: oldest"),
        (("    then:", "    together: true\n    then:"), "line 9: found recentre of several objects together"),
        (("    then:", "    once: per object\n    cooldown: 3 s\n    then:"), "found cooldown and once"),
        (("rules:", "limits: {x_um: [3, 1]}\nrules:"), "line 2: limits: Value error, found x_um from 3 to 1"),
        (("rules:", "limits: {stale_ms: 0}\nrules:"), "line 2: limits.stale_ms"),
        (("rules:", "limits: {speed: 0}\nrules:"), "line 2: limits.speed"),
        (("rules:", "regions: {a: {units: pixels}}\nrules:"), "found no one shape"),
        (("each: cells", "each: &a cells"), "line 4: found an anchor"),
        (("each: cells", "each: cells\n    each: phase"), "found no YAML"),
        (("each: cells", "each: !!python/object:os.system {}"), "line 4"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(change: tuple[str, str], told: str) -> None:
    assert change[0] in GOOD
    with pytest.raises(RuleError) as error:
        RuleBook.from_text(GOOD.replace(*change), "mine.yaml")
    assert told in str(error.value)
    assert str(error.value).startswith(("mine.yaml, line", "found"))
    assert "\n" not in str(error.value)


def test_wishes_for_objects_need_some() -> None:
    with pytest.raises(RuleError, match="line 3: found go_to in a rule without `each`"):
        RuleBook.from_text("schema: 1\nrules:\n  a: {then: [go_to]}\n")


def test_the_files_limits_are_those_that_tighten() -> None:
    limits = (
        "limits: {x_um: [0, 5], power_mw: {LED: 3}, presets: {Channel: [GFP]}, targets: {me: [tell, -x]}, frames: 5}\n"
    )
    change = RuleBook.from_text(GOOD + limits).limits
    assert change.x_um == (0.0, 5.0)
    assert change.presets == {"Channel": frozenset({"GFP"})}
    assert change.targets == {"me": ("tell", "-x")}
    assert (change.frames, change.y_um, change.stale_ms) == (5, None, None)


def test_a_file_that_is_too_large_or_too_deep_is_refused(tmp_path: Path) -> None:
    large = tmp_path / "large.yaml"
    large.write_text("#" * (1 << 21))
    with pytest.raises(RuleError, match="at most 1 MB"):
        RuleBook.load(large)
    with pytest.raises(RuleError, match="at most 1 MB"):
        RuleBook.from_text("#" * (1 << 21))
    deep = "{not: " * 40 + "{area: 3}" + "}" * 40
    with pytest.raises(RuleError, match="more than 8 deep"):
        RuleBook.from_text(f"schema: 1\nrules:\n  a: {{each: cells, when: {deep}, then: [resume]}}\n")
    with pytest.raises(RuleError):
        RuleBook.from_text("[" * 1200)
    with pytest.raises(RuleError, match="cannot be read"):
        RuleBook.load(tmp_path / "nowhere.yaml")


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.one_of(st.text(max_size=80), st.lists(st.integers(0, len(GOOD) - 1), max_size=6).map(lambda cut: _cut(cut))))
def test_no_text_gets_past_with_another_error(text: str) -> None:
    try:
        book = RuleBook.from_text(text)
    except RuleError:
        return
    book.propose(seen(0, [{}]))


def _cut(places: list[int]) -> str:
    text = GOOD
    for place in places:
        text = text[:place] + text[place + 1 :]
    return text


HOSTILE = """schema: 1
rules:
  a:
    each: tracks
    pick: highest speed_um_s
    when: {any: [{speed_um_s: {above: -1}}, {cells.area: {below: 10, until_above: 20}, in_frames: 1 of 9}]}
    then: [recentre, {refocus: {dz_um: cells.area}}, {mark: {words: "{track} {cells.y_um}"}}]
    cooldown: 1 ms per object
  b:
    each: cells
    when: {not: {inside: r}, phase.class: metaphase, gone_frames: {at_least: 0}}
    then: [{illuminate: {labels: nuclei, light: L, power_mw: 1, duration_ms: 1}}]
    together: true
  c:
    when: {count: {of: cells, where: {phase.score: {above: 0.5, relative_to: mean of 3}}, above: 1}, in_frames: 2 of 64}
    then: [{scale_exposure: {value: frame.mean, target: 3}}]
  d:
    when: {mean: {of: phase, column: cells.area, above: 1}, lost_tracks: {of: tracks, above: 0}}
    then: [stop]
regions: {r: {units: stage_um, circle: {x: 0, y: 0, radius: 5}}}
"""
anything = st.one_of(st.floats(width=32), st.integers(-(2**31), 2**31 - 1).map(float))
rows_told = st.lists(
    st.fixed_dictionaries(
        {
            "track": st.integers(-2, 6) | st.just(2**62),
            "parent": st.integers(-2, 6),
            "x": anything,
            "y": anything,
            "area": anything,
            "score": anything,
            "class": st.integers(-3, 9),
        }
    ),
    max_size=5,
)


@pytest.mark.long
@settings(max_examples=150, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(
        st.tuples(rows_told, st.integers(0, 3), st.integers(-5, 5), st.booleans(), anything, st.integers(-9, 9)),
        max_size=6,
    )
)
def test_odd_data_never_raises(told: list[Any]) -> None:
    book = RuleBook.from_text(HOSTILE)
    for number, (rows, segment, seq, moved, value, row) in enumerate(told):
        one = seen(
            number,
            rows,
            seq=seq,
            segment=segment,
            numbers={"frame.mean": value},
            stage_um=(value, 1e300, math.nan) if moved else (0.0, 0.0, 0.0),
            pixel_um=value,
            at_s=float(seq),
        )
        one.tables["phase"]["row"][:1] = row
        for proposal in book.propose(one):
            assert isinstance(proposal, Proposal)
            assert isinstance(proposal.asked, (Action, Wish))
        assert all(len(words) < 1000 for words in book.failures)


def test_tables_that_are_none_are_told() -> None:
    book = RuleBook.from_text(HOSTILE)
    odd = {"tracks": np.zeros(3), "cells": np.zeros((2, 2), [("y", "f4")]), "phase": np.zeros(2, [("row", "i4")])}
    for number in range(4):
        assert book.propose(seen(number, tables=odd)) == []
    assert book.disabled == ["a", "b", "c", "d"]


@pytest.mark.long
def test_what_is_remembered_is_bounded() -> None:
    """Hours of a run: tracks that come and go, and positions without end."""
    book = RuleBook.from_text(HOSTILE)
    for number in range(60):
        rows = [{"track": 500 * number + one, "x": float(one % 250)} for one in range(500)]
        book.propose(seen(number, rows))
    (spot,) = book._spots._spots.values()
    (roster,) = spot.rosters.values()
    assert len(roster) <= 4096 + 500
    size = sum(sys.getsizeof(each) + values.nbytes for each, (values, _) in roster._columns.items())
    assert size < 5_000_000
    for number in range(60, 60 + 1500):
        book.propose(seen(number, [{"track": number}], index={"p": number}))
    assert book.remembered == 1024
    assert len(book._known.totals) == 1


def test_recentring_is_what_it_says() -> None:
    book = RuleBook.from_text(GOOD)
    (proposal,) = book.propose(seen(0, [{"track": 3, "area": 6.0}]))
    assert proposal.asked == Recentre(0.5, 1.0)
    with pytest.raises(OnscopeError):
        RuleBook.from_text("")
