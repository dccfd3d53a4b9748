"""Objects are measured as scikit-image measures them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from skimage.measure import regionprops_table

from onscope.runtime import PipelineError
from onscope.runtime.objects import measure, measured_columns

from .images import Labels, ellipses, label_images

SAME = {
    "label": "label",
    "centroid-0": "y",
    "centroid-1": "x",
    "bbox-0": "y0",
    "bbox-1": "x0",
    "bbox-2": "y1",
    "bbox-3": "x1",
    "area": "area",
    "axis_major_length": "axis_major_length",
    "axis_minor_length": "axis_minor_length",
    "eccentricity": "eccentricity",
    "equivalent_diameter_area": "equivalent_diameter_area",
    "extent": "extent",
    "intensity_mean": "intensity_mean_frame",
    "intensity_min": "intensity_min_frame",
    "intensity_max": "intensity_max_frame",
    "intensity_std": "intensity_std_frame",
}
ASKED = ["label", "centroid", "bbox", "orientation", *(name for name in SAME if "-" not in name and name != "label")]


def assert_as_scikit_image(labels: Labels, image: np.ndarray[Any, Any]) -> None:
    """All columns; scikit-image numbers its work by label, so it is given the same objects with small labels."""
    table = measure(labels, {"frame": image})
    known, small = np.unique(labels, return_inverse=True)
    small = small.reshape(labels.shape) + (0 if 0 in known else 1)
    # As float64: of float32 and float16 images it gives means in their own type.
    expected = regionprops_table(small, image.astype(np.float64), ASKED)  # type: ignore[no-untyped-call]
    np.testing.assert_array_equal(table["label"], known[known > 0])
    for theirs, ours in SAME.items():
        if theirs != "label":
            # Of a nearly round object their eccentricity is the root of rounding.
            np.testing.assert_allclose(table[ours], expected[theirs], rtol=1e-5, atol=2e-5, err_msg=ours)
    # The direction of a round object is nobody's to tell.
    long = table["eccentricity"] > 0.01
    turned = (table["orientation"] - expected["orientation"])[long]
    np.testing.assert_allclose(np.sin(turned), 0, atol=1e-4)  # -90 and 90 degrees are one direction


@given(label_images(), st.sampled_from(["uint8", "uint16", "int16", "float32", "float64"]), st.integers(0, 99))
@settings(max_examples=150, deadline=None)
def test_any_label_image(labels: Labels, dtype: str, seed: int) -> None:
    image = np.random.default_rng(seed).uniform(0, 255, labels.shape).astype(dtype)
    if labels.any():
        assert_as_scikit_image(labels, image)
    else:
        assert measure(labels, {"frame": image}).shape == (0,)


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("image", "mask"),
    [
        ("nuclei_with_labels_stardist/img2d.tif", "nuclei_with_labels_stardist/mask2d.tif"),
        ("cells_mcf10a_pyclm/mcf10a.tif", "cells_mcf10a_pyclm/mcf10a_seg.tif"),
    ],
)
def test_real_nuclei(shared_data: Path, image: str, mask: str) -> None:
    counts, labels = (np.squeeze(tifffile.imread(shared_data / each)) for each in (image, mask))
    assert labels.max() > 100
    assert_as_scikit_image(labels, counts)


@pytest.mark.parametrize("n", [1, 100, 5000])
def test_many_objects(n: int) -> None:
    labels = ellipses(640, n, seed=n)
    image = np.random.default_rng(n).poisson(500, labels.shape).astype(np.uint16)
    assert len(measure(labels)) == n
    assert_as_scikit_image(labels, image)


def test_one_object_that_fills_the_image() -> None:
    assert_as_scikit_image(np.full((7, 12), 3, np.int32), np.arange(84, dtype=np.uint16).reshape(7, 12))


@pytest.mark.parametrize("shape", [(0, 0), (0, 5), (5, 0), (6, 8)])
def test_no_objects_are_no_rows(shape: tuple[int, int]) -> None:
    table = measure(np.zeros(shape, np.int32), {"frame": np.zeros(shape, np.uint16)}, 0.1)
    assert table.shape == (0,)
    assert table.dtype == np.dtype(measured_columns(["frame"]))


def test_a_single_pixel() -> None:
    labels = np.zeros((5, 6), np.int32)
    labels[2, 3] = 9
    (row,) = measure(labels, {"frame": labels * 10}, 0.5)
    assert [row[name] for name in ("label", "y", "x", "y0", "x0", "y1", "x1", "area")] == [9, 2, 3, 2, 3, 3, 4, 1]
    assert row["axis_major_length"] == row["axis_minor_length"] == row["eccentricity"] == 0
    assert row["intensity_mean_frame"] == row["intensity_max_frame"] == 90
    assert [row[name] for name in ("y_um", "x_um", "area_um2")] == [1, 1.5, 0.25]
    assert not row["touches_border"]


def test_borders_that_are_touched() -> None:
    """Pass: from a pixel short of the border on, where the outlines of a network with a grid of two end."""
    labels = np.zeros((9, 9), np.int32)
    labels[4, 4], labels[0, 4], labels[8, 4], labels[4, 0], labels[4, 8] = 1, 2, 3, 4, 5
    labels[1, 2], labels[7, 2], labels[2, 6], labels[6, 2] = 6, 7, 8, 9
    assert measure(labels)["touches_border"].tolist() == [False, True, True, True, True, True, True, False, False]
    halves = np.zeros((9, 9), np.int32)
    halves[0, 4], halves[1, 2], halves[8, 4] = 1, 2, 3
    assert measure(halves, scale=0.5)["touches_border"].tolist() == [True, False, True]


def test_micrometres_are_not_numbers_without_a_pixel_size() -> None:
    table = measure(np.ones((3, 3), np.int32))
    assert all(np.isnan(table[name]).all() for name in ("y_um", "x_um", "area_um2"))


@given(label_images(largest=12), st.integers(2, 4))
@settings(max_examples=50, deadline=None)
def test_labels_of_more_pixels_tell_raw_pixels(labels: Labels, scale: int) -> None:
    """Each pixel repeated is the same object, but for the shape of a pixel itself."""
    image = np.random.default_rng(scale).integers(0, 4096, labels.shape).astype(np.uint16)
    larger = labels.repeat(scale, axis=0).repeat(scale, axis=1)
    plain, table = measure(labels, {"frame": image}, 0.3), measure(larger, {"frame": image}, 0.3, scale)
    for name in table.dtype.names or ():
        if not name.startswith(("axis", "orientation", "eccentricity")):
            np.testing.assert_allclose(table[name], plain[name], rtol=1e-5, atol=1e-5, err_msg=name)


def test_an_image_of_more_pixels_than_the_labels_is_averaged() -> None:
    image = np.arange(64, dtype=np.uint16).reshape(8, 8)
    labels = np.arange(16, dtype=np.int32).reshape(4, 4)
    means = image.reshape(4, 2, 4, 2).mean(axis=(1, 3)).ravel()[1:]
    np.testing.assert_allclose(measure(labels, {"large": image})["intensity_mean_large"], means)


def test_raw_pixels_of_a_box_hold_the_object() -> None:
    labels = np.zeros((20, 20), np.int32)
    labels[5:8, 9:10] = 1
    (row,) = measure(labels, scale=2)
    assert [row[name] for name in ("y0", "x0", "y1", "x1")] == [2, 4, 4, 5]
    assert row["extent"] == 1


def test_a_pixel_that_is_no_number_spoils_its_own_object_alone() -> None:
    labels = np.array([[1, 1, 0, 2, 2]], np.int32)
    table = measure(labels, {"frame": np.array([[1, np.nan, np.inf, 3, 5]], np.float32)})
    assert np.isnan([table[f"intensity_{what}_frame"][0] for what in ("mean", "min", "max", "std")]).all()
    assert [table[f"intensity_{what}_frame"][1] for what in ("mean", "min", "max", "std")] == [4, 3, 5, 1]


@pytest.mark.filterwarnings("error")
def test_pixels_beyond_all_bounds_are_infinite() -> None:
    table = measure(np.ones((1, 3), np.int32), {"frame": np.array([[1e300, -1e300, np.inf]])})
    assert table["intensity_max_frame"] == np.inf
    assert table["intensity_min_frame"] == -np.inf
    assert np.isnan(table["intensity_std_frame"])


def test_the_spread_of_bright_pixels_is_exact() -> None:
    labels = np.ones((2, 2), np.int32)
    image = np.array([[1e9, 1e9 + 2], [1e9, 1e9 + 2]])
    assert measure(labels, {"frame": image})["intensity_std_frame"] == 1


@pytest.mark.parametrize("dtype", ["uint8", "int16", "uint16", "uint32", "int64", "uint64"])
def test_whole_numbers_of_any_type_are_labels(dtype: str) -> None:
    labels = np.array([[0, 1], [2, 2]])
    np.testing.assert_array_equal(measure(labels.astype(dtype), {}, 1), measure(labels.astype(np.int32), {}, 1))


def test_views_are_measured_as_they_look() -> None:
    labels = ellipses(64, 9)
    np.testing.assert_array_equal(measure(labels.T, {}, 1), measure(labels.T.copy(), {}, 1))
    np.testing.assert_array_equal(measure(labels[::2, ::-1], {}, 1), measure(labels[::2, ::-1].copy(), {}, 1))


@pytest.mark.parametrize(
    ("labels", "found"),
    [
        (np.zeros((3, 3), np.float32), "an image of float32"),
        (np.zeros((2, 3, 3), np.int32), r"an image of int32 with the shape \(2, 3, 3\)"),
        (np.full((3, 3), -4), "the label -4"),
        (np.full((3, 3), 2**31), "the label 2147483648"),
    ],
)
def test_what_is_no_label_image_is_refused(labels: np.ndarray[Any, Any], found: str) -> None:
    with pytest.raises(PipelineError, match=f"found {found}.*expected"):
        measure(labels)


@pytest.mark.parametrize("image", [np.zeros((4, 4, 3)), np.zeros((4, 5)), np.zeros((0, 0)), np.zeros((4, 4), complex)])
def test_an_image_of_another_field_is_refused(image: np.ndarray[Any, Any]) -> None:
    with pytest.raises(PipelineError, match=r"intensity 'green'.*expected"):
        measure(np.ones((4, 4), np.int32), {"green": image})


@pytest.mark.parametrize("scale", [0, -1, np.nan, np.inf])
def test_a_scale_is_a_number_above_0(scale: float) -> None:
    with pytest.raises(PipelineError, match="expected a number above 0"):
        measure(np.ones((4, 4), np.int32), scale=scale)
