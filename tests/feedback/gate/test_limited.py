"""Limits are checked, copied, and only ever made narrower."""

from __future__ import annotations

import math
from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from onscope.runtime import RuleError
from onscope.runtime.feedback import Limits, LimitsChange, MoveStage, Notify
from onscope.runtime.feedback.dose import DoseBook
from onscope.runtime.feedback.gate import Gate, settled, tighten

from .made import LIMITS, SETTING, proposal

RANGES = ("x_um", "y_um", "z_um", "exposure_ms", "interval_s")
MOST = ("step_um", "z_step_um", "frames", "actions_per_s", "frames_per_s", "stale_ms", "apply_ms", "project_ms")
numbers = st.floats(0, 1e6)
ranges = st.none() | st.tuples(numbers, numbers).map(sorted).map(tuple)
named = st.dictionaries(st.sampled_from(["a", "b", "c"]), numbers)
groups = st.dictionaries(st.sampled_from(["g", "h"]), st.frozensets(st.sampled_from("pqr")))
drawn = st.builds(
    Limits,
    **{name: ranges for name in RANGES},
    **{name: numbers for name in MOST if name != "frames"},
    frames=st.integers(0, 1000),
    power_mw=named,
    pulse_ms=named,
    presets=groups,
    field_j_cm2=numbers | st.just(math.inf),
    reserve=st.floats(0, 0.99),
)


def looser(a: Limits, b: Limits) -> list[str]:
    """In what `a` allows anything that `b` does not."""
    found = [name for name in (*MOST, "action_s", "field_j_cm2", "object_j_cm2") if getattr(a, name) > getattr(b, name)]
    for name in RANGES:
        one, other = getattr(a, name), getattr(b, name)
        if one is not None and (other is None or one[0] < other[0] or one[1] > other[1]):
            found.append(name)
    for name in ("power_mw", "pulse_ms"):
        if any(value > getattr(b, name).get(key, -1) for key, value in getattr(a, name).items()):
            found.append(name)
    if any(not presets <= b.presets.get(group, frozenset()) for group, presets in a.presets.items()):
        found.append("presets")
    if any(b.targets.get(name) != words for name, words in a.targets.items()):
        found.append("targets")
    return found + ["reserve"] * (a.reserve < b.reserve)


@settings(max_examples=200, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(drawn, drawn)
def test_the_narrower_of_both_and_never_looser(one: Limits, other: Limits) -> None:
    try:
        both = tighten(one, other)
    except RuleError as error:
        if "set limits within" not in str(error):
            raise
        return
    assert not looser(both, one)
    assert not looser(both, other)
    assert tighten(both, other) == both
    assert tighten(other, one) == both


@settings(max_examples=200, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(drawn, st.data())
def test_what_is_not_told_stays(one: Limits, data: st.DataObject) -> None:
    told: dict[str, Any] = {name: data.draw(ranges) for name in RANGES} | {
        name: data.draw(st.none() | numbers) for name in ("step_um",)
    }
    told["power_mw"] = {name: data.draw(numbers) for name in one.power_mw if data.draw(st.booleans())}
    try:
        changed = tighten(one, LimitsChange(**told))
    except RuleError:
        return
    assert not looser(changed, one)
    for name, value in told.items():
        if value is None:
            assert getattr(changed, name) == getattr(one, name)
    assert set(changed.power_mw) == set(one.power_mw)
    assert all(changed.power_mw[name] <= value for name, value in told["power_mw"].items())


def test_every_field_can_be_changed() -> None:
    assert [each.name for each in fields(Limits)] == [each.name for each in fields(LimitsChange)]
    assert tighten(LIMITS, LimitsChange()) == settled(LIMITS)


@pytest.mark.parametrize("name", [each.name for each in fields(Limits)])
@pytest.mark.parametrize(
    "odd", [math.nan, -1.0, (3.0, 1.0), (math.nan, 1.0), (0.0, math.inf), "1", True, 10**400, object()]
)
def test_what_is_no_limit_is_refused(name: str, odd: Any) -> None:
    values: dict[str, Any] = {name: odd}
    for limits in (LIMITS, Limits()):
        with pytest.raises(RuleError, match=r"found .*expected .*: "):
            tighten(limits, LimitsChange(**values))
        with pytest.raises(RuleError, match=r"found .*expected .*: "):
            Gate(replace(limits, **values), None, DoseBook())


@pytest.mark.parametrize("name", ["stale_ms", "apply_ms", "project_ms", "action_s", "actions_per_s", "reserve"])
def test_some_limits_are_never_infinite(name: str) -> None:
    values: dict[str, Any] = {name: math.inf}
    with pytest.raises(RuleError):
        tighten(LIMITS, LimitsChange(**values))


@pytest.mark.parametrize("name", ["power_mw", "pulse_ms"])
@pytest.mark.parametrize("value", [math.nan, -1.0, math.inf, "1", None, True])
def test_values_by_name_are_numbers(name: str, value: Any) -> None:
    values: dict[str, Any] = {name: {"blue": value}}
    with pytest.raises(RuleError):
        settled(replace(LIMITS, **values))


def test_a_name_that_is_not_there_is_a_mistake() -> None:
    for change in (LimitsChange(power_mw={"bleu": 1.0}), LimitsChange(presets={"chanel": frozenset({"GFP"})})):
        with pytest.raises(RuleError, match="expected one of"):
            tighten(LIMITS, change)


def test_nothing_reaches_a_gates_limits_later() -> None:
    powers = {"blue": 1.0}
    made = Gate(replace(LIMITS, power_mw=powers), None, DoseBook())
    powers["blue"] = 1e9
    assert made.limits.power_mw["blue"] == 1.0
    with pytest.raises(TypeError):
        made.limits.power_mw["blue"] = 1e9  # type: ignore[index]
    with pytest.raises(AttributeError):
        made.limits = LIMITS  # type: ignore[misc]


def test_a_running_gate_is_only_made_narrower() -> None:
    made = Gate(LIMITS, LimitsChange(x_um=(0.0, 300.0)), DoseBook())
    made.tighten(LimitsChange(x_um=(-5000.0, 250.0), step_um=1e9))
    assert made.limits.x_um == (0.0, 250.0)
    assert made.limits.step_um == 400.0
    with pytest.raises(RuleError):
        made.tighten(LimitsChange(x_um=(400.0, 500.0)))
    assert made.limits.x_um == (0.0, 250.0)
    action = MoveStage(260.0, 0.0)
    assert not made.judge(proposal(action), action, SETTING, 0).passed


def test_targets_are_the_users_own() -> None:
    device = replace(LIMITS, targets={})
    made = Gate(device, LimitsChange(targets={"log": ("logger",)}), DoseBook())
    for target, passes in (("log", True), ("me", False)):
        action = Notify(target, "look")
        assert made.judge(proposal(action), action, SETTING, 0).passed == passes
    with pytest.raises(RuleError):
        made.tighten(LimitsChange(targets={"other": ("sh",)}))


def test_numbers_of_numpy_become_plain_ones() -> None:
    plain = settled(replace(LIMITS, x_um=[np.float32(0), np.int64(5)], frames=np.int32(3)))  # type: ignore[arg-type]
    assert plain.x_um == (0.0, 5.0)
    assert [type(each) for each in (*plain.x_um, plain.frames)] == [float, float, int]
