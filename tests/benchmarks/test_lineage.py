"""Scores of tracks: by hand on small graphs, and traccuracy's on simulated ones."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from benchmarks.labels._movies import movie

from onscope.export.zoo._lineage import Lineage, covered, division_f1, lineage_scores, matches, of_tracks, switches
from onscope.export.zoo.recipes import Part

Array = np.ndarray[Any, np.dtype[Any]]


def rows(*tracks: tuple[int, int, int, int]) -> Lineage:
    """Of tracks (number, first frame, last frame, parent), each object's label the number of its track."""
    each = [(frame, one, one, parent) for one, first, last, parent in tracks for frame in range(first, last + 1)]
    return of_tracks(*np.array(each).T)


def same(truth: Lineage, found: Lineage, renamed: dict[int, int] | None = None) -> Array:
    """Objects match those of the same frame and label; `renamed` labels of the truth have other ones."""
    names = renamed or {label: label for label in truth.label.tolist()}
    return matches(truth, found, [names] * (int(truth.frame.max()) + 1))


DIVIDING = rows((1, 0, 4, 0), (2, 5, 9, 1), (3, 5, 9, 1), (4, 0, 9, 0))


def test_tracks_become_edges() -> None:
    assert len(DIVIDING.frame) == 25
    assert len(DIVIDING.edges) == 23
    assert int(DIVIDING.parental.sum()) == 2
    assert len(np.unique(DIVIDING.track)) == 4


def test_the_truth_itself_is_perfect() -> None:
    scores = lineage_scores(DIVIDING, DIVIDING, same(DIVIDING, DIVIDING))
    assert scores == {"TRA": 1, "DET": 1, "LNK": 1, "division F1": 1, "switches per 1000": 0}


def test_errors_cost_what_the_challenge_says() -> None:
    # Track 4 is cut in two: one link is missing, one identity changes.
    cut = rows((1, 0, 4, 0), (2, 5, 9, 1), (3, 5, 9, 1), (4, 0, 4, 0), (5, 5, 9, 0))
    pairs = [{1: 1, 2: 2, 3: 3, 4: 4 if frame < 5 else 5} for frame in range(10)]
    match = matches(DIVIDING, cut, pairs)
    scores = lineage_scores(DIVIDING, cut, match)
    assert scores["LNK"] == pytest.approx(1 - 1.5 / (1.5 * 23))
    assert scores["DET"] == 1
    assert scores["TRA"] == pytest.approx(1 - 1.5 / (10 * 25 + 1.5 * 23))
    assert switches(DIVIDING, cut, match) == 1
    # Nothing is found at all.
    empty = Lineage(np.zeros(0, int), np.zeros(0, int), np.zeros((0, 2), int))
    nothing = lineage_scores(DIVIDING, empty, same(DIVIDING, empty))
    assert nothing["TRA"] == nothing["DET"] == nothing["LNK"] == nothing["division F1"] == 0
    # No division: two daughters begin without a mother; the link to one of them goes on.
    plain = rows((1, 0, 9, 0), (3, 5, 9, 0), (4, 0, 9, 0))
    pairs = [{1: 1, 2: 1, 3: 3, 4: 4}] * 10
    missed = lineage_scores(DIVIDING, plain, matches(DIVIDING, plain, pairs))
    # One edge is missing, one means something else.
    assert missed["LNK"] == pytest.approx(1 - (1.5 + 1) / (1.5 * 23))
    assert missed["division F1"] == 0


@pytest.mark.parametrize(("late", "expected"), [(1, 1.0), (2, 1.0), (3, 0.0)])
def test_divisions_may_be_found_a_little_late(late: int, expected: float) -> None:
    found = rows((1, 0, 4 + late, 0), (2, 5 + late, 9, 1), (3, 5, 9, 1), (4, 0, 9, 0))
    pairs = [{1: 1, 2: 1 if frame < 5 + late else 2, 3: 3, 4: 4} for frame in range(10)]
    # Daughter 3 begins with the true division; its mother is told when the other one is seen.
    told = of_tracks(found.frame, found.label, found.label, np.where(found.label == 2, 1, 0))
    both = np.concatenate([told.edges, [[_row(found, 1, 4 + late), _row(found, 3, 5 + late)]]])
    both = both[~((both[:, 0] == _row(found, 3, 4 + late)) & (both[:, 1] == _row(found, 3, 5 + late)))]
    late_one = Lineage(found.frame, found.label, both)
    assert division_f1(DIVIDING, late_one, matches(DIVIDING, late_one, pairs)) == expected


def _row(lineage: Lineage, label: int, frame: int) -> int:
    return int(np.flatnonzero((lineage.label == label) & (lineage.frame == frame))[0])


def test_covering_needs_more_than_half() -> None:
    truth, found = np.zeros((2, 20, 10), np.int32)
    truth[:10], truth[10:] = 1, 2
    found[:6], found[10:15] = 8, 9
    assert covered(truth, found) == {1: 8}


def test_movies_have_lineages_whose_halves_find_their_mothers() -> None:
    seen = movie("dividing-cells", Part.VALIDATION, 0, 14, 256)
    assert seen.frames.shape == seen.labels.shape == (14, 256, 256)
    lineage = seen.lineage
    for frame in range(14):
        own = lineage.label[lineage.frame == frame]
        assert sorted(own.tolist()) == [one for one in np.unique(seen.labels[frame]).tolist() if one]
    assert (lineage.frame[lineage.edges[:, 1]] == lineage.frame[lineage.edges[:, 0]] + 1).all()
    assert np.bincount(lineage.edges[:, 1]).max() == 1
    assert np.bincount(lineage.edges[:, 0]).max() <= 2
    assert len(lineage.edges) > 0.8 * (len(lineage.frame) - (lineage.frame == 0).sum())


def test_scores_are_traccuracys(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("traccuracy", reason="traccuracy is not installed")
    monkeypatch.setenv("TQDM_DISABLE", "1")
    random = np.random.default_rng(5)
    for _ in range(5):
        truth = _random_tracks(random)
        kept = random.random(len(truth.frame)) > 0.1
        numbers = np.cumsum(kept) - 1
        edges = truth.edges[kept[truth.edges].all(axis=1) & (random.random(len(truth.edges)) > 0.1)]
        found = Lineage(truth.frame[kept], truth.label[kept], numbers[edges])
        match = np.where(kept, numbers, -1)
        ours, theirs = lineage_scores(truth, found, match), _traccuracy(truth, found, match)
        for name in ("TRA", "DET", "LNK"):
            assert ours[name] == pytest.approx(theirs[name]), name


def _random_tracks(random: np.random.Generator) -> Lineage:
    tracks: list[tuple[int, int, int, int]] = []
    for _ in range(8):
        first, length = int(random.integers(0, 4)), int(random.integers(3, 8))
        number = len(tracks) + 1
        tracks.append((number, first, first + length, 0))
        if random.random() < 0.5:
            tracks += [(number + one, first + length + 1, first + length + 5, number) for one in (1, 2)]
    return rows(*tracks)


def _traccuracy(truth: Lineage, found: Lineage, match: Array) -> dict[str, float]:
    import networkx as nx
    from traccuracy import TrackingGraph
    from traccuracy.matchers import Matched
    from traccuracy.metrics import CTCMetrics

    graphs = []
    for lineage in (truth, found):
        graph = nx.DiGraph()
        graph.add_nodes_from((one, {"t": int(frame), "x": 0, "y": 0}) for one, frame in enumerate(lineage.frame, 1))
        graph.add_edges_from((int(one) + 1, int(other) + 1) for one, other in lineage.edges)
        graphs.append(TrackingGraph(graph, label_key=None, location_keys=("y", "x")))
    mapping = [(one + 1, int(other) + 1) for one, other in enumerate(match) if other >= 0]
    return dict(CTCMetrics().compute(Matched(*graphs, mapping, {"name": "by hand"})).results)
