"""Decoders: what of a network's output is the answer."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onscope.runtime import PipelineError
from onscope.runtime.decode import decoder

POINTS = {"decode": "points", "columns": ("y", "x", "score"), "threshold": 0.5}


@settings(deadline=None)
@given(st.lists(st.floats(0, 1, width=32), max_size=30), st.floats(0, 1, width=32))
def test_points_are_the_rows_that_reach_the_threshold(scores: list[float], threshold: float) -> None:
    table = np.zeros((len(scores), 3), np.float32)
    table[:, 2] = sorted(scores, reverse=True)
    table[:, 0] = np.arange(len(scores))
    answer, axes = decoder(["index", "channel"], {**POINTS, "threshold": threshold})(table)
    assert axes == "ic"
    assert len(answer) == sum(score >= np.float32(threshold) for score in scores)
    assert answer[:, 0].tolist() == list(range(len(answer)))


def test_points_may_have_a_batch_axis() -> None:
    answer, _ = decoder(["batch", "index", "channel"], POINTS)(np.ones((1, 4, 3), np.float32))
    assert answer.shape == (4, 3)


def test_points_of_other_columns_are_refused() -> None:
    with pytest.raises(PipelineError, match="4 columns, expected 3"):
        decoder(["index", "channel"], POINTS)(np.ones((2, 4), np.float32))
    with pytest.raises(PipelineError, match="expected one named score"):
        decoder(["index", "channel"], {"decode": "points", "columns": ("y", "x")})


@pytest.mark.parametrize(
    ("shape", "axes", "answer", "letters"),
    [
        ((1, 1, 5, 7), ["batch", "channel", "y", "x"], (5, 7), "yx"),
        ((1, 3, 5, 7), ["batch", "channel", "y", "x"], (5, 7, 3), "yxc"),
        ((1, 5, 7, 3), ["batch", "y", "x", "channel"], (5, 7, 3), "yxc"),
        ((5, 7), ["y", "x"], (5, 7), "yx"),
        ((1, 1, 1, 7), ["batch", "channel", "y", "x"], (1, 7), "yx"),
    ],
)
def test_images_lose_what_has_size_one(
    shape: tuple[int, ...], axes: list[str], answer: tuple[int, ...], letters: str
) -> None:
    image, got = decoder(axes, {"decode": "image"})(np.zeros(shape, np.uint16))
    assert (image.shape, got) == (answer, letters)


def test_an_image_needs_rows_and_columns() -> None:
    with pytest.raises(PipelineError, match="expected y and x"):
        decoder(["batch", "channel"], {"decode": "image"})


def test_unknown_decoders_are_refused() -> None:
    with pytest.raises(PipelineError, match="found the decoder 'flows', expected one of image, points"):
        decoder(["y", "x"], {"decode": "flows"})
