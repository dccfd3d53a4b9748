"""Keyed random numbers: uniform, normal, independent of each other, and the same for the same key."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import kstest

from onscope.specimen.sample import _noise

KEYS = _noise.keys(7, "test", 20_000)


@pytest.mark.parametrize("number", [0, 1, 999, 123_456_789])
def test_deviates_have_their_distributions(number: int) -> None:
    assert kstest(_noise.uniform(KEYS, number), "uniform").pvalue > 1e-4
    assert kstest(_noise.normal(KEYS, number), "norm").pvalue > 1e-4


def test_numbers_keys_and_purposes_are_independent() -> None:
    one, other = _noise.uniform(KEYS, 5), _noise.uniform(KEYS, 6)
    chance = 5 / np.sqrt(len(KEYS))  # five standard errors of a correlation of nothing
    assert abs(np.corrcoef(one, other)[0, 1]) < chance
    assert abs(np.corrcoef(one[:-1], one[1:])[0, 1]) < chance
    assert abs(np.corrcoef(one, _noise.uniform(_noise.keys(7, "tess", len(KEYS)), 5))[0, 1]) < chance
    assert abs(np.corrcoef(one, _noise.uniform(_noise.keys(8, "test", len(KEYS)), 5))[0, 1]) < chance


def test_a_key_draws_the_same_whoever_is_beside_it() -> None:
    assert np.array_equal(_noise.uniform(KEYS[10:20], 3), _noise.uniform(KEYS, 3)[10:20])
    assert np.array_equal(_noise.keys(7, "test", 10), KEYS[:10])


def test_children_differ_from_each_other_and_from_their_parents() -> None:
    family = np.concatenate([KEYS, _noise.child(KEYS, 1), _noise.child(KEYS, 2)])
    assert len(np.unique(family)) == len(family)
