"""The online tracker and laptrack, which sees all frames at once, on the same detections."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from onscope.runtime.track import links, tracks_from

from .made import tracked, wanderers

laptrack = pytest.importorskip("laptrack")
REACH = 9.0


def ours(frames: list[Any], **settings: Any) -> set[tuple[tuple[int, int], tuple[int, int]]]:
    """Links as pairs of (frame, row of its table)."""
    told = tracked(frames, max_distance=REACH, gap_growth=0.0, **settings)
    row = np.concatenate([table["row"] for table in told])
    tracks = tracks_from(told, [table_with_rows(len(frame)) for frame in frames])
    assert len(row) == len(tracks)
    name = list(zip(tracks.frame.tolist(), tracks.columns["number"].astype(int).tolist(), strict=True))
    return {(name[one], name[other]) for one, other in links(tracks).tolist()}


def table_with_rows(count: int) -> Any:
    table = np.zeros(count, [("number", "f8")])
    table["number"] = np.arange(count)
    return table


def theirs(frames: list[Any], gap: int, split: float | bool = False) -> set[tuple[tuple[int, int], tuple[int, int]]]:
    """What laptrack links."""
    alternative = 1.05 * REACH**2  # its own is a percentile of all costs, of frames that are still to come too
    linker = laptrack.LapTrack(
        segment_start_cost=alternative,
        segment_end_cost=alternative,
        no_splitting_cost=alternative,
        no_merging_cost=alternative,
        cutoff=REACH**2,
        gap_closing_cutoff=REACH**2 if gap else False,
        gap_closing_max_frame_count=gap + 1,
        splitting_cutoff=split,
    )
    return {tuple(sorted(edge)) for edge in linker.predict(frames).edges}


@pytest.mark.parametrize("seed", range(4))
def test_the_same_links_of_walkers_at_moderate_density(seed: int) -> None:
    rng = np.random.default_rng(seed)  # 0.4 others within reach of each, on average
    frames = [places for places, _ in wanderers(rng, 150, 20, 310, 2.0)]
    assert ours(frames) == theirs(frames, 0)


@pytest.mark.parametrize("seed", range(3))
def test_nearly_the_same_where_objects_are_missing(seed: int) -> None:
    """Offline a track's end may wait for a beginning that is nearer but comes later; online it goes on at once."""
    rng = np.random.default_rng(seed)
    frames = [places for places, _ in wanderers(rng, 100, 20, 400, 2.0, seen=0.95)]
    one, other = ours(frames, gap=2), theirs(frames, 2)
    assert len(one & other) / len(one | other) > 0.99


def test_the_same_divisions() -> None:
    rng = np.random.default_rng(5)
    mothers = np.stack(np.meshgrid(np.arange(6) * 40.0, np.arange(6) * 40.0), axis=-1).reshape(-1, 2)
    when = rng.integers(4, 15, len(mothers))
    frames = []
    for frame in range(18):
        apart = np.clip(frame - when + 1, 0, 3)[:, None] * np.array([0, 3.0])
        both = np.concatenate([mothers + apart, (mothers - apart)[frame >= when]])
        frames.append(both + rng.normal(0, 0.4, both.shape))
    one = ours(frames, divisions=True, max_division_distance=REACH, min_division_age=0)
    assert one == theirs(frames, 0, split=REACH**2)
    starts = [first for first, _ in one]
    assert sum(starts.count(each) == 2 for each in set(starts)) == len(mothers)
