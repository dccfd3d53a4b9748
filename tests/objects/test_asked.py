"""Columns that are asked for are those of scikit-image."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from skimage.measure import regionprops_table

from onscope.runtime import PipelineError
from onscope.runtime.objects import ASKED, _hulls, measure, measured_columns

from .images import Labels, ellipses, label_images


def assert_as_scikit_image(labels: Labels) -> None:
    table = measure(labels, columns=ASKED)
    known, small = np.unique(labels, return_inverse=True)
    small = small.reshape(labels.shape) + (0 if 0 in known else 1)
    expected = regionprops_table(small, properties=["label", *ASKED])  # type: ignore[no-untyped-call]
    for name in ASKED:
        np.testing.assert_allclose(table[name], expected[name], rtol=1e-6, err_msg=name)


@given(label_images(largest=20))
@settings(max_examples=100, deadline=None)
def test_any_label_image(labels: Labels) -> None:
    if labels.any():
        assert_as_scikit_image(labels)
    else:
        assert len(measure(labels, columns=ASKED)) == 0


@pytest.mark.parametrize(("n", "largest"), [(1, 150), (40, 20), (400, 14)])
def test_objects_as_in_images(n: int, largest: float) -> None:
    assert_as_scikit_image(ellipses(256, n, seed=n, largest=largest))


def test_objects_in_parts_with_empty_rows_between() -> None:
    labels = np.zeros((30, 40), np.int32)
    labels[2, 3], labels[20:22, 30:35], labels[10, 0] = 1, 1, 2
    labels[12, 39] = 2
    assert_as_scikit_image(labels)


def test_pairs_are_looked_at_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    labels = ellipses(256, 100, seed=5)
    whole = measure(labels, columns=["feret_diameter_max"])
    monkeypatch.setattr(_hulls, "PAIRS", 100)
    np.testing.assert_array_equal(
        measure(labels, {}, 1, columns=["feret_diameter_max"])["feret_diameter_max"], whole["feret_diameter_max"]
    )


def test_what_is_asked_for_is_there_and_in_raw_pixels() -> None:
    labels = ellipses(60, 4)
    assert "solidity" not in (measure(labels).dtype.names or ())
    table = measure(labels, scale=2, columns=["perimeter", "solidity", "area_convex", "feret_diameter_max"])
    plain = measure(labels, columns=ASKED)
    assert table.dtype == np.dtype(measured_columns([], ["perimeter", "solidity", "area_convex", "feret_diameter_max"]))
    np.testing.assert_allclose(table["perimeter"], plain["perimeter"] / 2)
    np.testing.assert_allclose(table["area_convex"], plain["area_convex"] / 4)
    np.testing.assert_allclose(table["feret_diameter_max"], plain["feret_diameter_max"] / 2)
    np.testing.assert_allclose(table["solidity"], plain["solidity"])


@pytest.mark.parametrize("columns", [["roundness"], ["area"], ["perimeter", "perimeter"]])
def test_other_columns_are_refused(columns: list[str]) -> None:
    with pytest.raises(PipelineError, match=f"found the columns .*{columns[0]}.*expected some of perimeter"):
        measure(np.ones((3, 3), np.int32), columns=columns)
