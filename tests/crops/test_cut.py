"""Crops: the right pixels, at the border and far from it, for any places."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onscope.export.zoo import _crops
from onscope.runtime import PipelineError
from onscope.runtime.crops import BORDERS, cut

PLACES = st.lists(st.tuples(st.floats(-9, 40, width=32), st.floats(-9, 60, width=32)), max_size=12)


def image(height: int, width: int, dtype: str = "uint16", samples: int = 0, seed: int = 0) -> np.ndarray[Any, Any]:
    shape = (height, width, samples) if samples else (height, width)
    return np.random.default_rng(seed).integers(0, 200, shape).astype(dtype)


def one_by_one(pixels: np.ndarray[Any, Any], places: Any, side: int, mode: Any, value: Any) -> np.ndarray[Any, Any]:
    """What `cut` answers, the slow way: the whole image padded, a slice for each place."""
    more = {"constant_values": value} if mode == "constant" else {}
    wide = np.pad(pixels, [(side, side)] * 2 + [(0, 0)] * (pixels.ndim - 2), mode=mode, **more)
    rows = []
    for y, x in places:
        top, left = (
            int(np.clip(np.rint(at), 0, size - 1)) - side // 2 + side
            for at, size in zip((y, x), pixels.shape, strict=False)
        )
        rows.append(wide[top : top + side, left : left + side])
    return np.stack(rows) if rows else np.zeros((0, side, side, *pixels.shape[2:]), pixels.dtype)


@pytest.mark.parametrize("mode", ["constant", "edge", "reflect", "symmetric"])
@settings(deadline=None, max_examples=60)
@given(places=PLACES, side=st.integers(1, 12), size=st.tuples(st.integers(1, 30), st.integers(1, 50)))
def test_crops_are_those_of_the_padded_image(
    mode: Any, places: list[tuple[float, float]], side: int, size: tuple[int, int]
) -> None:
    pixels = image(*size)
    found = cut(pixels, np.array(places, np.float32), side, border=mode, value=7)
    expected = one_by_one(pixels, np.array(places, np.float32), side, mode, 7)
    assert found.dtype == pixels.dtype
    assert np.array_equal(found, expected)


@settings(deadline=None, max_examples=60)
@given(places=PLACES, size=st.tuples(st.integers(1, 30), st.integers(1, 50)), seed=st.integers(0, 99))
def test_background_is_what_the_shipped_classifier_was_trained_on(
    places: list[tuple[float, float]], size: tuple[int, int], seed: int
) -> None:
    pixels = image(*size, seed=seed)
    centres = np.array(places, np.float32).reshape(-1, 2)
    assert np.array_equal(cut(pixels, centres, 8), _crops.cut(pixels, centres, 8))


@pytest.mark.parametrize("dtype", ["uint8", "float32"])
@settings(deadline=None, max_examples=60)
@given(places=PLACES)
def test_colour_and_other_dtypes_are_kept(dtype: str, places: list[tuple[float, float]]) -> None:
    pixels = image(20, 31, dtype, samples=3)
    found = cut(pixels, np.array(places).reshape(-1, 2), 6, border="edge")
    assert found.dtype == pixels.dtype
    assert np.array_equal(found, one_by_one(pixels, places, 6, "edge", 0))


def test_halves_go_to_the_even_pixel_and_the_centre_is_pixel_half_a_side() -> None:
    pixels = np.arange(100, dtype=np.uint8).reshape(10, 10)
    found = cut(pixels, np.array([(3.5, 4.5), (4.5, 4.5)]), 4)
    assert found[:, 2, 2].tolist() == [44, 44]


def test_a_mask_keeps_the_own_pixels_alone() -> None:
    pixels = np.full((12, 12), 50, np.uint16)
    pixels[:2] = 3  # at least a twentieth: the background
    labels = np.zeros((12, 12), np.int32)
    labels[4:8, 2:5], labels[4:8, 6:9] = 1, 9
    found = cut(pixels, np.array([(5, 3), (5, 7)]), 6, labels, np.array([1, 9]))
    expected = [np.where(cut(labels, np.array([place]), 6, border="constant") == own, 50, 3)[0]
                for place, own in (((5, 3), 1), ((5, 7), 9))]  # fmt: skip
    assert np.array_equal(found, np.stack(expected))
    nothing = cut(pixels, np.array([(5, 3)]), 6, labels, np.array([4]), border="constant", value=1)
    assert (nothing == 1).all()


def test_what_cannot_be_cut_is_told() -> None:
    pixels = image(9, 9)
    with pytest.raises(PipelineError, match="without a place"):
        cut(pixels, np.array([(1.0, np.nan)]), 4)
    with pytest.raises(PipelineError, match="found the border 'mirror'"):
        cut(pixels, np.zeros((1, 2)), 4, border="mirror")  # type: ignore[arg-type]
    with pytest.raises(PipelineError, match="expected the same size"):
        cut(pixels, np.zeros((1, 2)), 4, np.zeros((4, 4), np.int32), np.array([1]))
    assert len(BORDERS) == 5
