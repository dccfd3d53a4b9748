"""Levels of large images: their sizes, their values, and where their pixels are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr
from hypothesis import given, settings
from hypothesis import strategies as st
from yaozarrs import validate_zarr_store

from onscope.runtime.record._derived_image import DerivedImage
from onscope.runtime.record._pyramid import SIDE, halved, level_count, nearest, pyramid
from onscope.runtime.record._raw_axes import RawAxes

from ._made import noise

DTYPES = ["bool", "uint8", "int8", "uint16", "int16", "int32", "uint32", "int64", "float16", "float32", "float64"]


def mean_by_hand(pixels: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Block by block in 64 bits (integers rounded half up); an odd size's last row and column are there twice."""
    height, width = pixels.shape[:2]
    wide = pixels.astype(np.float64)
    half = np.zeros((-(-height // 2), -(-width // 2), *pixels.shape[2:]))
    for y in range(half.shape[0]):
        for x in range(half.shape[1]):
            rows = [2 * y, min(2 * y + 1, height - 1)]
            columns = [2 * x, min(2 * x + 1, width - 1)]
            half[y, x] = sum(wide[row, column] for row in rows for column in columns) / 4
    return half if pixels.dtype.kind == "f" else np.floor(half + 0.5)


@settings(max_examples=150, deadline=None)
@given(
    size=st.tuples(st.integers(1, 9), st.integers(1, 9)),
    samples=st.sampled_from([None, 1, 3, 5]),
    dtype=st.sampled_from(DTYPES),
    seed=st.integers(0, 1000),
)
def test_half_an_image_has_the_means_of_its_blocks(
    size: tuple[int, int], samples: int | None, dtype: str, seed: int
) -> None:
    shape = size if samples is None else (*size, samples)
    pixels = np.random.default_rng(seed).integers(0, 120, shape).astype(dtype)
    if dtype == "uint16":
        pixels += np.uint16(65415)
    pixels.flags.writeable = False
    half = halved(pixels)
    assert half.dtype == pixels.dtype
    np.testing.assert_allclose(half.astype(np.float64), mean_by_hand(pixels), rtol=2e-3 if dtype == "float16" else 1e-6)


def test_labels_are_never_mixed() -> None:
    ids = np.random.default_rng(1).integers(0, 2**31 - 1, (7, 10)).astype(np.int32)
    small = nearest(ids)
    assert small.shape == (4, 5)
    np.testing.assert_array_equal(small, ids[::2, ::2], strict=True)


def test_what_is_not_a_number_stays_so() -> None:
    pixels = np.ones((4, 4), np.float32)
    pixels[0, 0] = np.nan
    np.testing.assert_array_equal(halved(pixels), [[np.nan, 1], [1, 1]])


@settings(max_examples=40, deadline=None)
@given(height=st.integers(1, 3000), width=st.integers(1, 3000))
def test_levels_end_when_a_screen_holds_them(height: int, width: int) -> None:
    levels = pyramid(np.broadcast_to(np.uint8(3), (height, width)), labels=True)
    assert len(levels) == level_count(height, width)
    assert levels[-1].shape[0] <= SIDE >= levels[-1].shape[1]
    assert all(max(level.shape) > SIDE for level in levels[:-1])


@pytest.mark.parametrize("labels", [False, True])
def test_levels_are_valid_ome_zarr_with_pixels_where_they_are(tmp_path: Path, labels: bool) -> None:
    path = tmp_path / "image.ome.zarr"
    dtype = "int32" if labels else "float32"
    shape = (2100, 1500)
    image = DerivedImage(path, "tcz", shape, dtype, labels=labels, alone=labels, scale=2.0, pixel_size_um=0.1)
    answer = noise(shape, dtype, 1)
    for future in image.write((1, 1, 0), answer):
        future.result()
    image.present.mark((1, 1, 0))
    image.close(RawAxes("tcz", (3, 2, 1), interval_s=2.5, step_um=0.4))
    validate_zarr_store(str(path))
    group = zarr.open_group(path, mode="r")
    ome: Any = group.attrs["ome"]
    levels = ome["multiscales"][0]["datasets"]
    assert [level["path"] for level in levels] == ["0", "1", "2"]
    for number, (level, expected) in enumerate(zip(levels, pyramid(answer, labels=labels), strict=True)):
        array: Any = group[level["path"]]
        assert array.shape == (3, 2, 1, *expected.shape)
        assert array.chunks == (1, 1, 1, *expected.shape)
        np.testing.assert_array_equal(array[1, 1, 0], expected, strict=True)
        np.testing.assert_array_equal(array[0, 1, 0, :2, :2], np.full((2, 2), 0 if labels else np.nan))
        scale, shift = level["coordinateTransformations"]
        size = 0.1 * 2**number
        assert scale["scale"] == pytest.approx([2.5, 1, 0.4, size, size])
        # Borders coincide: the first raw pixel (0.2 um) begins 0.1 um before its centre, as these pixels do.
        assert shift["translation"] == pytest.approx([0, 0, 0, size / 2 - 0.1, size / 2 - 0.1])
    there: Any = group["present"]
    assert np.argwhere(there[:]).tolist() == [[1, 1, 0]]
    assert there.metadata.dimension_names == ("t", "c", "z")
    about: Any = group.attrs["onscope"]
    assert about["missing"] == 5


def test_samples_are_the_axis_of_channels(tmp_path: Path) -> None:
    path = tmp_path / "image.ome.zarr"
    image = DerivedImage(path, "tz", (6, 5, 3), "uint8")
    answer = noise((6, 5, 3), "uint8", 1)
    for at in ((0, 1), (300, 0)):
        for future in image.write(at, answer):
            future.result()
        image.present.mark(at)
    image.close()
    validate_zarr_store(str(path))
    group = zarr.open_group(path, mode="r")
    array: Any = group["0"]
    assert array.metadata.dimension_names == tuple("tczyx")
    assert array.shape == (301, 3, 2, 6, 5)
    np.testing.assert_array_equal(array[300, :, 0], np.moveaxis(answer, -1, 0), strict=True)
    np.testing.assert_array_equal(array[0, :, 1], np.moveaxis(answer, -1, 0), strict=True)
    there: Any = group["present"]
    assert np.argwhere(there[:]).tolist() == [[0, 1], [300, 0]]
