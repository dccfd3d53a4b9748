"""Pictures: what is cut, made smaller and stretched, held against NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from onscope.view.server._histogram import histogram
from onscope.view.server._pictures import Picture, flat, part, picture, smaller, stretched

IMAGES = st.sampled_from(["uint8", "uint16", "float32", "float64", "int32", "bool"]).flatmap(
    lambda dtype: arrays.arrays(dtype, arrays.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=40))
)


def shown(image: Any, **options: Any) -> Picture:
    usual: dict[str, Any] = {"rect": None, "size": (512, 512), "bits": 8, "limits": (None, None), "labels": False}
    return picture(image, image.shape[:2], spread=histogram(flat(image)), **usual | options)


@settings(deadline=None, max_examples=200)
@given(image=IMAGES, bits=st.sampled_from([8, 16]), labels=st.booleans(), size=st.tuples(*[st.integers(1, 50)] * 2))
def test_any_image(image: Any, bits: Any, labels: bool, size: tuple[int, int]) -> None:
    labels = labels and image.dtype.kind in "iu"
    with np.errstate(all="ignore"):
        made = shown(image, bits=bits, labels=labels, size=size)
    assert made.pixels.dtype == (np.uint8 if bits == 8 else np.uint16)
    assert made.pixels.shape[0] <= min(size[0], image.shape[0])
    assert made.pixels.shape[1] <= min(size[1], image.shape[1])
    assert np.isfinite([made.low, made.high]).all()


@settings(deadline=None)
@given(image=arrays.arrays(np.uint16, (9, 13)))
def test_sixteen_bits_are_the_raw_values(image: Any) -> None:
    made = shown(image, bits=16)
    assert np.array_equal(made.pixels, image)
    assert made.values == (0, 65535)
    assert np.array_equal(shown(image.astype(np.float64), bits=16).pixels, image) or np.ptp(image) < 256


def test_fractions_are_stretched_and_their_range_is_told() -> None:
    image = np.linspace(-1, 2, 256, dtype=np.float32).reshape(16, 16)
    image[0, 0] = np.nan
    made = shown(image, bits=16)
    assert made.values is not None
    begin, end = made.values
    back = begin + made.pixels * (end - begin) / 65535
    assert np.abs(back - image)[1:].max() < 1e-4


def test_eight_bits_between_low_and_high() -> None:
    image = np.array([[0, 100, 150, 200, 60_000]], np.uint16)
    assert shown(image, limits=(100, 200)).pixels.tolist() == [[0, 0, 128, 255, 255]]


BYTES = st.sampled_from(["uint8", "uint16", "float32"]).flatmap(lambda dtype: arrays.arrays(dtype, (3, 5)))


@settings(deadline=None, max_examples=300)
@given(image=BYTES, low=st.floats(-1e6, 1e6, width=32), span=st.sampled_from([0.0, 1e-3, 1.0, 300.0, 65535.0, 1e9]))
def test_bytes_are_those_of_the_definition(image: Any, low: float, span: float) -> None:
    with np.errstate(all="ignore"):
        made = stretched(image, low, low + span, 255, np.uint8)
        part_of_span = (image.astype(np.float64) - low) / max(span, 1e-12)
        expected = np.nan_to_num(np.clip(part_of_span, 0, 1) * 255)
        rounding = np.spacing(np.float32(np.abs(image).max(initial=0) + abs(low))) / max(span, 1e-12) * 255
    close = np.abs(made - expected) <= 0.51 + (rounding if np.isfinite(rounding) else 0)
    assert np.all(close | (image == low)), (made, expected)


def test_black_and_white_are_percentiles() -> None:
    image = np.random.default_rng(1).normal(1000, 100, (500, 500)).astype(np.uint16)
    made = shown(image)
    assert abs(made.low - np.percentile(image, 0.35)) <= 1
    assert abs(made.high - np.percentile(image, 99.65)) <= 1
    fractions = shown(image / 7.0)
    assert abs(fractions.low - np.percentile(image / 7, 0.35)) < 0.1
    assert abs(fractions.high - np.percentile(image / 7, 99.65)) < 0.1


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_histogram_counts_every_pixel(dtype: str) -> None:
    image = np.random.default_rng(1).uniform(0, 200, (60, 70)).astype(dtype)
    spread = histogram(image)
    assert spread.counts.sum() == image.size
    assert spread.counts.dtype == np.uint32
    if dtype == "uint8":
        assert np.array_equal(spread.counts, np.bincount(image.ravel(), minlength=256))


def test_smaller_is_the_mean() -> None:
    image = np.arange(64, dtype=np.uint16).reshape(8, 8) * 10
    means = image.reshape(4, 2, 4, 2).mean(axis=(1, 3))
    assert np.array_equal(smaller(image, (4, 100), labels=False), means)
    assert smaller(image, (100, 100), labels=False) is image


def test_labels_are_never_mixed() -> None:
    labels = np.zeros((40, 40), np.int32)
    labels[:20], labels[20:] = 7, 70_000
    made = shown(labels, labels=True, size=(13, 13), bits=16)
    assert set(np.unique(made.pixels)) == {7, 70_000 - 65_535}
    assert set(np.unique(shown(labels, labels=True, size=(13, 13)).pixels)) == {7, (70_000 - 1) % 255 + 1}


@settings(deadline=None)
@given(
    places=st.tuples(*[st.floats(-50, 250, allow_nan=False)] * 4),
    scale=st.sampled_from([0.5, 1.0, 2.0]),
)
def test_what_is_shown_covers_what_is_wanted(places: tuple[float, ...], scale: float) -> None:
    y0, x0, y1, x1 = places
    raw = (100, 200)
    shape = (int(100 * scale), int(200 * scale))
    rows, columns, rect = part(shape, raw, (min(y0, y1), min(x0, x1), max(y0, y1) + 1, max(x0, x1) + 1))
    assert 0 <= rows.start < rows.stop <= shape[0]
    assert 0 <= columns.start < columns.stop <= shape[1]
    assert rect == (rows.start / scale, columns.start / scale, rows.stop / scale, columns.stop / scale)
    if min(y0, y1) >= 0 and max(y0, y1) + 1 <= 100:
        assert rect[0] <= min(y0, y1) + 1e-6
        assert rect[2] >= max(y0, y1) + 1 - 1e-6


def test_colours_stay_three() -> None:
    image = np.random.default_rng(1).integers(0, 255, (30, 40, 3), np.uint8)
    assert np.array_equal(shown(image, limits=(0, 255)).pixels, image)
    assert shown(image, size=(15, 15)).pixels.shape == (11, 15, 3)
    assert shown(np.zeros((8, 9, 5), np.uint16)).pixels.shape == (8, 9)
