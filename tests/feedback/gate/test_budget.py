"""Light dose: what would be too much does not pass, and routine imaging says when it is."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from onscope.runtime.feedback import (
    Action,
    Autofocus,
    Burst,
    Limits,
    MoveStage,
    Pause,
    Project,
    Pulse,
    Resume,
    Setting,
    Stack,
    Visit,
)
from onscope.runtime.feedback.dose import DoseBook
from onscope.runtime.feedback.gate import Gate

from .made import DISK, LIMITS, SETTING, frame, gate, proposal

FREE = replace(LIMITS, actions_per_s=1e6, frames_per_s=math.inf, stale_ms=1e9)
# 2 mW over 10,000 um2: 100 * 2 * 20 / 10,000 J/cm2 per routine frame of 20 ms
ROUTINE = 0.4
LIGHTING: tuple[tuple[Action, float], ...] = (
    (Burst(5), 2.0),
    (Burst(5, exposure_ms=10.0), 1.0),
    (Burst(2, channel="Cy5"), 2 * 100 * 5 * 20 / 40_000),
    (Stack(5, 1.0), 2.0),
    (Autofocus(10.0, 2.5), 2.0),
    (Visit(((100.0, 0.0), (400.0, 0.0), (101.0, 0.0))), 0.8),
    (Project(DISK, 1.0, 100.0, 0.0, "blue", 5.0, 100.0), 100 * 5 * 100 / 10_000),
    (Pulse("shutter", 50.0), 1.0),
    (Pulse("valve", 50.0), 0.0),
    (MoveStage(200.0, 0.0), 0.0),
)


def ask(made: Gate, action: Action, setting: Setting = SETTING) -> Any:
    return made.judge(proposal(action), action, setting, 0)


@pytest.mark.parametrize(("action", "dose"), LIGHTING, ids=lambda each: getattr(each, "kind", None))
def test_up_to_the_budget_and_no_further(action: Action, dose: float) -> None:
    assert ask(gate(replace(FREE, field_j_cm2=dose)), action).passed
    short = ask(gate(replace(FREE, field_j_cm2=dose * 0.999)), action)
    assert short.passed == (dose == 0.0)
    assert short.passed or f"to {dose:.4g} J/cm2, allowed are {dose * 0.999:.4g} J/cm2" in short.reason
    book = DoseBook()
    assert ask(gate(FREE, book), action).passed
    assert book.field(100.0, 0.0) == pytest.approx(dose)


def test_doses_of_verdicts_add_up_until_the_budget_is_spent() -> None:
    book = DoseBook()
    made = gate(replace(FREE, field_j_cm2=10.0), book)
    passed = [ask(made, Burst(5)).passed for _ in range(7)]
    assert passed == [True] * 5 + [False] * 2
    assert book.field(100.0, 0.0) == pytest.approx(10.0)
    elsewhere = replace(SETTING, x_um=-500.0)
    assert ask(made, Burst(5), elsewhere).passed


def test_what_was_booked_with_the_verdict_is_not_booked_again() -> None:
    book = DoseBook()
    made = gate(FREE, book)
    verdict = ask(made, Burst(5))
    made.done(verdict.action, SETTING)
    assert book.field(100.0, 0.0) == pytest.approx(2.0)
    verdict = ask(made, Burst(5))
    made.done(verdict.action, replace(SETTING, exposure_ms=30.0))  # longer than when it was judged
    assert book.field(100.0, 0.0) == pytest.approx(2.0 + 3.0)
    made.done(Burst(5), SETTING)  # of another gate's
    assert book.field(100.0, 0.0) == pytest.approx(7.0)
    verdict = ask(made, Visit(((100.0, 0.0), (100.0, 0.0))))
    made.done(verdict.action, SETTING)
    assert book.field(100.0, 0.0) == pytest.approx(7.8)


def test_shadows_give_no_light() -> None:
    book = DoseBook()
    made = gate(replace(FREE, field_j_cm2=2.0), book, armed=False)
    assert ask(made, Burst(5)).passed
    assert not ask(made, Burst(6)).passed
    assert book.field(100.0, 0.0) == 0.0
    made.arm(True)
    assert ask(made, Burst(5)).passed
    assert book.field(100.0, 0.0) == pytest.approx(2.0)
    assert not ask(made, Burst(1)).passed
    made.arm(False)
    assert not ask(made, Burst(1)).passed


def test_the_reserve_is_for_routine_frames() -> None:
    made = gate(replace(FREE, field_j_cm2=4.0, reserve=0.5))
    assert ask(made, Burst(5)).passed
    assert not ask(made, Burst(1)).passed
    assert [bool(made.exposed(frame(seq), SETTING)) for seq in range(6)] == [False] * 5 + [True]


def test_routine_imaging_says_when_it_is_too_much_and_where() -> None:
    made = gate(replace(FREE, field_j_cm2=2.0))
    assert made.over_budget() == ""
    said = [made.exposed(frame(seq), SETTING) for seq in range(6)]
    assert [bool(each) for each in said] == [False] * 5 + [True]
    assert "2.4 J/cm2, allowed are 2 J/cm2" in made.over_budget()
    assert not ask(made, Resume()).passed
    assert ask(made, Pause()).passed
    beside = replace(SETTING, x_um=-500.0)
    assert ask(made, Resume(), beside).passed
    assert made.exposed(frame(6), beside) == ""
    assert made.over_budget() == ""


def test_objects_have_a_budget_of_their_own_which_moves_with_them() -> None:
    book = DoseBook()
    made = gate(replace(FREE, object_j_cm2=1.5), book)
    made.objects(frame(), [7], [49.5], [49.5], 1.0, (100.0, 0.0))
    assert ask(made, Burst(3)).passed
    assert book.object(7) == pytest.approx(1.2)
    assert not ask(made, Burst(1)).passed
    made.objects(frame(), [7], [49.5], [49.5], 1.0, (-500.0, 0.0))  # it has moved to where it was dark
    assert "an object to 1.6 J/cm2" in ask(made, Burst(1), replace(SETTING, x_um=-500.0)).reason
    assert ask(made, Burst(1)).passed  # where it was is free


def test_only_lit_pixels_count_of_a_projection() -> None:
    book = DoseBook(cell_um=1.0, object_um=1.0)
    made = gate(replace(FREE, object_j_cm2=1e9), book)
    made.objects(frame(), [1, 2], [47.5, 80.5], [47.5, 80.5], 1.0, (100.0, 0.0))
    assert ask(made, Project(DISK, 1.0, 100.0, 0.0, "blue", 5.0, 100.0)).passed
    assert book.object(1) == pytest.approx(5.0)
    assert book.object(2) == 0.0
    cells, doses = book.cells()
    assert len(doses) == 400
    assert np.allclose(doses, 5.0)
    assert cells.min(0).tolist() == [-12, 88]
    assert cells.max(0).tolist() == [7, 107]


def test_light_that_nobody_can_count_does_not_pass_a_budget() -> None:
    dark = replace(SETTING, channels={}, channel=None)
    odd = replace(SETTING, channels={"GFP": {"blue": replace(SETTING.lights["blue"], area_um2=0.0)}})
    for setting in (dark, odd, replace(SETTING, exposure_ms=None)):
        assert ask(gate(FREE), Burst(1), setting).passed
        made = gate(replace(FREE, field_j_cm2=100.0))
        assert "a budget is set" in ask(made, Burst(1), setting).reason
        assert not ask(made, Resume(), setting).passed
        assert made.exposed(frame(), setting)
        assert gate(FREE).exposed(frame(), setting) == ""


def test_what_cannot_be_kept_does_not_pass(tmp_path: Path) -> None:
    book = DoseBook(tmp_path / "doses")
    made = gate(replace(FREE, field_j_cm2=100.0), book)
    assert ask(made, Burst(1)).passed
    book._file.trouble = "found no way to write, expected one: free space"  # type: ignore[union-attr]
    assert "free space" in ask(made, Burst(1)).reason
    assert "free space" in made.exposed(frame(), SETTING)
    assert ask(made, MoveStage(200.0, 0.0)).passed
    book.close()


def test_rates_and_budgets_do_not_depend_on_who_is_refused() -> None:
    limits: Limits = replace(LIMITS, actions_per_s=2.0, field_j_cm2=2.0)
    book = DoseBook()
    made = gate(limits, book)
    for _ in range(50):
        assert not ask(made, Burst(6)).passed
    assert book.field(100.0, 0.0) == 0.0
    assert ask(made, Burst(5)).passed
