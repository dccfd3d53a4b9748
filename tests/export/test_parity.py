"""The proof: it sees what is wrong, and no package is written then."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onscope.export import MAX_LIMIT, P999_LIMIT, Parity, compare
from onscope.runtime import ExportError

from .networks import TwoFaced, TwoFacedCounts, TwoFacedPoints

POINTS = {"decode": "points", "columns": ["y", "x", "score"], "threshold": 0.5}


def parity(expected: Any, found: Any, settings: dict[str, Any] | None = None) -> Parity:
    return compare(expected, found, output="image", where="test", size=(1, 1), settings=settings or {"decode": "image"})


@pytest.mark.parametrize(
    ("network", "kind", "options"),
    [
        (TwoFaced(0.01), "float32", {}),
        (TwoFacedCounts(2.0), "uint16", {}),
        (TwoFacedPoints(0.5), "uint16", {"settings": POINTS}),
        (TwoFacedPoints(500.0), "uint16", {"settings": POINTS}),
    ],
)
def test_a_wrong_export_is_refused_with_its_numbers(
    make: Any, tmp_path: Path, network: Any, kind: str, options: Any
) -> None:
    frame = (np.random.default_rng(0).random((1, 1, 24, 24)) * (1 if kind == "float32" else 1000)).astype(kind)
    with pytest.raises(
        ExportError, match=r"not equal to the network: .* is off by \d.* of its range .*limits 0.0002 and"
    ):
        make(network, frame, **options)
    assert list(tmp_path.iterdir()) == []


def test_a_refused_export_leaves_the_package_that_was_there(make: Any, tmp_path: Path) -> None:
    frame = np.random.default_rng(0).random((1, 1, 24, 24), np.float32)
    make(TwoFaced(0.0), frame)
    before = {path.name: path.read_bytes() for path in (tmp_path / "package").iterdir()}
    with pytest.raises(ExportError, match="not equal"):
        make(TwoFaced(0.5), frame, overwrite=True)
    assert {path.name: path.read_bytes() for path in (tmp_path / "package").iterdir()} == before
    assert [path.name for path in tmp_path.iterdir()] == ["package"]


@pytest.mark.parametrize("network", [TwoFaced(0.0), TwoFacedCounts(0.0)])
def test_the_same_networks_without_the_lie_pass(make: Any, network: Any) -> None:
    kind = "uint16" if isinstance(network, TwoFacedCounts) else "float32"
    assert make(network, np.arange(24 * 24).reshape(1, 1, 24, 24).astype(kind)).passed


@settings(deadline=None)
@given(seed=st.integers(0, 1000), scale=st.floats(1e-3, 1e6), error=st.floats(0, 0.9 * P999_LIMIT))
def test_float_errors_below_the_limits_pass(seed: int, scale: float, error: float) -> None:
    random = np.random.default_rng(seed)
    expected = (scale * random.random((1, 1, 20, 30))).astype(np.float64)
    span = expected.max() - expected.min()
    assert parity(expected, expected + error * span * random.uniform(-1, 1, expected.shape)).passed


@settings(deadline=None)
@given(seed=st.integers(0, 1000), scale=st.floats(1e-3, 1e6), error=st.floats(1.1 * MAX_LIMIT, 10))
def test_one_wrong_pixel_fails(seed: int, scale: float, error: float) -> None:
    random = np.random.default_rng(seed)
    expected = scale * random.random((1, 1, 20, 30))
    found = expected.copy()
    found[0, 0, 3, 4] += error * (expected.max() - expected.min())
    result = parity(expected, found)
    assert not result.passed
    assert result.max_relative == pytest.approx(error, rel=1e-6)


def test_counts_may_flip_by_one_as_often_as_rounding_explains() -> None:
    expected = np.arange(40000, dtype=np.uint16).reshape(1, 1, 200, 200)
    found = expected.copy()
    found[..., ::2] += 1
    result = parity(expected, found)
    assert (result.passed, result.max_abs, result.differing) == (True, 1.0, 0.5)
    found[0, 0, 0, 0] += 2
    assert not parity(expected, found).passed


def test_labels_may_not_flip_that_often() -> None:
    expected = np.tile(np.array([0, 1, 2], np.uint8), 3000).reshape(1, 1, 90, 100)
    found = expected.copy()
    found[..., :5, :] = 2 - found[..., :5, :]
    assert not parity(expected, found).passed
    found = expected.copy()
    found[..., ::4] |= 1
    assert not parity(expected, found).passed


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_values_that_are_none_fail(bad: float) -> None:
    good = np.ones((1, 1, 8, 8), np.float32)
    broken = good.copy()
    broken[0, 0, 1, 1] = bad
    assert not parity(good, broken).passed
    assert "network's own output" in parity(broken, broken).reason


def test_another_shape_or_dtype_fails() -> None:
    good = np.ones((1, 1, 8, 8), np.float32)
    assert "became" in parity(good, good[..., :7]).reason
    assert "became" in parity(good, good.astype(np.float64)).reason


def test_a_constant_output_is_compared_by_its_size() -> None:
    assert parity(np.zeros((4, 4)), np.zeros((4, 4))).passed
    assert not parity(np.zeros((4, 4)), np.full((4, 4), 0.1)).passed
    assert not parity(np.full((4, 4), 1e-6), np.full((4, 4), 2e-6)).passed


@settings(deadline=None)
@given(seed=st.integers(0, 1000), rows=st.integers(0, 40))
def test_points_have_no_order_among_equal_scores(seed: int, rows: int) -> None:
    random = np.random.default_rng(seed)
    points = np.column_stack([random.random((rows, 2)) * 100, np.full(rows, 0.75)]).astype(np.float32)
    padded = np.concatenate([points, np.zeros((5, 3), np.float32)])
    result = parity(padded, np.concatenate([points[random.permutation(rows)], np.zeros((5, 3), np.float32)]), POINTS)
    assert (result.passed, result.rows, result.max_abs, result.unpaired) == (True, rows, 0.0, 0)


def test_a_point_too_few_fails_and_one_at_the_threshold_does_not() -> None:
    points = np.array([[1, 2, 0.9], [5, 9, 0.8], [7, 3, 0.5], [0, 0, 0]], np.float32)
    fewer = points.copy()
    fewer[1, 2] = 0.1
    assert parity(points, fewer, POINTS).unpaired == 1
    assert not parity(points, fewer, POINTS).passed
    nearly = points.copy()
    nearly[2, 2] = np.nextafter(np.float32(0.5), np.float32(0))
    assert parity(points, nearly, POINTS).passed


def test_points_below_the_threshold_do_not_count() -> None:
    points = np.array([[1, 2, 0.9], [5, 9, 0.8], [7, 3, 0.2]], np.float32)
    moved = points.copy()
    moved[2, :2] += 30
    assert parity(points, moved, POINTS).passed
