"""Outlines hold exactly the pixels of their objects."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

from onscope.runtime import PipelineError
from onscope.runtime.objects import outlines, polygons

from .images import Labels, ellipses, label_images

Ring = np.ndarray[Any, Any]


def area(ring: Ring) -> float:
    """By the shoelace formula; above 0 when it goes clockwise, the first row being on top."""
    y, x = ring.T
    return float(np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y) / 2)


def filled(shape: tuple[int, int], rings: tuple[Ring, ...]) -> np.ndarray[Any, Any]:
    """How many times each pixel's centre is inside of the rings (holes once less), by counting edges to its left."""
    count = np.zeros(shape, int)
    columns = np.arange(shape[1])
    for ring in rings:
        for (y, x), (below, _) in zip(ring, np.roll(ring, -1, axis=0), strict=True):
            if y != below:
                rows = slice(int(min(y, below) + 0.5), int(max(y, below) + 0.5))
                count[rows, columns > x] += 1 if below < y else -1
    return count


@given(label_images(largest=14))
@settings(max_examples=300, deadline=None)
def test_parts_and_holes_are_the_object_s_pixels(labels: Labels) -> None:
    found = outlines(labels)
    assert list(found) == [label for label in np.unique(labels) if label]
    for label, outline in found.items():
        total = np.zeros(labels.shape, int)
        for outer, *holes in outline.parts:
            part = filled(labels.shape, (outer, *holes))
            assert set(np.unique(part)) <= {0, 1}
            assert area(outer) > 0
            assert all(area(hole) < 0 for hole in holes)
            assert area(outer) + sum(map(area, holes)) == part.sum()
            # No hole reaches out of its own outer ring.
            assert not (filled(labels.shape, (outer,)) - part < 0).any()
            total += part
        np.testing.assert_array_equal(total, labels == label)
        sizes = [area(outer) for outer, *_ in outline.parts]
        assert sizes == sorted(sizes, reverse=True)
        assert outline.outer is outline.parts[0][0]


@given(label_images(largest=14))
@settings(max_examples=100, deadline=None)
def test_rings_touch_themselves_nowhere_and_have_no_flat_corners(labels: Labels) -> None:
    for outline in outlines(labels).values():
        for part in outline.parts:
            for ring in part:
                steps = np.roll(ring, -1, axis=0) - ring
                assert ((steps == 0).sum(axis=1) == 1).all()  # along one axis each
                across = steps[:, 0] == 0
                assert (across != np.roll(across, 1)).all()  # and each turns
                lattice = [tuple(corner) for corner in unit_steps(ring)]
                assert len(set(lattice)) == len(lattice)


def unit_steps(ring: Ring) -> Ring:
    """All pixel corners along a ring."""
    ways = np.roll(ring, -1, axis=0) - ring
    lengths = np.abs(ways).sum(axis=1).astype(int)
    return np.concatenate(
        [corner + np.arange(n)[:, None] * way / n for corner, way, n in zip(ring, ways, lengths, strict=True)]
    )


def test_one_pixel() -> None:
    labels = np.zeros((4, 5), np.int32)
    labels[1, 3] = 7
    assert {label: ring.tolist() for label, ring in polygons(labels).items()} == {
        7: [[0.5, 2.5], [0.5, 3.5], [1.5, 3.5], [1.5, 2.5]]
    }


def test_pixels_that_meet_in_a_corner_are_two_parts() -> None:
    (outline,) = outlines(np.array([[0, 1], [1, 0]], np.int32)).values()
    assert [area(outer) for (outer,) in outline.parts] == [1, 1]


def test_a_hole_that_touches_the_outside_in_a_corner_is_a_hole() -> None:
    labels = np.array([[0, 1, 1], [1, 0, 1], [1, 1, 1]], np.int32)
    (outline,) = outlines(labels).values()
    ((outer, hole),) = outline.parts
    assert (area(outer), area(hole)) == (8, -1)


def test_a_ring_in_a_ring() -> None:
    y, x = np.ogrid[-20:21, -20:21]
    away = np.maximum(abs(y), abs(x))
    labels = np.isin(away // 4, (0, 2, 4)).astype(np.int32)
    (outline,) = outlines(labels).values()
    assert [[area(ring) for ring in part] for part in outline.parts] == [[39**2, -(31**2)], [23**2, -(15**2)], [7**2]]


def test_labels_of_more_pixels_tell_raw_pixels() -> None:
    labels = ellipses(60, 9)
    larger = outlines(labels.repeat(3, axis=0).repeat(3, axis=1), 3)
    for label, outline in outlines(labels).items():
        for part, other in zip(outline.parts, larger[label].parts, strict=True):
            for ring, same in zip(part, other, strict=True):
                np.testing.assert_allclose(same, ring)


@pytest.mark.parametrize("shape", [(0, 0), (0, 5), (4, 4)])
def test_no_objects_have_no_outlines(shape: tuple[int, int]) -> None:
    assert outlines(np.zeros(shape, np.int32)) == polygons(np.zeros(shape, np.int32)) == {}


def test_areas_of_many_objects() -> None:
    labels = ellipses(512, 5000, seed=3)
    sizes = np.bincount(labels.ravel())
    found = outlines(labels)
    assert len(found) == 5000
    for label, outline in found.items():
        assert sum(area(ring) for part in outline.parts for ring in part) == sizes[label]


def test_what_is_no_label_image_is_refused() -> None:
    with pytest.raises(PipelineError, match=r"found an image of float64.*expected whole numbers"):
        outlines(np.zeros((3, 3)))
    with pytest.raises(PipelineError, match="expected a number above 0"):
        polygons(np.zeros((3, 3), int), 0)
