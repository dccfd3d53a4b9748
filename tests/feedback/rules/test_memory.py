"""n of m frames, hysteresis, references and cooldowns, against slow plain oracles that keep everything."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onscope.runtime.feedback import Seen
from onscope.runtime.feedback.rules import RuleBook

from .worlds import SECOND, seen

Value = float | None
"""Of an object in a frame; None: it is not there."""
values = st.one_of(st.none(), st.sampled_from([0.0, 0.5, 0.7, 0.9, 1.0]))
frames = st.lists(
    st.tuples(st.integers(0, 4), st.dictionaries(st.integers(1, 4), values, max_size=4)), min_size=1, max_size=25
)
"""For each result how many frames were lost before it, and the objects' values."""


def fired(book: RuleBook, one: Seen) -> set[int]:
    proposals = book.propose(one)
    assert book.failures == []
    return {each.target.track if each.target else 0 for each in proposals}


def worlds(told: list[tuple[int, dict[int, Value]]]) -> list[tuple[int, dict[int, float], Seen]]:
    """(lost frames before it, values of the objects that are there, result); the usual step is told by two at first."""
    seq, made = -1, []
    for number, (lost, objects) in enumerate([(0, {}), (0, {}), *told]):
        seq += 1 + lost
        there = {track: value for track, value in objects.items() if value is not None}
        rows = [{"track": track, "score": value} for track, value in there.items()]
        made.append((lost, there, seen(number, rows, seq=seq)))
    return made


def book_of(text: str, head: str = "each: phase") -> RuleBook:
    return RuleBook.from_text(f"schema: 1\nrules:\n  test:\n    {head}\n    when: {text}\n    then: [resume]\n")


@settings(max_examples=150, deadline=None, derandomize=True)
@given(
    told=frames,
    m=st.integers(1, 8),
    n=st.integers(1, 8),
    lost=st.sampled_from(["not met", "left out", "start again"]),
)
def test_n_of_m_of_each_object_is_that_of_the_whole_history(
    told: list[tuple[int, dict[int, Value]]], m: int, n: int, lost: str
) -> None:
    n = min(n, m)
    book = book_of(f"{{score: {{above: 0.6}}, in_frames: {n} of {m}, lost_frames: {lost}}}")
    history: dict[int, list[bool]] = defaultdict(list)
    for missing, there, one in worlds(told):
        for track in range(1, 5):
            past = history[track]
            if missing and lost == "not met":
                past += [False] * missing
            elif missing and lost == "start again":
                past.clear()
            past.append(there.get(track, 0.0) > 0.6)
        expected = {track for track in there if sum(history[track][-m:]) >= n}
        assert fired(book, one) == expected


@settings(max_examples=150, deadline=None, derandomize=True)
@given(told=frames, m=st.integers(1, 8), n=st.integers(1, 8))
def test_n_of_m_of_the_frame(told: list[tuple[int, dict[int, Value]]], m: int, n: int) -> None:
    n = min(n, m)
    book = book_of(f"{{count: {{of: cells, at_least: 2}}, in_frames: {n} of {m}}}", "repeat: true")
    history: list[bool] = []
    for missing, there, one in worlds(told):
        history += [False] * missing + [len(there) >= 2]
        assert fired(book, one) == ({0} if sum(history[-m:]) >= n else set())


@settings(max_examples=150, deadline=None, derandomize=True)
@given(told=frames, two_sided=st.booleans())
def test_hysteresis_of_each_object(told: list[tuple[int, dict[int, Value]]], two_sided: bool) -> None:
    upper = ", at_most: 0.9, until_above: 0.95" if two_sided else ""
    book = book_of(f"{{score: {{above: 0.8, until_below: 0.6{upper}}}}}")
    held: dict[int, bool] = defaultdict(bool)
    for _, there, one in worlds(told):
        for track, value in there.items():
            if value > 0.8 and not (two_sided and value > 0.9):
                held[track] = True
            elif value < 0.6 or (two_sided and value > 0.95):
                held[track] = False
        assert fired(book, one) == {track for track in there if held[track]}


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.lists(st.sampled_from([0.0, 1.0, 2.0, 3.0, 8.0, None]), max_size=30), st.integers(1, 7))
def test_references_are_those_of_the_frames_before(told: list[float | None], width: int) -> None:
    books = {
        name: book_of(f"{{frame.mean: {{at_least: 2, relative_to: {name} of {width}}}}}", "repeat: true")
        for name in ("highest", "lowest", "mean")
    }
    statistics: dict[str, Any] = {"highest": max, "lowest": min, "mean": lambda past: sum(past) / len(past)}
    past: list[float] = []
    for number, value in enumerate(told):
        one = seen(number, numbers={} if value is None else {"frame.mean": value})
        for name, book in books.items():
            expected = False
            if value is not None and len(past) >= min(5, width):
                reference = statistics[name](past[-width:])
                expected = reference != 0 and value / reference >= 2
            assert fired(book, one) == ({0} if expected else set()), name
        past += [] if value is None else [value]


@settings(max_examples=100, deadline=None, derandomize=True)
@given(
    st.lists(st.tuples(st.floats(0, 40), st.sets(st.integers(1, 4)), st.integers(0, 1)), max_size=25),
    st.sampled_from(["object", "position", "experiment"]),
)
def test_cooldowns(told: list[tuple[float, set[int], int]], scope: str) -> None:
    book = book_of("{score: {above: 0.5}}", f"each: phase\n    cooldown: 30 s per {scope}")
    until: dict[Any, int] = {}
    at_s = 0.0
    for number, (later, tracks, position) in enumerate(told):
        at_s += later
        rows = [{"track": track + 10 * position} for track in sorted(tracks)]
        one = seen(number, rows, at_s=at_s, index={"p": position})
        ns = one.frame.received_ns
        expected = set()
        for row in rows:
            key = {"object": row["track"], "position": position, "experiment": 0}[scope]
            if until.get(key, 0) <= ns:
                expected.add(row["track"])
                until[key] = ns + 30 * SECOND
        assert fired(book, one) == expected


def test_a_lost_frame_is_what_is_missing_from_the_usual_step() -> None:
    """Every third frame is looked at, at two positions in turn: none is lost until one is."""
    book = book_of("{score: {above: 0.5}, in_frames: 2 of 2}")
    for seq in (0, 3, 6, 9, 12, 15):
        position = seq // 3 % 2
        tracks = fired(book, seen(seq, [{"track": 1 + position}], seq=seq, index={"p": position}))
        assert tracks == (set() if seq < 6 else {1 + position})
    assert fired(book, seen(24, [{"track": 1}], seq=24, index={"p": 0})) == set()  # that of 18 is lost
    assert fired(book, seen(30, [{"track": 1}], seq=30, index={"p": 0})) == {1}


def test_positions_channels_and_planes_count_by_themselves() -> None:
    book = book_of("{frame.mean: {above: 1}, in_frames: 2 of 2}", "repeat: true")
    bright = {"frame.mean": 2.0}
    for t in range(3):
        for number, place in enumerate(
            ({"p": 0, "c": 0}, {"p": 0, "c": 1}, {"p": 1, "c": 0}, {"p": 0, "c": 0, "z": 1})
        ):
            one = seen(10 * t + number, numbers=bright, index={"t": t, **place})
            assert fired(book, one) == (set() if t == 0 else {0})


def test_a_rule_that_does_not_repeat_asks_when_it_begins_to_hold() -> None:
    book = book_of("{score: {above: 0.5}}", "each: phase\n    repeat: false")
    told = [{1: 0.9}, {1: 0.9, 2: 0.9}, {1: 0.1, 2: 0.9}, {1: 0.9, 2: 0.9}]
    expected = [{1}, {2}, set(), {1}]
    for number, (scores, tracks) in enumerate(zip(told, expected, strict=True)):
        rows = [{"track": track, "score": score} for track, score in scores.items()]
        assert fired(book, seen(number, rows)) == tracks


@pytest.mark.parametrize("tracked", [True, False])
def test_objects_that_nothing_tracks_have_the_memory_of_their_frame(tracked: bool) -> None:
    book = book_of("{score: {above: 0.8}, in_frames: 2 of 3}")
    first, second = ([{"track": 1, "score": 0.9}, {"track": 2, "score": 0.1}] for _ in range(2))
    second[0]["score"], second[1]["score"] = 0.1, 0.9
    shown = [seen(0, first), seen(1, second)]
    if not tracked:
        for one in shown:
            one.tables.pop("tracks")  # type: ignore[attr-defined]
    assert book.propose(shown[0]) == []
    assert len(book.propose(shown[1])) == (0 if tracked else 1)


@pytest.mark.parametrize("scope", ["object", "position", "experiment"])
@pytest.mark.parametrize("words", ["once: per {}", "cooldown: 10 min per {}"])
def test_what_was_refused_may_be_asked_for_again_after_a_second(words: str, scope: str) -> None:
    book = book_of("{score: {above: 0.5}}", f"each: phase\n    {words.format(scope)}")
    rows = [{"track": 7}]
    first = seen(0, rows, at_s=0)
    (proposal,) = book.propose(first)
    book.refused(proposal.rule, proposal.frame, 7)
    assert fired(book, seen(1, rows, at_s=0.5)) == set()
    assert fired(book, seen(2, rows, at_s=1)) == {7}
    assert fired(book, seen(3, rows, at_s=100)) == set()
    book.refused("test", first.frame.id, 7)  # said twice
    book.refused("nobody", first.frame.id, 3)
    assert fired(book, seen(4, rows, at_s=101)) == set()


def test_what_was_done_in_part_is_not_repeated() -> None:
    text = "schema: 1\nrules:\n  test: {each: phase, then: [resume, pause], once: per object}\n"
    book = RuleBook.from_text(text)
    one, two = seen(0, [{"track": 7}]), seen(2, [{"track": 7}])
    assert len(book.propose(one)) == 2
    book.refused("test", one.frame.id, 7)
    assert book.propose(two) == []
    book.refused("test", one.frame.id, 7)
    assert len(book.propose(seen(4, [{"track": 7}]))) == 2
