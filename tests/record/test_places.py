"""Which element of which image a frame is: none twice, gaps where frames were lost, nothing enormous."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onscope.runtime import Frame, FrameId, FrameSpec
from onscope.runtime.record._places import (
    MOST_ELEMENTS,
    MOST_IMAGES,
    MOST_LOST,
    REMEMBERED,
    Place,
    Places,
    window_length,
)

SPEC = FrameSpec((4, 4))
RGB = FrameSpec((4, 4, 3), "uint8", "yxs", "colour")
OTHER = FrameSpec((4, 4), camera="other")
PIXELS = np.zeros((4, 4), np.uint16)


def frame(
    seq: int, index: Mapping[str, Any] | None = None, *, run: str = "run", segment: int = 0, camera: str = "camera"
) -> Frame:
    return Frame(FrameId(run, camera, segment, seq), PIXELS, index=index or {})


def placed(*frames: Frame, keep: int | None = None, spec: FrameSpec = SPEC) -> list[Place]:
    places = Places(keep)
    return [places.assign(each, spec) for each in frames]


def test_a_stream_is_counted_over_its_segments_and_keeps_the_places_of_lost_frames() -> None:
    given_frames = [frame(seq, {"t": seq}) for seq in (0, 1, 4)] + [frame(seq, segment=1) for seq in (2, 3)]
    assert placed(*given_frames) == [Place("raw.ome.zarr", "t", (at,)) for at in (0, 1, 4, 7, 8)]


def test_a_jump_that_is_too_large_is_no_loss() -> None:
    far = [frame(0), frame(1 + MOST_LOST), frame(3 + 2 * MOST_LOST), frame(1 << 62), frame(5), frame(6)]
    assert [place.at[0] for place in placed(*far)] == [0, *range(MOST_LOST + 1, MOST_LOST + 6)]


@pytest.mark.parametrize(
    ("index", "axes", "at"),
    [
        ({"t": 3, "c": 1, "z": 2}, "tcz", (3, 1, 2)),
        ({"c": 1}, "tc", (0, 1)),
        ({"t": 5, "z": 7}, "tz", (5, 7)),
        ({"t": 5, "p": 2}, "t", (5,)),
        ({"t": np.int64(5), "p": np.int32(2), "c": np.uint8(1)}, "tc", (5, 1)),
    ],
)
def test_a_position_is_the_element(index: Mapping[str, int], axes: str, at: tuple[int, ...]) -> None:
    (place,) = placed(frame(0, index))
    assert place == Place("raw.ome.zarr", axes, at)
    assert all(type(number) is int for number in place.at)


def test_positions_cameras_and_further_axes_have_images_of_their_own() -> None:
    places = Places()
    names = [
        places.assign(frame(n, index), SPEC).array
        for n, index in enumerate(
            [{"p": 0}, {"p": 1}, {"p": 0, "t": 1}, {"g": 4}, {"g": 4}, {"c": 0}, {"c": 0, "z": 0}]
        )
    ]
    names.append(places.assign(frame(0, {"p": 0}, camera="other"), OTHER).array)
    numbers = [0, 1, 0, 2, 2, 3, 4, 5]
    assert names == [f"raw-{n}.ome.zarr" if n else "raw.ome.zarr" for n in numbers]


def test_channels_of_colour_frames_have_images_of_their_own() -> None:
    places = placed(frame(0, {"c": 0, "z": 1}), frame(1, {"c": 1, "z": 1}), frame(2, {"c": 0, "z": 0}), spec=RGB)
    assert places == [
        Place("raw.ome.zarr", "tz", (0, 1)),
        Place("raw-1.ome.zarr", "tz", (0, 1)),
        Place("raw.ome.zarr", "tz", (0, 0)),
    ]


def test_an_element_that_is_taken_is_left_to_the_first() -> None:
    at = {"t": 0, "c": 0}
    places = placed(frame(0, at), frame(1, at), frame(2, at), frame(3, {"t": 0, "c": 1}), frame(4))
    assert places == [
        Place("raw.ome.zarr", "tc", (0, 0)),
        Place("raw-1.ome.zarr", "t", (0,)),
        Place("raw-1.ome.zarr", "t", (1,)),
        Place("raw.ome.zarr", "tc", (0, 1)),
        Place("raw-1.ome.zarr", "t", (2,)),
    ]


def test_a_second_run_goes_on_behind_the_first() -> None:
    runs = [frame(n, {"t": t, "c": c}, run=run) for run in "ab" for n, (t, c) in enumerate([(0, 0), (0, 1), (1, 0)])]
    assert [place.at for place in placed(*runs)] == [(0, 0), (0, 1), (1, 0), (2, 0), (2, 1), (3, 0)]


def test_a_rolling_window_counts_frames_as_they_come_without_gaps() -> None:
    length = window_length(10, SPEC)
    frames = [frame(3 * n, {"t": 3 * n, "c": n % 2}) for n in range(2 * length)]
    assert placed(*frames, keep=10) == [Place("raw.ome.zarr", "t", (n % length,)) for n in range(2 * length)]


def test_other_formats_have_other_names() -> None:
    assert Places(suffix=".ome.tif").assign(frame(0), SPEC).array == "raw.ome.tif"


ODD = st.one_of(
    st.integers(-3, 4),
    st.sampled_from(
        [MOST_LOST, MOST_LOST + 1, 2**31, 2**40, -(2**63), 1 << 70, "x", None, 2.5, float("nan"), np.int64(7)]
    ),
)
NAMES = st.sampled_from(["t", "c", "z", "p", "g", "exposure"])
FRAMES = st.lists(
    st.tuples(
        st.dictionaries(NAMES, ODD, max_size=4),
        st.one_of(st.integers(0, 5), st.sampled_from([-9, MOST_LOST, 2**31, 2**62])),
        st.sampled_from([SPEC, RGB, OTHER]),
        st.sampled_from(["a", "b"]),
        st.integers(0, 2),
    ),
    max_size=60,
)


@settings(max_examples=300, deadline=None)
@given(frames=FRAMES, keep=st.sampled_from([None, None, 5]))
def test_no_two_frames_share_an_element_whatever_they_say_of_themselves(frames: list[Any], keep: int | None) -> None:
    places = Places(keep)
    given_places: dict[FrameId, Place] = {}
    seen: Counter[tuple[str, tuple[int, ...]]] = Counter()
    owners: dict[str, tuple[FrameSpec, str]] = {}
    for index, jump, spec, run, segment in frames:
        id = FrameId(run, spec.camera, segment, jump)
        place = places.assign(Frame(id, PIXELS, index=index), spec)
        assert len(place.at) == len(place.axes)
        assert place.axes in ("t", "tc", "tcz", "tz")
        assert all(type(number) is int and 0 <= number < MOST_ELEMENTS for number in place.at)
        assert owners.setdefault(place.array, (spec, place.axes)) == (spec, place.axes), "one look, and the same axes"
        seen[place.array, place.at] += 1
        given_places[id] = place
    if keep is None:
        assert set(seen.values()) <= {1}
    for id, place in given_places.items():
        assert places.find(id) == place
    assert places.find(FrameId("nobody", "camera", 0, 0)) is None


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 20), st.booleans()), min_size=1, max_size=50))
def test_order_and_losses_of_a_stream_keep_their_gaps(steps: list[tuple[int, bool]]) -> None:
    places, segment, seq, expected = Places(), 0, -1, -1
    for lost, restarts in steps:
        if restarts:
            segment, seq = segment + 1, -1
        seq, expected = seq + lost + 1, expected + lost + 1
        assert places.assign(frame(seq, {"t": seq}, segment=segment), SPEC).at == (expected,)


@settings(max_examples=100, deadline=None)
@given(st.sets(st.tuples(st.integers(0, 30), st.integers(0, 3), st.integers(0, 5)), min_size=1), st.randoms())
def test_frames_of_positions_stand_at_them_in_whatever_order_they_come(wanted: set[Any], random: Any) -> None:
    order = sorted(wanted)
    random.shuffle(order)
    frames = [frame(n, dict(zip("tcz", at, strict=True))) for n, at in enumerate(order)]
    assert [place.at for place in placed(*frames)] == order


def test_memory_stays_small_over_millions_of_frames_and_thousands_of_positions() -> None:
    places = Places()
    for seq in range(3 * REMEMBERED):
        places.assign(frame(seq, {"t": seq // 2, "c": seq % 2}), SPEC)
    assert len(places._known) == REMEMBERED
    (grid,) = places._grids.values()
    assert sum(map(sys.getsizeof, grid._taken.values())) < 20_000
    for p in range(MOST_IMAGES + 500):
        place = places.assign(frame(p, {"p": p}, segment=1), SPEC)
    assert len({known.array for known in places._known.values()}) <= MOST_IMAGES + 2
    assert place.axes == "t"
    for n in range(3000):
        places.assign(frame(n, {"t": (n + 1) * MOST_LOST, "c": n, "z": n}, segment=2), SPEC)
    assert sum(sum(map(len, each._taken.values())) for each in places._grids.values()) < 40e6
