"""Sweeps: which number of a rule file is meant, and what the file says then."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from ruamel.yaml import YAML

from onscope.runtime import RuleError
from onscope.runtime.feedback.rehearse import parse_sweep, trade_off, versions
from onscope.runtime.feedback.rules import RuleBook

RULES = """
schema: 1
rules:
  one:
    each: phase
    when: {score: {above: 0.5, until_below: 0.3}, in_frames: 2 of 3}
    then: [burst: {frames: 60, interval_ms: 500}]
  two:
    each: phase
    when: {score: {above: 0.5}, area: {above: 10}}
    then: [{mark: {words: here}}, {burst: {frames: 5}}]
"""


def swept(text: str) -> list[tuple[float, Any]]:
    found = list(versions(RULES, Path("rules.yaml"), parse_sweep(text)))
    for _, rules in found:
        RuleBook.from_text(rules)
    return [(value, YAML(typ="safe").load(rules)["rules"]) for value, rules in found]


def test_a_threshold_needs_no_more_words_where_there_is_one() -> None:
    found = swept("one.threshold=0.4:0.8:3")
    assert [value for value, _ in found] == pytest.approx([0.4, 0.6, 0.8])
    assert [rules["one"]["when"]["score"]["above"] for _, rules in found] == pytest.approx([0.4, 0.6, 0.8])
    assert {rules["one"]["when"]["score"]["until_below"] for _, rules in found} == {0.3}
    assert {rules["two"]["when"]["score"]["above"] for _, rules in found} == {0.5}


def test_keys_say_which_and_whole_numbers_stay_whole() -> None:
    assert [rules["two"]["when"]["area"]["above"] for _, rules in swept("two.area.above=5:20:2")] == [5, 20]
    found = swept("one.frames=10:61:2")
    assert [rules["one"]["then"][0]["burst"]["frames"] for _, rules in found] == [10, 61]
    assert [rules["two"]["then"][1]["burst"]["frames"] for _, rules in swept("two.then.burst.frames=1:2:2")] == [1, 2]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("one.threshold", "expected RULE.KEY=FIRST:LAST:STEPS"),
        ("one.threshold=0:1:1", "with 2 to 200 steps"),
        ("one.threshold=0:nan:3", "expected RULE.KEY"),
        ("one.threshold=a:1:3", "expected RULE.KEY"),
        ("three.threshold=0:1:3", "expected one of one, two"),
        ("two.threshold=0:1:3", "found 2 numbers that two.threshold stands for"),
        ("one.gain=0:1:3", "found 0 numbers"),
    ],
)
def test_what_is_not_clear_is_refused(text: str, words: str) -> None:
    with pytest.raises(RuleError, match=words):
        swept(text)


def test_a_trade_off_is_drawn(tmp_path: Path) -> None:
    def step(value: float, found: int, false: int, dose: float | None) -> dict[str, Any]:
        score = {"found": found, "events": 10, "false": false, "true": found}
        return {"value": value, "scores": [score], "actions": {"burst": found + false}, "dose_j_cm2": dose}

    for name, dose in (("dosed", 1.0), ("bare", None)):
        steps = [step(0.5 + n / 10, 9 - n, 8 - 2 * n, dose and dose * (5 - n)) for n in range(5)]
        trade_off(tmp_path / f"{name}.png", "mitosis.threshold", steps)
        with Image.open(tmp_path / f"{name}.png") as image:
            assert image.size == (1240, 560)
            assert len(image.getcolors(1 << 16) or []) > 20
    assert (tmp_path / "dosed.png").read_bytes() != (tmp_path / "bare.png").read_bytes()
    trade_off(tmp_path / "one.png", "x", [step(1.0, 0, 0, None)])
