"""DeLTA's systems: what the networks learn from, that they learn, and the ways of linking beside them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from onscope.export.zoo import PACKAGES
from onscope.export.zoo._lineage import Lineage
from onscope.export.zoo.networks.track import DeltaSegmentation
from onscope.export.zoo.systems.track._bacteria import became, parted
from onscope.export.zoo.systems.track._delta_task import DAUGHTER, MOTHER, SegmentTask, StandardisedTracking, TrackTask
from onscope.export.zoo.systems.track._early import early, halves
from onscope.export.zoo.systems.track._linking import best_tracks, overlapping, scored, told
from onscope.export.zoo.systems.track._mother_machines import Movie, held_out
from onscope.export.zoo.systems.track._watersheds import watersheds
from onscope.runtime.objects import measure

Array = np.ndarray[Any, np.dtype[Any]]
SHAPE = (128, 96)


def rods(*ends: tuple[int, int, int]) -> Array:
    """A label image of rods in one channel: label, first and last row."""
    labels = np.zeros(SHAPE, np.uint8)
    for label, first, last in ends:
        labels[first:last, 40:52] = label
    return labels


def scene(labels: Array) -> Array:
    return np.where(parted(labels) > 0, 400, 900).astype(np.uint16) + np.arange(96, dtype=np.uint16)


LABELS = np.stack(
    [rods((1, 4, 40), (2, 40, 70), (3, 70, 120)), rods((1, 4, 24), (2, 24, 44), (3, 44, 80), (4, 80, 128))]
)
WAS = np.zeros((2, 256), np.uint8)
WAS[1, [1, 2, 3, 4]] = [1, 1, 2, 3]
BANK = {
    "counts": np.stack([[scene(one) for one in LABELS]] * 3),
    "labels": np.stack([LABELS] * 3),
    "was": np.stack([WAS] * 3),
}


def test_what_touches_is_parted() -> None:
    apart = parted(LABELS[0])
    assert set(np.unique(apart)) == {0, 1, 2, 3}
    assert not apart[39:41, 40:52].any()
    assert (apart[20, 40:52] == 1).all()
    assert ((apart == 0) | (apart == LABELS[0])).all()


def test_who_became_whom() -> None:
    assert became({1, 2}, [2, 5, 6, 9], {5: 1, 6: 1, 9: 8}) == {2: 2, 5: 1, 6: 1}


def falls(task: Any, steps: int) -> bool:
    rng, optimiser = np.random.default_rng(0), torch.optim.Adam(task.network.parameters(), 5e-3)
    losses = []
    for _ in range(steps):
        loss = task.loss(rng)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(float(loss.detach()))
    return bool(np.mean(losses[-4:]) < 0.8 * np.mean(losses[:4]))


def test_both_networks_learn() -> None:
    torch.manual_seed(0)
    assert falls(SegmentTask(DeltaSegmentation(4, 2), BANK, batch=2, side=64), 24)
    assert falls(TrackTask(StandardisedTracking(4, 2), BANK, batch=4, side=48), 24)


def test_the_tracker_is_told_where_both_daughters_are() -> None:
    task = TrackTask(StandardisedTracking(4, 2), BANK, side=64)
    assert [len(pool) for pool in task.pools] == [6, 0, 0, 3, 0]  # both others move by less than five pixels
    task.pools = [pool if kind == 3 else pool[:0] for kind, pool in enumerate(task.pools)]
    seen = []
    for seed in range(12):
        pair, classes = task.example(np.random.default_rng(seed))
        assert pair.shape == (4, 64, 64)
        assert set(np.unique(pair[1])) == set(np.unique(pair[3])) == {0.0, 1.0}
        seen.append(tuple(int((classes == part).sum()) for part in (MOTHER, DAUGHTER)))
    # each daughter has 6 x 10 pixels without the gap; a mother in two halves becomes one of them
    assert set(seen) == {(6 * 9, 6 * 9), (6 * 9, 0)}


def test_bacteria_are_parted_before_they_divide() -> None:
    before, now = (rods(*ends) > 0 for ends in ([(1, 4, 40)], [(1, 8, 44)]))
    labels = np.where(now, 7, rods((3, 60, 90)))
    found = set()
    for seed in range(60):
        own, parts, after = early(before, [now], labels, np.random.default_rng(seed))
        assert all(part.any() and not (part & ~now).any() for part in parts)
        assert not any((part & (after != 7)).any() for part in parts)  # what it becomes is an object
        assert set(np.unique(after)) <= {0, 3, 7}
        half = own.sum() < before.sum()
        assert own.sum() > 0.4 * before.sum()
        if half:  # a half becomes the half of the same side
            ys = [float(np.nonzero(one)[0].mean()) for one in (own, *parts)]
            assert (ys[0] < 22) == (ys[1] < 26)
        found.add((bool(half), len(parts)))
    assert found == {(False, 1), (True, 1), (False, 2)}
    both = [early(now, [before, now], labels, np.random.default_rng(seed)) for seed in range(20)]
    assert {len(parts) for _, parts, _ in both} == {1, 2}
    assert halves(rods((1, 4, 10)) > 0, np.random.default_rng(0)) is None


def test_masks_are_untouched_by_how_bright_frames_are() -> None:
    torch.manual_seed(0)
    network = StandardisedTracking(4, 2).eval()
    pair = torch.rand(2, 4, 32, 32)
    pair[:, [1, 3]] = (pair[:, [1, 3]] > 0.5).float()
    brighter = pair.clone()
    brighter[:, 0], brighter[:, 2] = 40 * pair[:, 0] + 100, 700 * pair[:, 2] + 3
    with torch.no_grad():
        assert torch.allclose(network(pair), network(brighter), atol=1e-4)


def truth(labels: Array, was: Array) -> Movie:
    """The lineage of two frames."""
    rows = [(time, int(one)) for time, image in enumerate(labels) for one in np.unique(image[image > 0])]
    known = {row: number for number, row in enumerate(rows)}
    edges = [(known[0, int(was[1, one])], known[1, one]) for time, one in rows if time and was[1, one]]
    names = np.array(rows)
    return Movie(labels, labels, Lineage(names[:, 0], names[:, 1], np.array(edges)), 0.1)


def test_overlap_follows_what_moves_little_and_divides() -> None:
    labels = np.stack([rods((1, 4, 40), (2, 40, 70)), rods((1, 4, 22), (2, 22, 42), (3, 44, 76))]).astype(np.int32)
    was = np.zeros((2, 256), np.uint8)
    was[1, [1, 2, 3]] = [1, 1, 2]
    seen, tables = truth(labels, was), [measure(one, {}, 0.1) for one in labels]
    found = scored(seen, list(labels), overlapping(tables, list(labels)))
    assert (found["links F1"], found["division F1"], found["TRA"]) == (1, 1, 1)
    # 24 pixels further on it is the neighbour that most pixels were
    far = [labels[0], np.roll(labels[1], 24, axis=0)]
    tables = [measure(one, {}, 0.1) for one in far]
    assert scored(truth(np.stack(far), was), far, overlapping(tables, far))["links F1"] < 0.7
    nobody = [labels[0], np.zeros_like(labels[0])]
    assert not len(overlapping([measure(one, {}, 0.1) for one in nobody], nobody).edges)


def test_tables_of_tracks_become_a_lineage() -> None:
    tables = [np.array([(1,), (2,)], [("label", "i4")]), np.array([(1,), (2,), (3,)], [("label", "i4")])]
    kind = [("track", "i8"), ("parent", "i8")]
    tracks = [np.array([(1, 0), (2, 0)], kind), np.array([(3, 1), (4, 1), (2, 0)], kind)]
    assert told(tables, tracks).edges.tolist() == [[1, 4], [0, 2], [0, 3]]


def test_the_best_distance_is_taken() -> None:
    seen = truth(LABELS[:, ::1].astype(np.int32), WAS)
    tables = [measure(one, {}, 0.1) for one in seen.labels]
    assert best_tracks(seen, list(seen.labels), tables)["DET"] == 1


def test_a_watershed_parts_dark_bacteria() -> None:
    labels = rods((1, 10, 40), (2, 60, 90)).astype(np.int32)
    frame = np.where(labels > 0, 300, 1000).astype(np.uint16)
    found = watersheds(frame)
    assert any(len(np.unique(one)) == 3 for one in found["Otsu + watershed"])


@pytest.mark.slow
@pytest.mark.skipif(not (PACKAGES / "delta-track").is_dir(), reason="delta-track is not shipped yet")
def test_the_shipped_networks_find_and_link_bacteria() -> None:
    from onscope.export.zoo.systems.track import delta_segment, delta_track

    seen = held_out(2000, 3, 60.0, varied=False)
    quality = delta_segment._judged(PACKAGES / "delta-segment", seen)
    assert quality["F1 at IoU 0.5"]["network"] > 0.8
    links = delta_track._judged(PACKAGES / "delta-track", seen)
    assert links["network"]["links F1"] > 0.85
