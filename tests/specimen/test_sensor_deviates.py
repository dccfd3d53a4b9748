"""Deviates from a table are the normal distribution's, tails and all."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import kstest, kurtosis, norm, skew

from onscope.specimen.sensor._deviates import CELLS, _table, draw

COUNT = 2**22
Z = draw(np.random.default_rng(1), (2048, 2048)).deviates().ravel().astype(np.float64)


def test_moments_are_the_normal_ones() -> None:
    # standard errors of mean, variance, skewness and kurtosis: sqrt(1, 2, 6, 24 / count)
    found = [Z.mean(), Z.var() - 1, skew(Z), kurtosis(Z)]
    assert np.abs(found) / np.sqrt(np.array([1, 2, 6, 24]) / COUNT) == pytest.approx(0, abs=4.5)


def test_the_distribution_is_the_normal_one() -> None:
    assert kstest(Z[: 2**20], norm.cdf).pvalue > 1e-4
    many = np.concatenate([draw(np.random.default_rng(seed), (2048, 2048)).deviates().ravel() for seed in range(5)])
    for beyond in (1.0, 2.0, 3.0, 4.0, 4.3, 4.8):
        expected = many.size * norm.sf(beyond)
        for side in (many > beyond, many < -beyond):
            assert side.sum() == pytest.approx(expected, abs=5 * np.sqrt(expected) + 1)


def test_the_table_loses_next_to_no_variance() -> None:
    edge = norm.ppf(1 / CELLS)
    tails = 2 * (norm.sf(-edge) - edge * norm.pdf(edge))  # both tails' share of the variance
    inner = (_table()[1:-1].astype(np.float64) ** 2).sum() / CELLS
    assert inner + tails == pytest.approx(1, abs=2e-6)
    assert np.diff(_table()).min() >= 0


def test_neighbours_know_nothing_of_each_other() -> None:
    image = Z.reshape(2048, 2048)
    for a, b in ((image[1:], image[:-1]), (image[:, 1:], image[:, :-1]), (image[:, 4:], image[:, :-4])):
        for power in (1, 2):
            assert abs(np.corrcoef(a.ravel() ** power, b.ravel() ** power)[0, 1]) < 5 / np.sqrt(COUNT)


@pytest.mark.parametrize("shape", [(1, 1), (3, 5), (0, 7), (64, 1021)])
def test_any_shape_is_drawn_and_repeats(shape: tuple[int, int]) -> None:
    first, again = (draw(np.random.default_rng(3), shape).deviates() for _ in range(2))
    assert first.shape == shape
    assert first.dtype == np.float32
    assert np.array_equal(first, again)
