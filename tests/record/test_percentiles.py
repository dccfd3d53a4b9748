"""Percentiles against their definition, written out."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from onscope.runtime.record import frames_per_second, percentiles


def by_definition(values: list[float], p: float) -> float:
    """Hyndman and Fan's definition 7: linear between the order statistics at (n - 1) p."""
    ordered = sorted(values)
    place = (len(ordered) - 1) * p / 100
    low = math.floor(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (place - low) * (ordered[high] - ordered[low])


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=300))
def test_percentiles_are_those_of_the_definition(values: list[float]) -> None:
    found = percentiles(values)
    for p in (50, 95, 99):
        assert found[f"p{p}"] == pytest.approx(by_definition(values, p), rel=1e-12, abs=1e-9)
    assert found["max"] == max(values)
    assert found["p50"] <= found["p95"] <= found["p99"] <= found["max"]


def test_known_numbers() -> None:
    found = percentiles(range(1, 101))
    assert (found["p50"], found["p95"], found["p99"], found["max"]) == pytest.approx((50.5, 95.05, 99.01, 100.0))
    assert percentiles([]) == {}


def test_rate() -> None:
    assert frames_per_second(np.array([0, 100, 200, 300]) * 1_000_000) == pytest.approx(10.0)
    assert frames_per_second(np.array([5])) == 0.0
