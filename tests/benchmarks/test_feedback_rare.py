"""The benchmark of rare events: what counts as caught, and rows at a tiny size. No times."""

from __future__ import annotations

import math

import pytest
from benchmarks.feedback._plan import TINY
from benchmarks.feedback._rare import rare
from benchmarks.feedback._rare_use import Use, covered

from onscope.runtime.feedback.rehearse import Span

SPAN = Span(1, "anaphase", 1000.0, 1480.0, True, 50.0, 60.0)


def test_a_division_is_caught_between_frames_at_the_fast_rate_that_show_it() -> None:
    def log(step_s: float, x_um: float = 60.0, half: float = 20.0) -> list[tuple[float, float, float, float]]:
        return [(900.0 + n * step_s, x_um, 50.0, half) for n in range(math.ceil(700 / step_s))]

    assert covered(SPAN, log(60.0)) == (1.0, 8)
    assert covered(SPAN, log(90.0))[0] == 1.0
    assert covered(SPAN, log(91.0))[0] == 0.0
    assert covered(SPAN, log(60.0, x_um=76.0))[0] == 0.0  # it lies in the dark
    assert covered(SPAN, [])[0] == 0.0
    late = [each for each in log(60.0) if each[0] > 1200]
    part, shown = covered(SPAN, late)
    assert part == pytest.approx((1480 - 1260) / 480)
    assert shown == 4


def test_light_falls_within_the_diaphragm_alone() -> None:
    from onscope.runtime.feedback import Burst

    on = Use(400, 0.5, sensitive=1.0).microscope(1, 1000.0, look=False, tell=True)
    on.apply(Burst(10, channel="close"))
    shot = on.next()
    assert shot is not None
    assert shot.truth is not None
    rows = shot.truth.objects
    away = ((rows["y"] - 199.5) ** 2 + (rows["x"] - 199.5) ** 2) ** 0.5 * 0.325
    assert rows["dose_j_cm2"][away.argmin()] > 20 * rows["dose_j_cm2"][away > 45].max()


@pytest.mark.long
def test_rows_of_all_ways() -> None:
    rows = list(rare(TINY, lambda text: None))
    words = [row.what for row in rows]
    ways = ["slow", "event", "event, networks", "fast", "slow", "event", "fast"]
    assert [each.rpartition(": ")[2] for each in words] == ways
    outcomes = {row.what: row.detail["outcomes"][0] for row in rows}
    slow, fast = outcomes[words[0]], outcomes[words[3]]
    assert fast["dose"] > 5 * slow["dose"]
    assert fast["frames"] > 5 * slow["frames"]
    assert all(row.met in (True, False) if ": event" in row.what else row.met is None for row in rows)
