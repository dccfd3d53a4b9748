"""What holds of all tracks, whatever the objects are."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from onscope.runtime.track import Tracker, TrackSettings

from .made import objects, tracked

PLACES = arrays(
    np.float64,
    st.tuples(st.integers(0, 12), st.just(2)),
    elements=st.integers(0, 240).map(lambda eighths: eighths / 8),
)
FRAMES = st.lists(PLACES, min_size=1, max_size=8)
SETTINGS = st.fixed_dictionaries(
    {
        "max_distance": st.sampled_from([0.5, 3.0, 20.0]),
        "gap": st.integers(0, 3),
        "divisions": st.booleans(),
        "model": st.sampled_from(["still", "kalman"]),
        "min_division_age": st.integers(0, 2),
    }
)


@settings(deadline=None, max_examples=150)
@given(FRAMES, SETTINGS, st.lists(st.integers(1, 4), min_size=8, max_size=8))
def test_each_row_has_one_track_and_ids_are_never_given_again(frames: Any, how: Any, strides: Any) -> None:
    numbers = np.cumsum(strides)[: len(frames)].tolist()
    told = tracked(frames, numbers, **how)
    last: dict[int, int] = {}
    parents: dict[int, int] = {}
    highest = 0
    for number, rows, places in zip(numbers, told, frames, strict=True):
        assert len(rows) == len(places)
        np.testing.assert_array_equal(np.stack([rows["y"], rows["x"]], axis=1), places)
        assert len(set(rows["track"].tolist())) == len(rows)
        for track, parent, age, missed in rows[["track", "parent", "age", "missed"]].tolist():
            if track not in last:
                assert track > highest
                assert (age, missed) == (0, 0)
                assert parent == 0 or parent in last
                if parent:
                    parents[track] = parent
            else:
                assert missed == number - last[track] - 1 <= how["gap"]
            last[track] = number
        highest = max([highest, *rows["track"].tolist()])
        assert not set(parents.values()) & set(rows["track"].tolist())  # a mother's track has ended
    assert all(list(parents.values()).count(mother) == 2 for mother in parents.values())
    assert sorted(last) == list(range(1, len(last) + 1))


@settings(deadline=None, max_examples=80)
@given(FRAMES, SETTINGS, st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_count(frames: Any, how: Any, random: Any) -> None:
    orders = [random.sample(range(len(frame)), len(frame)) for frame in frames]
    told = tracked(frames, **how)
    shuffled = tracked([frame[order] for frame, order in zip(frames, orders, strict=True)], **how)
    for rows, others, order in zip(told, shuffled, orders, strict=True):
        for name in rows.dtype.names or ():
            if name != "row" and len({tuple(place) for place in rows[["y", "x"]].tolist()}) == len(rows):
                np.testing.assert_array_equal(rows[name][order], others[name])


@settings(deadline=None, max_examples=80)
@given(FRAMES, SETTINGS, st.integers(-1000, 1000), st.integers(-1000, 1000))
def test_it_does_not_matter_where_the_stage_is(frames: Any, how: Any, down: int, right: int) -> None:
    how = {**how, "model": "still"}  # a filter's rounding is another elsewhere
    told, moved = tracked(frames, **how), tracked([frame + np.array([down, right]) for frame in frames], **how)
    for rows, others in zip(told, moved, strict=True):
        for name in ("track", "parent", "age", "missed", "vy", "vx"):
            np.testing.assert_array_equal(rows[name], others[name])


@settings(deadline=None, max_examples=40)
@given(FRAMES, SETTINGS)
def test_the_same_frames_give_the_same_bits(frames: Any, how: Any) -> None:
    one, other = tracked(frames, **how), tracked(frames, **how)
    assert [rows.tobytes() for rows in one] == [rows.tobytes() for rows in other]


@settings(deadline=None, max_examples=40)
@given(FRAMES, SETTINGS, FRAMES)
def test_what_is_far_away_does_not_count(frames: Any, how: Any, others: Any) -> None:
    others = [other + 10_000 for other in (others * 8)[: len(frames)]]
    alone = tracked(frames, **how)
    beside = tracked([np.concatenate(both) for both in zip(frames, others, strict=True)], **how)
    names: dict[int, int] = {0: 0}
    for rows, more in zip(alone, beside, strict=True):
        for one, other in zip(rows, more, strict=False):
            assert names.setdefault(int(one["track"]), int(other["track"])) == other["track"]
            assert names[int(one["parent"])] == other["parent"]


@pytest.mark.parametrize("count", [0, 1, 5000])
def test_any_number_of_objects(count: int) -> None:
    places = np.random.default_rng(count).uniform(0, 3000, (count, 2))
    tracker = Tracker(TrackSettings(max_distance=5, divisions=True, gap=1))
    for number, frame in enumerate([places, places, places[:0], places]):
        rows = tracker.update(number, objects(frame))
        assert rows["track"].tolist() == [] if not len(frame) else len(set(rows["track"])) == count
    if count:
        assert rows["missed"].tolist() == [1] * count
        assert tracker.next_track == count + 1
