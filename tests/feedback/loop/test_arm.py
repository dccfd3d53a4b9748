"""Armed and disarmed while frames run: nothing of shadow mode is left over, and nothing moves once it is back."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from onscope.runtime import ControlError
from onscope.runtime.feedback import Action, Done, MoveStage
from onscope.runtime.feedback.journal import Entry
from onscope.runtime.feedback.loop import Feedback

from .microscopes import Bench, Patient, bench, rules_file, until

STAGE = "XY"


def moves(made: Bench) -> list[tuple[str, str, object]]:
    return [one for one in made.commanded(STAGE) if one[1] == "move"]


def of_moves(made: Bench) -> list[Entry]:
    return [each for each in made.entries if each.kind == "move_stage"]


def test_armed_in_mid_run_and_disarmed_again(tmp_path: Path) -> None:
    with bench(tmp_path) as made:
        with made.feedback(armed=False) as feedback, made.running():
            until(lambda: feedback.counts["shadow"] >= 3)
            assert not feedback.armed
            assert moves(made) == []
            feedback.arm()
            assert feedback.armed
            until(lambda: feedback.counts["done"] >= 3)
            feedback.shadow()
            assert not feedback.armed
            after = moves(made)
            before = feedback.counts["shadow"]
            until(lambda: feedback.counts["shadow"] >= before + 3)
            assert moves(made) == after
            feedback.arm()
            done = feedback.counts["done"]
            until(lambda: feedback.counts["done"] >= done + 2)
        entries = made.entries
        armed = [each.at_ns for each in entries if each.because.startswith("armed:")]
        shadow = [each.at_ns for each in entries if each.kind == "shadow mode"]
        assert len(armed) == 2
        assert len(shadow) == 2  # at the start too
        for each in of_moves(made):
            assert each.verdict is not None
            assert each.received_ns is not None
            if each.done is not None:  # its frame, too, was received while it was armed
                assert armed[0] <= each.received_ns <= each.done.began_ns
                assert not shadow[1] < each.done.began_ns < armed[1]
                assert each.received_ns >= armed[1] or each.done.began_ns <= shadow[1]
            assert each.verdict.armed or each.outcome in ("shadow", "refused")
        kinds = [each.kind for each in made.events if each.message.startswith(("armed:", "NOTHING"))]
        assert kinds == ["shadow mode", "feedback", "shadow mode", "feedback"]


@pytest.mark.long
def test_asked_for_before_is_refused(tmp_path: Path) -> None:
    slow = """
    @rule(name="go")
    def go(seen):
        time.sleep(1.0)
        yield MoveStage(45.0, 50.0)
    """
    with bench(tmp_path) as made:
        with made.feedback(rules_file(tmp_path, slow), armed=False) as feedback:
            made.run(1)  # the rules think about it
            feedback.arm()
            assert feedback.settle(60.0)
            assert feedback.counts == {"done": 0, "shadow": 0, "refused": 1, "failed": 0}
        (move,) = of_moves(made)
        assert move.verdict is not None
        assert "before the feedback was armed" in move.verdict.reason
        assert moves(made) == []


def test_held_it_is_not_armed(tmp_path: Path) -> None:
    with bench(tmp_path) as made, made.feedback(armed=False) as feedback:
        feedback.hold("a person said so")
        until(lambda: made.safe)
        with pytest.raises(ControlError, match="a person said so"):
            feedback.arm()
        assert not feedback.armed
        feedback.resume()
        feedback.arm()
        assert feedback.armed
        made.run(3)
        assert feedback.settle()
        assert feedback.counts["done"] >= 1


@pytest.mark.parametrize("back", [False, True])
def test_the_safe_state_after_arming_is_a_real_one(tmp_path: Path, back: bool) -> None:
    with bench(tmp_path) as made, made.feedback(armed=False) as feedback:
        feedback.arm()
        if back:
            feedback.shadow()
        feedback.hold("a person said so")
        until(lambda: made.safe)
        said = next(each.message for each in made.events if each.kind == "safe state")
        assert ("would have been made safe" in said) == back
        feedback.shadow()
    assert [bool(each.commands) for each in made.entries if each.kind == "safe state"] == [not back]


class Slow(Patient):
    """Whose stage takes until it is told."""

    def __init__(self, *arguments: object) -> None:
        super().__init__(*arguments)  # type: ignore[arg-type]
        self.began, self.go = threading.Event(), threading.Event()

    def apply(self, action: Action) -> Done:
        if isinstance(action, MoveStage):
            self.began.set()
            self.go.wait(60.0)
        return super().apply(action)


def test_shadow_waits_for_the_action_under_way(tmp_path: Path) -> None:
    with bench(tmp_path) as made:
        slow = Slow(made.scope, made.controller.calibration)
        feedback = Feedback(
            made.runtime, rules_file(tmp_path), slow, armed=True, journal=tmp_path / "slow.jsonl", patience_s=60.0
        )
        with feedback:
            made.run(1)
            until(slow.began.is_set)
            changing = threading.Thread(target=feedback.shadow)
            changing.start()
            until(lambda: not feedback.armed)
            assert changing.is_alive()
            slow.go.set()
            changing.join(60.0)
            assert not changing.is_alive()
            assert feedback.settle()
            assert feedback.counts["done"] == 1
            slow.began.clear()
            made.run(2)
            assert feedback.settle()
            assert not slow.began.is_set()


@pytest.mark.long
def test_many_changes_and_nothing_moves_in_shadow_mode(tmp_path: Path) -> None:
    with bench(tmp_path) as made:
        with made.feedback(armed=False) as feedback, made.running():
            for _ in range(20):
                feedback.arm()
                done = feedback.counts["done"]
                until(lambda done=done: feedback.counts["done"] > done)  # type: ignore[misc]
                feedback.shadow()
                seen, shadow = len(moves(made)), feedback.counts["shadow"]
                until(lambda shadow=shadow: feedback.counts["shadow"] > shadow)  # type: ignore[misc]
                assert len(moves(made)) == seen
        assert [each.kind for each in made.entries].count("shadow mode") == 21


def test_a_person_pauses_and_goes_on(tmp_path: Path) -> None:
    with bench(tmp_path) as made:
        with made.feedback(rules_file(tmp_path, "@rule(name='none')\ndef none(seen):\n    return []\n")) as feedback:
            with pytest.raises(ControlError, match="no frame so far"):
                feedback.pause()
            with made.running():
                until(lambda: made.runtime.ledger.counts["done"] >= 3)
                feedback.pause()
                assert made.controller.setting().paused
                assert made.runtime.drain(60.0)
                frames = made.runtime.ledger.counts["done"]
                feedback.unpause()
                until(lambda: made.runtime.ledger.counts["done"] >= frames + 3)
                feedback.shadow()
                with pytest.raises(ControlError, match="shadow mode"):
                    feedback.pause()
                assert not made.controller.setting().paused
            assert not feedback.held
        told = [(each.rule, each.kind, each.outcome) for each in made.entries if each.rule == "a person"]
        assert told == [("a person", "pause", "done"), ("a person", "resume", "done")]
