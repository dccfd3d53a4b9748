"""Runs are the image again."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings

from onscope.runtime.objects import Runs

from .images import Labels, label_images


@given(label_images())
@settings(max_examples=100, deadline=None)
def test_runs_and_pixels_are_the_image_again(labels: Labels) -> None:
    runs = Runs.of(labels)
    again = np.zeros_like(labels)
    for y, x0, x1, label in zip(runs.y, runs.x0, runs.x1, runs.label, strict=True):
        assert not again[y, x0:x1].any()
        again[y, x0:x1] = label
    np.testing.assert_array_equal(again, labels)
    assert (runs.lengths > 0).all()
    np.testing.assert_array_equal(runs.labels[runs.objects], runs.label)
    y, x, sizes = runs.pixels
    np.testing.assert_array_equal(labels[y, x], np.repeat(runs.labels, sizes))
    places = np.stack([np.repeat(np.arange(len(sizes)), sizes), y, x])
    assert len(y) == np.count_nonzero(labels)
    assert (np.lexsort(places[::-1]) == np.arange(len(y))).all()  # by object, row by row
    assert len(np.unique(places, axis=1).T) == len(y)
