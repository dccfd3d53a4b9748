"""How an image's values are spread: every value is counted once, whatever it is."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from onscope.view.server._histogram import BINS, histogram

SHAPES = arrays.array_shapes(min_dims=2, max_dims=2, max_side=40)


@given(st.sampled_from([np.uint8, np.uint16]).flatmap(lambda dtype: arrays.arrays(dtype, SHAPES)))
def test_counts_are_those_of_numpy(image: np.ndarray) -> None:
    spread = histogram(image)
    expected, _ = np.histogram(image, BINS, (0, spread.end + 1))
    assert np.array_equal(spread.counts, expected)
    assert (spread.least, spread.most) == (image.min(), image.max())
    assert spread.end >= spread.most
    assert spread.low < spread.high


@given(arrays.arrays(np.float32, SHAPES, elements=st.floats(width=32)))
def test_every_finite_fraction_is_counted_once(image: np.ndarray) -> None:
    spread, finite = histogram(image), image[np.isfinite(image)]
    assert spread.counts.sum() == finite.size
    if finite.size:
        assert (spread.least, spread.most) == (finite.min(), finite.max())
    assert np.isfinite([spread.low, spread.high]).all()
    assert spread.low <= spread.high


@pytest.mark.parametrize("least", [0.0, -3.5, 1000.0])
def test_fractions_are_where_numpy_counts_them(least: float) -> None:
    image = np.random.default_rng(1).normal(least + 50, 9, (200, 300)).astype(np.float32)
    spread = histogram(image)
    expected, _ = np.histogram(image, BINS, (spread.begin, spread.end))
    assert np.abs(np.cumsum(spread.counts, dtype=np.int64) - np.cumsum(expected)).max() <= 4  # at the bins' edges
    assert spread.low == pytest.approx(np.percentile(image, 0.35), abs=0.1)
    assert spread.high == pytest.approx(np.percentile(image, 99.65), abs=0.1)
