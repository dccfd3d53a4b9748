"""The reader: a torn end is told wherever it is torn, everything else that is wrong is refused with its line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from onscope.runtime import RecordError
from onscope.runtime.feedback.journal import Journal, _read, as_table, explain, read_journal, summary

from .examples import ACTIONS, done, passed, proposal, refused


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Two events and a curve, closed in order."""
    path = tmp_path_factory.mktemp("whole") / "j.jsonl"
    with Journal(path, armed=True) as journal:
        journal.verdict(journal.proposal(proposal(ACTIONS[0])), refused("too far"))
        number = journal.proposal(proposal(ACTIONS[1]))
        journal.verdict(number, passed(ACTIONS[1]))
        journal.done(number, done())
        journal.values({"dose_j_cm2": 0.5})
    return path.read_bytes()


def test_a_journal_torn_anywhere_is_read_up_to_there(tmp_path: Path, whole: bytes) -> None:
    path = tmp_path / "j.jsonl"
    head = whole.index(b"\n")
    for size in range(len(whole) + 1):
        path.write_bytes(whole[:size])
        if size < head:
            with pytest.raises(RecordError, match="without a whole first line"):
                read_journal(path)
            continue
        story = read_journal(path)
        cut = whole[:size].rpartition(b"\n")[2]
        finished = size == len(whole) or whole[size : size + 1] == b"\n"  # all but the line's end is there
        assert (story.torn is None) == (not cut or finished), size
        lines = whole[: size + 1 if finished else size].count(b"\n") - 1
        assert len(story) == (lines >= 1) + (lines >= 3)
        assert (story.ended_ns is not None) == (lines == 7)


def test_zeros_of_a_power_failure_are_a_torn_end(tmp_path: Path, whole: bytes) -> None:
    cut = whole[: whole.index(b"\n", whole.index(b"\n") + 1) + 1]
    (tmp_path / "j.jsonl").write_bytes(cut + bytes(4096))
    story = read_journal(tmp_path / "j.jsonl")
    assert len(story) == 1
    assert story.torn == "line 3 was cut off after 4096 bytes, and is left out"


def changed(whole: bytes, number: int, **news: Any) -> bytes:
    lines = whole.splitlines()
    held = json.loads(lines[number - 1]) | news
    lines[number - 1] = json.dumps({name: value for name, value in held.items() if value != "gone"}).encode()
    return b"\n".join(lines) + b"\n"


@pytest.mark.parametrize(
    ("number", "news", "words"),
    [
        (1, {"line": "something"}, "expected 'journal'"),
        (1, {"schema": 2}, "found schema 2, expected 1"),
        (1, {"clock": {"wall_ns": 1.5, "monotonic_ns": 2}}, "'wall_ns' of the clock"),
        (1, {"rules": "gone"}, "found none as 'rules'"),
        (1, {"packages": {"a": 1}}, "something else than texts"),
        (2, {"line": "surprise"}, "as what the line is"),
        (2, {"line": "journal"}, "as what the line is"),
        (2, {"line": ["proposal"]}, "as what the line is"),
        (2, {"event": True}, "found True as 'event'"),
        (2, {"proposed_ns": 2**70}, "as 'proposed_ns'"),
        (2, {"frame": {"run": "r"}}, "of a frame"),
        (2, {"asked": {}}, "as the kind of what was asked"),
        (3, {"event": 9}, "found event 9, expected one that was proposed before"),
        (4, {"event": 1}, "found event 1 a second time"),
        (5, {"event": 1}, "found the verdict of event 1 a second time"),
        (6, {"commands": [{"at_ns": 1}]}, "of a command"),
        (6, {"commands": ["x"]}, "expected a command"),
        (7, {"values": {"a": "b"}}, "as the value 'a', expected a number"),
    ],
)
def test_what_is_wrong_is_refused_with_its_line(
    tmp_path: Path, whole: bytes, number: int, news: dict[str, Any], words: str
) -> None:
    path = tmp_path / "j.jsonl"
    path.write_bytes(changed(whole, number, **news))
    with pytest.raises(RecordError) as refusal:
        read_journal(path)
    assert f"line {number}: " in str(refusal.value)
    assert words in str(refusal.value)


@pytest.mark.parametrize(
    "line",
    [b"{", b"[1]", b"nonsense", b'{"line": NaN}', b"\xff\xfe", b"[" * 100_000, b'{"line": ' + b"9" * 5000 + b"}"],
)
def test_a_broken_line_in_the_middle_is_refused(tmp_path: Path, whole: bytes, line: bytes) -> None:
    lines = whole.splitlines()
    (tmp_path / "j.jsonl").write_bytes(b"\n".join([*lines[:2], line, *lines[2:]]) + b"\n")
    with pytest.raises(RecordError, match="line 3: "):
        read_journal(tmp_path / "j.jsonl")


def test_nothing_comes_behind_the_end(tmp_path: Path, whole: bytes) -> None:
    (tmp_path / "j.jsonl").write_bytes(whole + whole.splitlines()[-1] + b"\n")
    with pytest.raises(RecordError, match="line 9: found a line behind the last one"):
        read_journal(tmp_path / "j.jsonl")


def test_input_is_bounded(tmp_path: Path, whole: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "j.jsonl"
    path.write_bytes(whole)
    monkeypatch.setattr(_read, "MOST_LINES", 4)
    with pytest.raises(RecordError, match="line 5: found more than 4 lines"):
        read_journal(path)
    monkeypatch.setattr(_read, "LONGEST_LINE", 1 << 20)
    path.write_bytes(whole.splitlines()[0] + b"\n" + b"x" * (1 << 21))
    with pytest.raises(RecordError, match="line 2: found a line of more than 1 MB"):
        read_journal(path)


def test_what_is_no_journal_is_refused_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match="cannot be read"):
        read_journal(tmp_path / "none.jsonl")
    with pytest.raises(RecordError, match="cannot be read"):
        read_journal(tmp_path)


def mutated(held: bytes, changes: list[tuple[int, bytes]]) -> bytes:
    made = bytearray(held)
    for at, piece in changes:
        place = at % len(made)
        made[place : place + len(piece)] = piece
    return bytes(made)


@settings(
    max_examples=300, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.tuples(st.integers(0, 10**6), st.binary(min_size=1, max_size=6)), min_size=1, max_size=4))
def test_whatever_the_bytes_are_it_is_read_or_refused(
    tmp_path: Path, whole: bytes, changes: list[tuple[int, bytes]]
) -> None:
    path = tmp_path / "j.jsonl"
    path.write_bytes(mutated(whole, changes))
    try:
        story = read_journal(path)
    except RecordError:
        return
    summary(story)
    as_table(story)
    for entry in story:
        assert explain(story, entry.number)
