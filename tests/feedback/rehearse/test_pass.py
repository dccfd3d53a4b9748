"""Passes of rules: what is asked for is judged and done, found, missed and false by the truth, the same each time."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from onscope.runtime import RuleError
from onscope.runtime.feedback import Visit
from onscope.runtime.feedback.rehearse import DIVISION, Detector, Pass, RuleScore, joined, report_of, scores

from .made import MITOSIS, busy, ran

METAPHASE = frozenset({"metaphase"})


def score(done: Pass, kinds: frozenset[str] = METAPHASE) -> RuleScore:
    (found,) = scores(done, kinds)
    return found


def test_a_perfect_detector_finds_all_that_lasts_longer_than_the_interval_and_nothing_else() -> None:
    done = ran()
    found = score(done)
    assert done.story is not None
    events = joined(done.story.spans, METAPHASE)
    long = [event for event in events if event.to_s - event.from_s > 240]
    assert len(long) >= 2
    assert found.false == 0
    assert found.true == found.proposals == found.passed == found.done > 0
    assert found.events == len(events)
    assert found.found is not None and found.found >= len(long)  # noqa: PT018
    assert found.delay_s is not None and 0 <= found.delay_s <= 130  # noqa: PT018
    assert done.taken == sum(len(deed.done.commands) // 3 for deed in done.deeds if deed.done)


@pytest.mark.long
def test_errors_of_the_detector_are_false_proposals_and_missed_events() -> None:
    sure, unsure = score(ran()), score(ran(detector=Detector(specificity=0.9)))
    assert unsure.false is not None and unsure.false > 5  # noqa: PT018
    blind = ran(detector=Detector(sensitivity=0.0))
    none = scores(blind, METAPHASE, ["mitosis"])
    assert [(each.found, each.missed, each.proposals) for each in none] == [(0, none[0].events, 0)]
    assert none[0].events == sure.events


@pytest.mark.long
def test_the_same_seed_gives_the_same_deeds() -> None:
    def told(done: Pass) -> list[object]:
        return [(deed.time_s, deed.verdict.action, deed.verdict.reason, deed.done) for deed in done.deeds]

    one, other = (told(ran(detector=Detector(0.8, 0.95))) for _ in range(2))
    assert one == other
    assert told(ran(detector=Detector(0.8, 0.95), seed=2)) != one


def test_in_shadow_nothing_happens_to_the_specimen() -> None:
    dark, armed = ran(armed=False), ran()
    assert not dark.taken
    assert all(deed.done is None for deed in dark.deeds)
    assert sum(deed.verdict.passed for deed in dark.deeds) > 0
    assert dark.story is not None
    assert armed.story is not None
    assert sum(armed.story.doses.values()) > sum(dark.story.doses.values())


def test_what_the_gate_refuses_is_not_done_and_told_by_reason() -> None:
    done = ran(MITOSIS + "limits: {x_um: [0, 10], y_um: [0, 10]}\n")
    report = report_of(done, on="here", rules="r", seed=1, answers="truth", armed=True, kinds=DIVISION)
    assert not report.actions
    assert report.taken == 0
    assert sum(report.refused.values()) == len(done.deeds) > 0
    assert all("#" in reason for reason in report.refused)


def test_spent_budgets_end_the_light() -> None:
    done = ran(MITOSIS + "limits: {field_j_cm2: 0.4}\n")
    assert "J/cm2" in done.ended
    assert done.routine < 10
    assert done.story is not None
    assert max(done.story.doses.values()) < 0.8


def test_moves_go_to_the_cells_that_divide() -> None:
    done = ran()
    for deed in done.deeds:
        assert deed.truth is not None
        assert deed.proposal.target is not None
        assert isinstance(deed.verdict.action, Visit)
        (place,) = deed.verdict.action.places
        row = deed.truth.objects[deed.truth.objects["id"] == deed.proposal.target.label][0]
        middle = np.array([row["x"], row["y"]]) - (200 - 1) / 2
        stage = np.array((50.0, 50.0)) if deed.done is None else np.array(deed.done.commands[-1].value)
        assert np.abs(np.array(place) - stage - middle * 0.325).max() < 1.5 or np.abs(stage - place).max() > 0


def test_phototoxic_light_kills_in_the_report() -> None:
    done = ran(scenario=busy(sensitivity=20_000.0), hours=1.0)
    report = report_of(done, on="here", rules="r", seed=1, answers="truth", armed=True, kinds=DIVISION)
    assert report.killed is not None and report.killed > 5  # noqa: PT018
    assert report.died == report.killed
    assert report.dose_j_cm2 == pytest.approx(30 * 0.05 * 8e-3 / 0.07**2, rel=0.4)


def test_a_report_is_plain_values() -> None:
    import json

    done = ran()
    report = report_of(done, on="here", rules="r", seed=1, answers="truth", armed=True, kinds=METAPHASE)
    told = json.loads(json.dumps(report.as_json()))
    assert told["schema"] == 1
    assert told["scores"][0]["missed"] == report.scores[0].missed
    assert Counter(told["actions"]) == Counter(visit=len(done.deeds))
    assert told["hours"] == pytest.approx(1.5)


def test_shares_of_detectors_are_shares() -> None:
    with pytest.raises(RuleError, match="expected shares from 0 to 1"):
        Detector(1.5)
