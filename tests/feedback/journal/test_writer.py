"""The writer holds its word: what was synced is there after a kill, a full disk is told, nothing waits for the disk."""

from __future__ import annotations

import contextlib
import os
import random
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from onscope.runtime import RecordError
from onscope.runtime.feedback import Done, Mark, Project
from onscope.runtime.feedback.journal import Journal, _appender, read_journal
from onscope.runtime.feedback.journal._file import LineFile
from tests.disks import small_disk

from .examples import ACTIONS, MASK, done, passed, proposal

PATIENCE_S = 60.0
WRITER = """
import sys
from onscope.runtime.feedback.journal import Journal
from tests.feedback.journal.examples import ACTIONS, done, passed, proposal

with Journal(sys.argv[1], armed=True) as journal:
    print(0, flush=True)
    for count in range(100_000):
        number = journal.proposal(proposal(ACTIONS[count % len(ACTIONS)], seq=count))
        journal.verdict(number, passed(ACTIONS[count % len(ACTIONS)]))
        if not journal.sync():
            sys.exit("not synced")
        print(number, flush=True)
        journal.done(number, done())
"""


@pytest.mark.parametrize("seed", range(6))
def test_what_was_synced_is_there_after_a_kill(tmp_path: Path, seed: int) -> None:
    path = tmp_path / "j.jsonl"
    writer = subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True)
    assert writer.stdout is not None
    last = random.Random(seed).randrange(0, 200)
    for line in writer.stdout:
        if int(line) >= last:  # killed soon after: in the middle of whatever it does
            break
    writer.kill()
    synced = max([last, *map(int, (line for line in writer.stdout if line.endswith("\n")))])
    writer.wait()
    writer.stdout.close()
    story = read_journal(path)
    assert len(story) >= synced
    assert [entry.number for entry in story] == list(range(1, len(story) + 1))
    assert all(entry.verdict is not None and entry.frame is not None for entry in story[:synced])
    assert [entry.frame.seq for entry in story[:synced] if entry.frame] == list(range(synced))
    assert story.ended_ns is None
    assert story.lost == 0


def test_lines_reach_the_disk_without_being_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced = threading.Event()
    sync = LineFile.sync

    def watched(file: LineFile) -> None:
        sync(file)
        synced.set()

    with Journal(tmp_path / "j.jsonl") as journal:
        monkeypatch.setattr(LineFile, "sync", watched)
        journal.event("armed", "by the user")
        assert synced.wait(PATIENCE_S)
        assert [entry.kind for entry in read_journal(journal.path)] == ["armed"]


def test_lines_are_synced_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []
    held = threading.Event()
    fsync = os.fsync

    def slow(descriptor: int) -> None:
        calls.append(descriptor)
        held.wait(PATIENCE_S)
        fsync(descriptor)

    with Journal(tmp_path / "j.jsonl") as journal:
        monkeypatch.setattr(os, "fsync", slow)
        journal.event("first", "")
        while not calls:
            time.sleep(0.005)
        for _ in range(500):  # the disk hangs: nobody else does
            journal.event("next", "")
        held.set()
        assert journal.sync(PATIENCE_S)
        assert len(calls) <= 3
    assert len(read_journal(tmp_path / "j.jsonl")) == 501


def test_many_threads_write_one_journal(tmp_path: Path) -> None:
    def work(name: str) -> None:
        for _ in range(200):
            number = journal.proposal(proposal(Mark(name), rule=name))
            journal.verdict(number, passed(Mark(name)), armed=True)
            journal.done(number, Done(1, 2))

    with Journal(tmp_path / "j.jsonl") as journal:
        threads = [threading.Thread(target=work, args=(f"t{count}",)) for count in range(6)]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
    story = read_journal(tmp_path / "j.jsonl")
    assert [entry.number for entry in story] == list(range(1, 1201))
    assert all(entry.outcome == "done" and entry.action == {"kind": "mark", "words": entry.rule} for entry in story)


def fill(path: Path) -> None:
    """A file as large as its disk can hold."""
    with contextlib.suppress(OSError), open(path, "wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))


def test_a_full_disk_is_told_once_and_what_is_missing_is_written_down(tmp_path: Path) -> None:
    told: list[str] = []
    with small_disk(tmp_path / "small", 1) as disk:
        stuff = disk / "stuff"
        with Journal(disk / "j.jsonl", tell=told.append) as journal:
            first = journal.event("before", "there is room")
            assert journal.sync(PATIENCE_S)
            assert journal.failure is None
            fill(stuff)
            for _ in range(5):
                journal.event("without room", "x" * 15_000)
                assert not journal.sync(PATIENCE_S)
            assert journal.failure is not None
            assert "No space left" in journal.failure
            assert journal.lost == 5
            assert len(told) == 1
            assert [entry.number for entry in read_journal(journal.path)] == [first]
            stuff.unlink()
            journal.event("after", "there is room again")
            assert journal.sync(PATIENCE_S)
            assert journal.failure is None
        story = read_journal(disk / "j.jsonl")
    assert [entry.kind for entry in story] == ["before", "after"]
    assert story.lost == 5
    assert story.ended_ns is not None


def test_a_disk_that_cannot_sync_is_a_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(descriptor: int) -> None:
        raise OSError(5, "Input/output error")

    told: list[str] = []
    with Journal(tmp_path / "j.jsonl", tell=told.append) as journal:
        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync", refuse)
            number = journal.proposal(proposal(ACTIONS[0]))
            assert not journal.sync(PATIENCE_S)
            assert journal.failure is not None
        journal.verdict(number, passed(ACTIONS[0]))  # of a proposal that is missing
        assert journal.sync(PATIENCE_S)
    story = read_journal(tmp_path / "j.jsonl")
    assert (len(story), story.lost, len(told)) == (0, 1, 1)


def test_memory_is_bounded_when_the_disk_hangs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_appender, "MOST_LINES", 50)
    held, reached = threading.Event(), threading.Event()
    append = LineFile.append

    def hang(file: LineFile, lines: bytes) -> None:
        reached.set()
        held.wait(PATIENCE_S)
        append(file, lines)

    with Journal(tmp_path / "j.jsonl") as journal:
        monkeypatch.setattr(LineFile, "append", hang)
        journal.event("first", "")
        assert reached.wait(PATIENCE_S)
        for _ in range(80):
            journal.event("next", "")
        assert journal.lost == 30
        assert journal.failure is not None
        assert "too slow" in journal.failure
        held.set()
        assert journal.sync(PATIENCE_S)
    story = read_journal(tmp_path / "j.jsonl")
    assert (len(story), story.lost) == (51, 30)


def test_masks_that_wait_are_bounded_by_their_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_appender, "MOST_BYTES", MASK.nbytes * 3)
    held, reached = threading.Event(), threading.Event()
    append = LineFile.append

    def hang(file: LineFile, lines: bytes) -> None:
        reached.set()
        held.wait(PATIENCE_S)
        append(file, lines)

    project = next(each for each in ACTIONS if isinstance(each, Project))
    with Journal(tmp_path / "j.jsonl") as journal:
        monkeypatch.setattr(LineFile, "append", hang)
        journal.event("first", "")
        assert reached.wait(PATIENCE_S)
        for _ in range(5):
            journal.proposal(proposal(project))
        assert journal.lost == 2
        held.set()


def test_what_a_caller_says_wrongly_spoils_nothing(tmp_path: Path) -> None:
    class Odd:
        def __repr__(self) -> str:
            raise RuntimeError("no")

    with Journal(tmp_path / "j.jsonl") as journal:
        journal.event("odd", "words", values={"odd": Odd()})  # type: ignore[dict-item]
        journal.event(Odd(), 3)  # type: ignore[arg-type]
        journal.done(1, None)  # type: ignore[arg-type]
        journal.event("fine", "words")
        assert not journal.sync(PATIENCE_S)
        assert journal.lost == 1
    story = read_journal(tmp_path / "j.jsonl")
    assert [entry.kind for entry in story] == ["odd", "<Odd>", "fine"]
    assert story.lost == 1


def test_nothing_is_written_over(tmp_path: Path) -> None:
    (tmp_path / "j.jsonl").write_text("mine")
    with pytest.raises(RecordError, match="expected nothing there"):
        Journal(tmp_path / "j.jsonl")
    assert (tmp_path / "j.jsonl").read_text() == "mine"
    with pytest.raises(RecordError, match="cannot be made"):
        Journal(tmp_path / "nowhere" / "j.jsonl")


def test_how_a_run_ended_is_told(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="broken"), Journal(tmp_path / "j.jsonl") as journal:
        raise ValueError("broken")
    journal.event("late", "after the end")
    journal.close()
    story = read_journal(tmp_path / "j.jsonl")
    assert story.error == "ValueError: broken"
    assert (len(story), journal.lost) == (0, 1)


def test_a_listener_that_fails_ends_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def tell(sentence: str) -> None:
        raise RuntimeError(sentence)

    def refuse(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with Journal(tmp_path / "j.jsonl", tell=tell) as journal:
        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync", refuse)
            journal.event("lost", "")
            assert not journal.sync(PATIENCE_S)
        journal.event("there", "")
        assert journal.sync(PATIENCE_S)
    assert [entry.kind for entry in read_journal(tmp_path / "j.jsonl")] == ["there"]


def test_done_is_told_with_its_commands_in_order(tmp_path: Path) -> None:
    with Journal(tmp_path / "j.jsonl", armed=True) as journal:
        number = journal.proposal(proposal(ACTIONS[0]))
        journal.verdict(number, passed(ACTIONS[0]))
        journal.done(number, done())
    (entry,) = read_journal(tmp_path / "j.jsonl")
    assert [(one.verb, one.device) for one in entry.commands] == [
        ("setProperty", "Laser 488"),
        ("setExposure", "Camera"),
    ]
