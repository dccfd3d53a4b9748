from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment

from onscope.runtime import PipelineError
from onscope.runtime.track import TrackSettings
from onscope.runtime.track._assign import AT_ONCE, assign


@settings(deadline=None, max_examples=150)
@given(st.integers(1, 12), st.integers(1, 12), st.floats(0.05, 1), st.floats(0.2, 3), st.integers(0, 2**31))
def test_the_sum_is_that_of_the_dense_problem(
    height: int, width: int, share: float, unlinked: float, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    rows, columns = np.nonzero(rng.random((height, width)) < share)
    costs = rng.uniform(0, 2, len(rows)).round(2)  # some are alike
    linked = assign(rows, columns, costs, unlinked)
    assert len(set(rows[linked].tolist())) == len(set(columns[linked].tolist())) == len(linked)
    whole = np.full((height + width, height + width), 1e6)  # Jaqaman's square problem
    whole[rows, columns] = costs
    whole[np.arange(height), width + np.arange(height)] = unlinked / 2
    whole[height + np.arange(width), np.arange(width)] = unlinked / 2
    whole[height:, width:] = 0
    least = whole[linear_sum_assignment(whole)].sum()
    found = costs[linked].sum() + (height + width - 2 * len(linked)) * unlinked / 2
    assert found == pytest.approx(least, abs=1e-9)


def test_groups_of_pairs_are_solved_as_all_of_them_would_be() -> None:
    rng = np.random.default_rng(0)
    count = 4 * AT_ONCE
    rows = np.concatenate([np.arange(count), np.arange(count - 1)])
    columns = np.concatenate([np.arange(count), np.arange(1, count)])
    kept = (rows % 5 != 4) | (rows == columns)  # chains of five
    rows, columns = rows[kept], columns[kept]
    costs = rng.uniform(0, 1, len(rows))
    linked = assign(rows, columns, costs, 2.1)
    dense = np.zeros((count, count))
    dense[rows, columns] = costs - 2.1
    least = dense[linear_sum_assignment(dense)].sum()
    assert (costs[linked] - 2.1).sum() == pytest.approx(least)


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"max_distance": 3, "max_distance_um": 3},
        {"max_distance": 0},
        {"max_distance": float("nan")},
        {"max_distance": "3"},
        {"max_distance": 3, "gap": -1},
        {"max_distance": 3, "gap": 1.5},
        {"max_distance": 3, "gap": True},
        {"max_distance": 3, "model": "fast"},
        {"max_distance": 3, "divisions": 1},
        {"max_distance": 3, "min_area_ratio": 1.1},
        {"max_distance": 3, "area_weight": -1},
        {"max_distance": 3, "unlinked_cost": 0.5},
        {"max_distance": 3, "intensity": None},
        {"max_distance": 3, "max_division_distance": 3, "max_division_distance_um": 3},
    ],
)
def test_settings_out_of_range_are_refused_in_one_sentence(wrong: dict) -> None:
    with pytest.raises(PipelineError, match=r"^found .* in the settings of a tracker, expected "):
        TrackSettings(**wrong)


def test_settings_are_plain_values_and_come_back() -> None:
    settings = TrackSettings(max_distance_um=8, gap=2, divisions=True, model="kalman")
    assert settings.plain() == {"max_distance_um": 8, "gap": 2, "divisions": True, "model": "kalman"}
    assert TrackSettings(**settings.plain()) == settings
    assert settings.distances(0.5) == (16, 24)
