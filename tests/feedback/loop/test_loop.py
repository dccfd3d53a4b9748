"""From results to commands: what is carried out, in which order, and what is not."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from onscope.runtime import RecordError, RuleError
from onscope.runtime.feedback.rules import RuleBook

from .microscopes import bench, rules_file, until

STAGE = "XY"


@pytest.mark.parametrize("rules_in", ["process", "thread"])
def test_what_rules_ask_for_is_done_and_told(tmp_path: Path, rules_in: str) -> None:
    with bench(tmp_path) as made:
        path = rules_file(tmp_path)
        rules = path if rules_in == "process" else RuleBook.from_python(path)
        with made.feedback(rules, rules_in=rules_in) as feedback:
            assert made.run(5) == 5
            assert feedback.settle()
            assert feedback.counts["done"] >= 1
            assert not feedback.held
        moves = [each for each in made.entries if each.kind == "move_stage"]
        assert {each.outcome for each in moves} <= {"done", "refused"}  # the machine may be too slow for some
        for each in moves:
            assert list(each.models) == ["found"]
            if each.done is not None and each.verdict is not None:
                assert each.received_ns is not None
                at = [each.received_ns, each.at_ns, each.verdict.judged_ns, each.done.began_ns, each.done.done_ns]
                assert at == sorted(at)
        told = [values for _, verb, values in made.commanded(STAGE) if verb == "move"]
        done = [(each.asked["x_um"], each.asked["y_um"]) for each in moves if each.outcome == "done"]
        assert told == done


def test_shadow_mode_sends_nothing_and_says_so(tmp_path: Path) -> None:
    with bench(tmp_path) as made:
        made.run(1)
        before = [each for each in made.commanded() if each[1] != "expose"]
        with made.feedback(armed=False) as feedback:
            until(lambda: any(each.kind == "shadow mode" for each in made.events))
            made.run(5)
            assert feedback.settle()
            assert feedback.counts["shadow"] >= 1
            feedback.hold("a person said so")
            until(lambda: made.safe)
            counts = feedback.counts
        after = [each for each in made.commanded() if each[1] != "expose"]
        assert after[: len(before)] == before
        # The camera's own start opens the shutter and its end closes it, as before.
        assert not [each for each in after[len(before) :] if each[0] == STAGE]
        assert not any(each.commands for each in made.entries)
        assert [each.outcome for each in made.entries if each.kind == "move_stage"].count("shadow") == counts["shadow"]


def test_the_most_urgent_is_done_first(tmp_path: Path) -> None:
    rules = """
    @rule(name="low", priority=1)
    def low(seen):
        if seen.number == 1:
            yield MoveStage(51.0, 50.0)

    @rule(name="high", priority=5)
    def high(seen):
        if seen.number == 1:
            yield MoveStage(52.0, 50.0)

    @rule(name="middle", priority=3)
    def middle(seen):
        if seen.number == 1:
            yield SetPower("LED 475", 1.5)
    """
    with bench(tmp_path) as made:
        with made.feedback(rules_file(tmp_path, rules)) as feedback:
            made.run(1)
            assert feedback.settle()
        done = [each for each in made.entries if each.outcome == "done"]
        began = {each.rule: each.done.began_ns for each in done if each.done is not None}
        assert sorted(began, key=lambda rule: began[rule]) == ["high", "middle", "low"]
        wanted = [(STAGE, "move", (52.0, 50.0)), ("LED 475", "power_mw", 1.5), (STAGE, "move", (51.0, 50.0))]
        assert [one for one in made.commanded() if one in wanted] == wanted
        times = sorted((each.done.began_ns, each.done.done_ns) for each in done if each.done is not None)
        assert all(one[1] <= other[0] for one, other in pairwise(times))


def test_a_rule_that_floods_is_told_and_the_gate_holds(tmp_path: Path) -> None:
    rules = """
    @rule(name="flood")
    def flood(seen):
        for number in range(1000):
            yield MoveStage(float("nan") if number % 2 else 45.0, 50.0)
    """
    with bench(tmp_path) as made:
        with made.feedback(rules_file(tmp_path, rules)) as feedback:
            made.run(5)
            assert feedback.settle(60.0)
            counts = feedback.counts
            assert not feedback.held
        until(lambda: any("expected at most 200" in each.message for each in made.events))
        assert counts["refused"] > counts["done"]
        done = [each for each in made.entries if each.outcome == "done"]
        assert all(each.asked["x_um"] == 45.0 for each in done)
        reasons = {each.verdict.reason for each in made.entries if each.verdict is not None and not each.verdict.passed}
        assert any("proposals wait already" in each for each in reasons)
        assert [each.number for each in made.entries] == list(range(1, len(made.entries) + 1))


def test_a_rule_that_fails_is_told_and_the_others_go_on(tmp_path: Path) -> None:
    rules = """
    @rule(name="bad")
    def bad(seen):
        raise ValueError("no such cell")

    @rule(name="good")
    def good(seen):
        yield Mark("seen")
    """
    with bench(tmp_path) as made:
        with made.feedback(rules_file(tmp_path, rules)) as feedback:
            made.run(3)
            assert feedback.settle()
            assert feedback.counts["done"] >= 1
        until(lambda: any("no such cell" in each.message for each in made.events))


def test_a_stop_ends_the_acquisition(tmp_path: Path) -> None:
    rules = """
    @rule(name="enough")
    def enough(seen):
        if seen.number == 3:
            yield Stop("enough was seen")
    """
    with bench(tmp_path) as made, made.feedback(rules_file(tmp_path, rules)) as feedback:
        assert 3 <= made.run(10_000) < 10_000
        assert feedback.settle()
        assert feedback.stopped


@pytest.mark.long
def test_rules_that_cannot_be_used_are_refused_at_once(tmp_path: Path) -> None:
    with bench(tmp_path) as made:
        with pytest.raises(RuleError, match="cannot be read"):
            made.feedback(tmp_path / "none.yaml")
        for text, words in (("raise ValueError('no')", "no"), ("os._exit(3)", "exit code 3"), ("", "no rule")):
            with pytest.raises(RuleError, match=words), made.feedback(rules_file(tmp_path, text)):
                pass
        assert not (tmp_path / "feedback.jsonl").exists()
        with pytest.raises(RuleError, match="rules_in='thread'"):
            made.feedback(RuleBook.from_python(rules_file(tmp_path)))
        with pytest.raises(RuleError, match="within its `with` block"):
            _ = made.feedback().held


def test_a_journal_is_never_written_over(tmp_path: Path) -> None:
    (tmp_path / "feedback.jsonl").write_text("mine")
    with bench(tmp_path) as made:
        with pytest.raises(RecordError, match="expected nothing there"), made.feedback():
            pass
        with made.feedback(journal=tmp_path / "other.jsonl"):  # nothing of the first is left
            made.run(1)
    assert (tmp_path / "feedback.jsonl").read_text() == "mine"


@pytest.mark.parametrize("rules_in", ["process", "thread"])
def test_what_was_refused_may_be_asked_for_again_soon(tmp_path: Path, rules_in: str) -> None:
    rules = """
    @rule(name="far", cooldown_s=3600)
    def far(seen):
        yield MoveStage(1e6, 50.0)
    """
    path = rules_file(tmp_path, rules)
    with bench(tmp_path) as made:
        book = path if rules_in == "process" else RuleBook.from_python(path)
        with made.feedback(book, rules_in=rules_in) as feedback, made.running():
            until(lambda: feedback.counts["refused"] >= 2)  # after a second, not an hour
