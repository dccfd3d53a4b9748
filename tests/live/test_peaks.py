"""Peaks of heat maps: where they are, which are left out, and how many there may be."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from onscope.runtime import PipelineError, ProviderError
from onscope.runtime.decode import check_settings, decoder
from onscope.runtime.decode._peaks import alone, candidates_of

AXES = ["batch", "channel", "y", "x"]
MAPS = arrays.arrays(
    np.float32,
    st.tuples(st.integers(1, 3), st.integers(1, 12), st.integers(1, 12)),
    elements=st.one_of(st.sampled_from([0.0, 0.5, 1.0]), st.floats(0, 1, width=32)),
)


def peaks(maps: np.ndarray, **more: Any) -> np.ndarray:
    decode = decoder(AXES, {"decode": "peaks", **more})
    table, axes = decode(maps[None].astype(np.float32))
    assert (axes, table.dtype.name, table.shape[1]) == ("ic", "float32", len(decode.columns))
    assert np.all(np.diff(table[:, 3]) <= 0)
    return table


def gaussians(shape: tuple[int, int], places: np.ndarray, sigma: float = 1.5, height: float = 0.9) -> np.ndarray:
    y, x = np.mgrid[: shape[0], : shape[1]]
    far = (y[..., None] - places[:, 0]) ** 2 + (x[..., None] - places[:, 1]) ** 2
    return np.asarray(height * np.exp(-far / (2 * sigma**2)).max(axis=-1), np.float32)


@settings(max_examples=60, deadline=None)
@given(MAPS, st.integers(1, 3), st.floats(0, 1))
def test_peaks_are_those_of_looking_at_every_pixel(maps: np.ndarray, distance: int, threshold: float) -> None:
    expected = []
    for channel, one in enumerate(maps):
        for y, x in np.ndindex(*one.shape):
            beside = one[max(0, y - distance) : y + distance + 1, max(0, x - distance) : x + distance + 1]
            if one[y, x] >= beside.max() and one[y, x] > beside.min() and one[y, x] >= threshold:
                expected.append((-one[y, x], channel, y, x))
    kept: list[tuple[float, int, int, int]] = []
    for one in sorted(expected):
        if all(one[1] != other[1] or max(abs(one[2] - other[2]), abs(one[3] - other[3])) > distance for other in kept):
            kept.append(one)
    found = peaks(maps, min_distance=distance, threshold=threshold)
    assert found[:, 3].tolist() == [pytest.approx(-one[0]) for one in kept]
    assert found[:, 2].tolist() == [one[1] for one in kept]
    assert np.abs(found[:, :2] - np.array([one[2:] for one in kept]).reshape(-1, 2)).max(initial=0) <= 0.5


@pytest.mark.parametrize("value", [0.0, 0.7, 1.0])
def test_a_map_of_one_value_has_no_peak(value: float) -> None:
    assert not len(peaks(np.full((2, 20, 30), value)))


@settings(max_examples=30, deadline=None)
@given(st.floats(-0.5, 0.5), st.floats(-0.5, 0.5), st.floats(1, 3))
def test_places_between_pixels_are_found(dy: float, dx: float, sigma: float) -> None:
    (found,) = peaks(gaussians((25, 25), np.array([[12 + dy, 12 + dx]]), sigma)[None])
    assert found[:2] == pytest.approx([12 + dy, 12 + dx], abs=0.06)


def test_of_two_equal_pixels_the_peak_is_in_the_middle() -> None:
    one = np.zeros((1, 9, 9))
    one[0, 4, 3:5] = 0.8
    assert peaks(one)[:, :3].tolist() == [[4, 3.5, 0]]


def test_peaks_at_the_border_stay_on_its_pixels() -> None:
    one = np.zeros((1, 6, 8))
    one[0, [0, 0, 5, 5], [0, 7, 0, 7]] = [0.9, 0.8, 0.7, 0.6]
    assert peaks(one)[:, :2].tolist() == [[0, 0], [0, 7], [5, 0], [5, 7]]


def test_maps_of_other_sizes_are_told_in_pixels_of_the_frame() -> None:
    one = np.zeros((1, 9, 9))
    one[0, 4, 2] = 1
    assert peaks(one, scale=0.5)[0, :2].tolist() == [8.5, 4.5]
    assert peaks(one, scale=2)[0, :2].tolist() == [1.75, 0.75]


def test_each_channel_is_a_class_and_key_points_are_one_of_each() -> None:
    maps = np.stack([gaussians((40, 40), np.array([[10.0, 10 + 2 * n], [30.0, 30.0]])) for n in range(3)])
    maps[:, 25:] *= 0.9
    assert sorted(peaks(maps)[:, 2].tolist()) == [0, 0, 1, 1, 2, 2]
    points = peaks(maps, per_class=1)
    assert sorted(map(tuple, points[:, :3].round(2).tolist())) == [(10, 10, 0), (10, 12, 1), (10, 14, 2)]
    assert len(peaks(maps, across_classes=True, min_distance=3)) == 3  # two here, 4 pixels apart, and one there


@pytest.mark.parametrize("count", [1, 5, 500, 5000])
def test_as_many_as_there_are(count: int) -> None:
    side = int(np.ceil(np.sqrt(count)))
    places = np.argwhere(np.ones((side, side)))[:count] * 6 + 4
    one = np.zeros((1, 6 * side + 8, 6 * side + 8), np.float32)
    one[0, places[:, 0], places[:, 1]] = np.random.default_rng(0).uniform(0.6, 1, count)
    found = peaks(one, most=8192)
    assert sorted(map(tuple, found[:, :2].tolist())) == sorted(map(tuple, places.tolist()))


def test_more_than_are_looked_at_are_told() -> None:
    one = np.zeros((1, 30, 30), np.float32)
    one[0, ::3, ::3] = np.linspace(0.5, 1, 100).reshape(10, 10)
    decode = decoder(AXES, {"decode": "peaks", "most": 10})
    assert len(decode(one[None])[0]) == 10
    assert decode.told == ["10 candidates for peaks or more: the best 10 were looked at"]
    assert len(decode(np.zeros_like(one)[None])[0]) == 0
    assert decode.told == []


def test_sigmoids_are_taken_of_the_scores_alone() -> None:
    one = np.full((1, 9, 9), -20.0)
    one[0, 4, 4], one[0, 4, 5] = 40.0, 39.0  # both are 1 behind the sigmoid, and only one is a peak
    found = peaks(one, activation="sigmoid", threshold=0.9)
    assert found[:, 3].tolist() == [1]
    assert not len(peaks(one, activation="sigmoid", threshold=1.1))


def test_a_map_with_nan_has_no_peaks_but_an_error() -> None:
    one = np.zeros((1, 1, 9, 9), np.float32)
    one[0, 0, 2, 2] = np.nan
    with pytest.raises(ProviderError, match="hold NaN"):
        decoder(AXES, {"decode": "peaks"})(one)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9), st.integers(0, 1)), max_size=40), st.booleans())
def test_suppression_is_greedy(places: list[tuple[int, int, int]], across: bool) -> None:
    rows = np.zeros((len(places), 8), np.float32)
    rows[:, :3] = np.array(places, np.float32).reshape(-1, 3)
    kept: list[int] = []
    for at, (y, x, of) in enumerate(places):
        near = [places[other] for other in kept]
        if all(max(abs(y - b), abs(x - a)) > 2 or (of != c and not across) for b, a, c in near):
            kept.append(at)
    assert np.flatnonzero(alone(rows, 2, across)).tolist() == kept


def test_candidates_are_sorted_and_cut() -> None:
    maps = np.random.default_rng(1).uniform(0, 1, (2, 30, 40)).astype(np.float32)
    many, few = candidates_of(maps, 1, 2048), candidates_of(maps, 1, 20)
    assert len(few) == 20
    assert np.array_equal(many[:20], few)


def test_what_are_no_heat_maps_is_a_sentence() -> None:
    with pytest.raises(PipelineError, match="expected heat maps"):
        decoder(["index", "x"], {"decode": "peaks"})
    with pytest.raises(PipelineError, match="most 1048576, expected a whole number of at least 1 and at most 65536"):
        check_settings({"decode": "peaks", "most": 1 << 20}, "", PipelineError)
