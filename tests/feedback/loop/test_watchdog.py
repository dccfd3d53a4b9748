"""What the watchdog sees, and what becomes of the microscope then."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from onscope.drivers.micromanager.control import calibration_of
from onscope.runtime import ControlError
from onscope.runtime.feedback import Action, Done
from onscope.runtime.feedback.journal import read_journal
from onscope.runtime.feedback.loop import Feedback
from onscope.runtime.feedback.rules import RuleBook
from tests.disks import small_disk

from .microscopes import Patient, bench, rules_file, until
from .test_kills import dark

SHORT_S = 4.0
"""Of patience: short for a test that waits for it, long for a busy machine."""


def until_held(feedback: Feedback, words: str, again: Callable[[], object]) -> None:
    """Wait for the hold with this reason; for another one (the machine was too busy) go on and do it `again`."""

    def held() -> bool:
        if feedback.held and words not in feedback.held:
            feedback.resume()
            again()
        return words in feedback.held

    again()
    until(held)


@pytest.mark.long
@pytest.mark.parametrize("rules_in", ["process", "thread"])
def test_rules_that_hang_are_ended_and_can_come_back(tmp_path: Path, rules_in: str) -> None:
    flag = tmp_path / "hang"
    flag.touch()
    rules = f"""
    @rule(name="hangs")
    def hangs(seen):
        while os.path.exists({str(flag)!r}):
            time.sleep(0.01)
        yield Mark("going on")
    """
    path = rules_file(tmp_path, rules)
    with bench(tmp_path) as made:
        book = path if rules_in == "process" else RuleBook.from_python(path)
        with made.feedback(book, rules_in=rules_in, patience_s=SHORT_S) as feedback:
            until_held(feedback, "the rules gave no answer", lambda: made.run(1))
            until(lambda: feedback.rules_pid == 0)
            until(lambda: any(each.commands for each in made.entries if each.kind == "safe state"))
            flag.unlink()

            def marked() -> bool:
                if feedback.held:
                    feedback.resume()
                made.run(1)
                return feedback.settle() and feedback.counts["done"] > 0

            until(marked)


@pytest.mark.long
def test_results_that_stop_are_noticed(tmp_path: Path) -> None:
    with bench(tmp_path, patience_s=600.0) as made, made.feedback(patience_s=SHORT_S) as feedback, made.running():
        until(lambda: sum(feedback.counts.values()))
        os.kill(made.runtime.worker_pid, signal.SIGSTOP)
        try:
            until(lambda: feedback.held)
            until(lambda: made.safe)
            assert "no result came" in feedback.held
            dark(made)
        finally:
            os.kill(made.runtime.worker_pid, signal.SIGCONT)


class Sticks(Patient):
    """Hangs in every action until it is let go, as a stage may whose cable was pulled."""

    let_go = threading.Event()

    def apply(self, action: Action) -> Done:
        self.let_go.wait()
        return super().apply(action)


@pytest.mark.long
def test_an_action_that_hangs_is_made_safe_by_the_watchdog(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("onscope.runtime.feedback.loop._seconds.MOVE_S", 0.1)
    with bench(tmp_path) as made:
        made.controller = Sticks(made.scope, calibration_of(made.scope))
        made.source = made.controller.live(exposure_ms=10.0)
        with made.feedback(patience_s=SHORT_S) as feedback:
            until_held(feedback, "move_stage hangs", lambda: made.run(2))
            until(lambda: any(each.commands for each in made.entries if each.kind == "safe state"))
            dark(made)
            Sticks.let_go.set()
            assert feedback.settle()
            dark(made)  # also after what had hung was done


class Counting:
    """A heartbeat that counts."""

    beats = 0

    def beat(self) -> None:
        self.beats += 1


def test_the_heartbeat_beats_while_all_is_well_and_not_after(tmp_path: Path) -> None:
    heart = Counting()
    with bench(tmp_path) as made, made.feedback(heartbeat=heart) as feedback:
        until(lambda: heart.beats > 3)
        feedback.hold("a person said so")
        until(lambda: made.safe)
        beats = heart.beats
        made.run(3)
        assert feedback.settle()
        assert heart.beats == beats
        feedback.resume()
        until(lambda: heart.beats > beats)


def test_a_watch_that_is_silent_or_fails_is_noticed_one_that_ends_in_order_is_not(tmp_path: Path) -> None:
    with bench(tmp_path) as made, made.feedback() as feedback:
        with feedback.watch("the first view", within_s=60.0) as view:
            view.beat()
        made.run(2)
        assert feedback.settle()
        assert not feedback.held
        feedback.watch("the second view", within_s=0.1)
        until(lambda: feedback.held)
        assert "the second view was silent" in feedback.held
        feedback.resume()
        with pytest.raises(ZeroDivisionError), feedback.watch("the third view"):
            raise ZeroDivisionError
        until(lambda: feedback.held)
        assert feedback.held.startswith("the third view failed")
        with pytest.raises(ControlError, match="expected one that lives"):
            feedback.watch("nobody", pid=2**22 + 1)


@pytest.mark.parametrize("armed", [True, False])
def test_leaving_by_an_error_leaves_it_safe(tmp_path: Path, armed: bool) -> None:
    with bench(tmp_path) as made:
        made.scope.mmc.setAutoShutter(False)
        made.scope.mmc.setShutterOpen(True)
        with pytest.raises(ZeroDivisionError, match="by zero"), made.feedback(armed=armed):
            raise ZeroDivisionError("by zero")
        assert made.scope.mmc.getShutterOpen() == (not armed)
        story = read_journal(tmp_path / "feedback.jsonl")
        assert story.error == "ZeroDivisionError: by zero"
        assert [bool(each.commands) for each in story if each.kind == "safe state"] == ([True] if armed else [])


def test_a_journal_that_cannot_be_written_holds_everything(tmp_path: Path) -> None:
    with (
        small_disk(tmp_path / "small", 1) as disk,
        bench(tmp_path) as made,
        made.feedback(journal=disk / "feedback.jsonl") as feedback,
    ):
        with made.running():
            until(lambda: feedback.counts["done"])
            _fill(disk / "full")
            until(lambda: feedback.held)
            assert "cannot be written" in feedback.held
            until(lambda: made.safe)
            dark(made)
        (disk / "full").unlink()


def _fill(path: Path) -> None:
    """Write until the disk is full."""
    with path.open("wb", buffering=0) as full, suppress(OSError):
        while True:
            full.write(bytes(4096))
