from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from onscope.runtime import PipelineError
from onscope.runtime.track import COLUMNS, TRACK, Tracker, TrackSettings

from .made import objects, tracked, wanderers


def test_an_object_keeps_its_track_and_a_far_one_begins_its_own() -> None:
    first, second = tracked([[(10, 10), (50, 50)], [(52, 50), (12, 11), (90, 90)]], max_distance=5)
    assert first["track"].tolist() == [1, 2]
    assert second["track"].tolist() == [2, 1, 3]
    assert second["age"].tolist() == [1, 1, 0]
    assert second[["vy", "vx"]].tolist() == [(2, 0), (2, 1), (0, 0)]
    assert second["row"].tolist() == [0, 1, 2]
    assert first.dtype == TRACK == np.dtype(list(COLUMNS))


def test_the_least_sum_counts_not_the_nearest_neighbour() -> None:
    first, second = tracked([[(0, 0), (0, 4)], [(0, 3), (0, 8)]], max_distance=5)
    assert second["track"].tolist() == first["track"].tolist()  # the nearest to (0, 3) is the second


def test_a_missing_object_is_waited_for_as_long_as_the_gap() -> None:
    frames = [[(10, 10)], [], [], [(11, 10)]]
    assert tracked(frames, max_distance=5, gap=2)[-1][["track", "missed"]].tolist() == [(1, 2)]
    assert tracked(frames, max_distance=5, gap=1)[-1][["track", "missed"]].tolist() == [(2, 0)]


def test_frames_that_are_lost_count_as_missing() -> None:
    frames = [[(10, 10)], [(11, 10)]]
    assert tracked(frames, [0, 3], max_distance=5, gap=2)[-1]["missed"].tolist() == [2]
    assert tracked(frames, [0, 4], max_distance=5, gap=2)[-1]["track"].tolist() == [2]


def test_the_largest_distance_grows_with_the_frames_in_between() -> None:
    frames = [[(0, 0)], [], [(6.5, 0)]]
    assert tracked(frames, max_distance=5, gap=1)[-1]["track"].tolist() == [1]
    assert tracked(frames, max_distance=5, gap=1, gap_growth=0)[-1]["track"].tolist() == [2]


def test_a_track_that_was_seen_goes_before_one_that_was_missing() -> None:
    frames = [[(0, 0), (0, 20)], [(0, 3)], [(0, 1.5)]]  # 3 is nearer to 1.5 than 0 was, and was seen just now
    assert tracked([[(0, 0)], [], [(0, 4)], [(0, 1)]], max_distance=5, gap=3)[-1]["track"].tolist() == [1]
    assert tracked(frames, max_distance=5, gap=3)[-1]["track"].tolist() == [1]


def test_the_kalman_model_follows_what_would_be_lost() -> None:
    frames = [[(0, 6.0 * t), (1, 243 - 6.0 * t)] for t in range(40)]  # they pass each other between two frames
    straight = tracked(frames, max_distance=8, model="kalman", speed_noise=0.1)
    assert all(rows["track"].tolist() == [1, 2] for rows in straight)
    assert straight[-1]["vx"] == pytest.approx([6, -6], abs=0.05)
    assert tracked(frames, max_distance=8)[-1]["track"].tolist() == [2, 1]
    gone = [[(0, 3.0 * k)] for k in range(4)] + [[], [], [(0, 18.0)]]
    followed = tracked(gone, max_distance=4, model="kalman", gap=2)
    assert followed[-1][["track", "missed"]].tolist() == [(1, 2)]


def test_a_division_ends_the_mother_and_names_her() -> None:
    before = objects([(20, 20), (80, 80)], area=100.0)
    after = objects([(20, 16), (20, 24), (80, 80)], area=[52.0, 50.0, 100.0])
    *_, split, later = tracked([before, before, after, after], max_distance=6, divisions=True)
    assert split["parent"].tolist() == [1, 1, 0]
    assert split["track"].tolist() == [3, 4, 2]
    assert split["age"].tolist() == [0, 0, 2]
    assert later["track"].tolist() == [3, 4, 2]
    assert later["parent"].tolist() == [0, 0, 0] or later["parent"].tolist() == [1, 1, 0]


def test_what_is_no_division() -> None:
    before = objects([(20, 20)], area=100.0)
    unlike = objects([(20, 19), (20, 26)], area=[95.0, 20.0])
    far = objects([(20, 19), (20, 31)], area=50.0)
    for after in (unlike, far):
        assert tracked([before, before, after], max_distance=6, divisions=True)[-1]["track"].tolist() == [1, 2]
    entered = objects([(20, 16), (20, 24)], area=50.0, touches_border=[0, 1])
    assert tracked([before, entered], max_distance=6, divisions=True)[-1]["parent"].tolist() == [0, 0]
    young = [objects([(90, 90)]), objects([(20, 20), (90, 90)]), objects([(20, 17), (20, 23), (90, 90)])]
    assert tracked(young, max_distance=6, divisions=True)[-1]["parent"].tolist() == [0, 0, 0]
    assert tracked(young, max_distance=6, divisions=True, min_division_age=1)[-1]["parent"].tolist() == [2, 2, 0]


def test_a_mother_that_was_missing_divides_all_the_same() -> None:
    frames = [[(20, 20)], [], [(20, 17), (20, 23)]]
    assert tracked(frames, max_distance=6, divisions=True, gap=1)[-1]["parent"].tolist() == [1, 1]


@pytest.mark.parametrize(
    ("settings", "column"),
    [
        ({"area_weight": 2.0}, "area"),
        ({"intensity_weight": 2.0}, "intensity_mean_frame"),
        ({"intensity_weight": 2.0, "intensity": "brightness"}, "brightness"),
        ({"appearance_weight": 1.0}, "appearance_0"),
        ({"min_area_ratio": 0.8}, "area"),
    ],
)
def test_looks_decide_where_places_do_not(settings: dict[str, Any], column: str) -> None:
    before = objects([(0, 0), (0, 4)], **{column: [1.0, 3.0]})
    after = objects([(0, 1), (0, 3)], **{column: [3.0, 1.0]})  # they changed places
    assert tracked([before, after], max_distance=6, **settings)[-1]["track"].tolist() == [2, 1]
    unweighted = tracked([before, after], max_distance=6)
    assert unweighted[-1]["track"].tolist() == [1, 2]


def test_distances_in_micrometres_need_a_pixel_size() -> None:
    tracker = Tracker(TrackSettings(max_distance_um=2.0))
    with pytest.raises(PipelineError, match="pixel size None"):
        tracker.update(0, objects([(0, 0)]))
    tracker.update(0, objects([(0, 0)]), 0.5)
    assert tracker.update(1, objects([(0, 3.9)]), 0.5)["track"].tolist() == [1]
    assert tracker.update(2, objects([(0, 8)]), 0.5)["track"].tolist() == [2]


def test_ids_go_on_after_a_reset_and_from_where_they_are_told() -> None:
    tracker = Tracker(TrackSettings(max_distance=5), first=100)
    assert tracker.update(7, objects([(0, 0)]))["track"].tolist() == [100]
    tracker.reset()
    assert tracker.update(0, objects([(0, 0)]))["track"].tolist() == [101]
    assert tracker.next_track == 102


def test_what_cannot_be_tracked_is_said_and_changes_nothing() -> None:
    tracker = Tracker(TrackSettings(max_distance=5))
    tracker.update(0, objects([(0, 0)]))
    with pytest.raises(PipelineError, match="rising numbers"):
        tracker.update(0, objects([(0, 0)]))
    with pytest.raises(PipelineError, match="no finite number"):
        tracker.update(1, objects([(0, np.nan)]))
    with pytest.raises(PipelineError, match="expected y and x"):
        tracker.update(1, np.zeros(1, [("score", "f4")]))
    assert tracker.update(1, objects([(1, 0)]))["track"].tolist() == [1]


def test_memory_is_bounded_by_what_may_go_on() -> None:
    tracker = Tracker(TrackSettings(max_distance=1, gap=2))
    rng = np.random.default_rng(0)
    for number in range(50):
        tracker.update(number, objects(rng.uniform(0, 10_000, (100, 2))))
    assert tracker._alive is not None
    assert len(tracker._alive) <= 300


@pytest.mark.parametrize("model", ["still", "kalman"])
def test_thousands_of_walkers_are_followed(model: str) -> None:
    frames = list(wanderers(np.random.default_rng(1), 5000, 5, 5000, 2))
    told = tracked([places for places, _ in frames], max_distance=12, model=model)
    for rows, (_, who) in zip(told, frames, strict=True):
        track_of = np.zeros(5000, int)
        track_of[who] = rows["track"]
        first = np.zeros(5000, int)
        first[frames[0][1]] = told[0]["track"]
        assert (track_of == first).mean() > 0.985
