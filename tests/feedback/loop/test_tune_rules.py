"""Thresholds of rules changed while they are asked: journalled, kept when rules begin again, refused when wrong."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onscope.runtime import RuleError
from onscope.runtime.feedback.rules import RuleBook
from tests.feedback.loop.microscopes import Bench, bench, rules_file, until

RULES = """
schema: 1
rules:
  bright:
    when: {frame.mean: {above: 1e9}}
    then: {mark: {words: bright}}
  both:
    when:
      any:
        - frame.mean: {at_least: 1e9, until_below: 5e8}
        - count: {of: found, above: 1000, where: {score: {below: 3}}}
    then: {mark: {words: both}}
"""


def yaml(folder: Path) -> Path:
    path = folder / "rules.yaml"
    path.write_text(RULES)
    return path


def marks(made: Bench) -> list[str]:
    return [each.rule for each in made.entries if each.kind == "mark"]


@pytest.mark.parametrize("rules_in", ["process", "thread"])
def test_from_the_next_result_on(tmp_path: Path, rules_in: Any) -> None:
    with bench(tmp_path) as made:
        with made.feedback(yaml(tmp_path), rules_in=rules_in) as feedback:
            made.run(3)
            assert feedback.settle(60.0)
            assert feedback.counts["done"] == 0
            feedback.tune("bright", "frame.mean.above", 0)
            assert feedback.tunable[0].value == 0
            made.run(3)
            assert feedback.settle(60.0)
            done = feedback.counts["done"]
            assert done >= 1
            feedback.tune("bright", "frame.mean.above", 1e9)
            made.run(3)
            assert feedback.settle(60.0)
            assert feedback.counts["done"] == done
        assert set(marks(made)) == {"bright"}
        told = [each.because for each in made.entries if each.kind == "tuned"]
        assert told == [
            "rule bright: frame.mean.above 1000000000 to 0, from the next result on",
            "rule bright: frame.mean.above 0 to 1000000000, from the next result on",
        ]
        assert [each.kind for each in made.events].count("tuned") == 2


def test_rules_that_begin_again_have_it(tmp_path: Path) -> None:
    with bench(tmp_path) as made:
        with made.feedback(yaml(tmp_path)) as feedback:
            feedback.tune("bright", "frame.mean.above", 0)
            os.kill(feedback.rules_pid, signal.SIGKILL)
            until(lambda: made.safe)
            feedback.resume()
            made.run(3)
            assert feedback.settle(60.0)
            assert feedback.counts["done"] >= 1
        assert set(marks(made)) == {"bright"}


@pytest.mark.parametrize(
    ("rule", "name", "value", "words"),
    [
        ("bright", "frame.mean.below", 3.0, "expected one of bright: frame.mean.above"),
        ("dark", "frame.mean.above", 3.0, "of the rule 'dark'"),
        ("bright", "frame.mean.above", float("nan"), "finite"),
        ("bright", "frame.mean.above", True, "finite"),
        ("bright", "frame.mean.above", "low", "finite"),
        ("both", "any.0.frame.mean.until_below", 2e9, "not beyond that"),
    ],
)
def test_wrong_ones_change_nothing(rule: str, name: str, value: Any, words: str) -> None:
    book = RuleBook.from_text(RULES)
    before = book.tunable
    with pytest.raises(RuleError, match=words):
        book.tune(rule, name, value)
    assert book.tunable == before


def test_what_may_be_tuned() -> None:
    told = {(each.rule, each.name): each.value for each in RuleBook.from_text(RULES).tunable}
    assert told == {
        ("bright", "frame.mean.above"): 1e9,
        ("both", "any.0.frame.mean.at_least"): 1e9,
        ("both", "any.0.frame.mean.until_below"): 5e8,
        ("both", "any.1.count.where.score.below"): 3,
        ("both", "any.1.count.above"): 1000,
    }


def test_python_rules_say_that_they_have_none(tmp_path: Path) -> None:
    with bench(tmp_path) as made, made.feedback(rules_file(tmp_path)) as feedback:
        assert feedback.tunable == ()
        with pytest.raises(RuleError, match="expected rules of a YAML file"):
            feedback.tune("go", "x.above", 3.0)


@settings(max_examples=50, deadline=None)
@given(st.floats(allow_nan=False, allow_infinity=False), st.floats(allow_nan=False, allow_infinity=False))
def test_pairs_of_thresholds_stay_in_order(high: float, low: float) -> None:
    book = RuleBook.from_text(RULES)
    name = "any.0.frame.mean"
    for bound, value in (("at_least", high), ("until_below", low)):
        before = {each.name: each.value for each in book.tunable}
        try:
            book.tune("both", f"{name}.{bound}", value)
        except RuleError:
            assert {each.name: each.value for each in book.tunable} == before
    told = {each.name: each.value for each in book.tunable}
    assert told[f"{name}.until_below"] <= told[f"{name}.at_least"]
    assert high < 5e8 or told[f"{name}.at_least"] == high
