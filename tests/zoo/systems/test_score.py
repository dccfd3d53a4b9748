"""Scores: mean and spread over seeds, what is ahead of what, and JSON back and forth."""

from __future__ import annotations

import pytest

from onscope.export.zoo.systems import Score, over_seeds


def test_the_best_baseline_is_the_one_with_the_best_mean_and_is_beaten_by_more_than_it() -> None:
    score = Score("cells", "PSNR", "dB", (30.0, 32.0), {"Gaussian": (28.0, 29.0), "median": (20.0, 40.0)})
    assert (score.best, score.beats) == ("median", True)
    assert score.told() == "31.0 ± 1.4 dB"
    assert score.told("median") == "30 ± 14 dB"
    assert score.gain == "+1 ± 13 dB"


def test_where_less_is_better_the_lowest_is_the_best() -> None:
    score = Score("tracks", "error", "px", (2.0, 2.0), {"nearest": (1.0, 1.0), "Kalman": (3.0, 3.0)}, True)
    assert (score.best, score.beats) == ("nearest", False)
    assert score.told() == "2 px"


def test_without_a_baseline_nothing_is_beaten() -> None:
    score = over_seeds("poles", "error", "px", [{"network": 1.0}, {"network": 1.5}])
    assert (score.best, score.beats, score.gain) == (None, None, "")


@pytest.mark.parametrize("baselines", [{"a": (1.0,)}, {"a": (1.0, 2.0), "b": ()}])
def test_values_for_other_seeds_are_refused(baselines: dict[str, tuple[float, ...]]) -> None:
    with pytest.raises(ValueError, match="expected as many of each"):
        Score("cells", "PSNR", "dB", (1.0, 2.0), baselines)
