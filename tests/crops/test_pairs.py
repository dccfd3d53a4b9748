"""Pairwise networks: masks become links, links become tracks with mothers and daughters."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import helper
from scipy.ndimage import center_of_mass

from onscope.runtime import PipelineError, ProviderError
from onscope.runtime.crops import CropSettings, Links, PairNetwork, PairTracker, chosen, scored
from onscope.runtime.graph import Raw, StageRequest
from onscope.runtime.package import Axis, AxisSize, TensorDescription

from .networks import objects, request, save

ENGINE = ("cpu", 1)
SHAPE = (80, 100)
SIDE = 32
PAIR = ("previous", "object", "current", "objects")
Array = np.ndarray[Any, Any]


def nearby(folder: Path, pair: tuple[str, ...] = PAIR, **more: Any) -> StageRequest:
    """A network whose mask is where objects now lie within 4 pixels of where the one was: what a good one learns
    where objects hardly move. Times one plus the images' difference, which it needs to be equal."""
    nodes = [
        helper.make_node("Split", ["crop"], list(pair), axis=1, num_outputs=len(pair)),
        helper.make_node("MaxPool", ["object"], ["near"], kernel_shape=[9, 9], pads=[4, 4, 4, 4]),
        helper.make_node("Mul", ["near", "objects"], ["both"]),
        helper.make_node("Sub", ["previous", "previous"], ["nothing"]),
        helper.make_node("Add", ["both", "nothing"], ["answer"]),
    ]
    path = save(folder, nodes, {}, "float32", len(pair), 1)
    return image_request(path, SIDE, pair, **more)


def image_request(path: Path, side: int, pair: tuple[str, ...], **more: Any) -> StageRequest:
    """A stage whose network answers with an image as large as its crop."""
    asked = request(path, side, "float32", values=1, channels=len(pair), settings={"pair": pair, **more})
    described = tuple(Axis(id, "space", AxisSize(fixed=side)) for id in ("y", "x"))
    first = [Axis("batch", "batch"), Axis("channel", "channel", AxisSize(fixed=1), channels=("mask",))]
    answer = TensorDescription("answer", "answer", (*first, *described), "float32")
    return replace(asked, outputs=(answer,))


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> PairNetwork:
    return PairNetwork(nearby(tmp_path_factory.mktemp("pairs")), CropSettings(), Raw(SHAPE, "float32"), ENGINE)


def scene(boxes: list[tuple[int, int, int, int]], numbers: list[int] | None = None) -> tuple[Array, Array, Array]:
    """A frame, its labels and its objects: rectangles (y, x, height, width)."""
    labels = np.zeros(SHAPE, np.int32)
    names = list(range(1, len(boxes) + 1)) if numbers is None else numbers
    for name, (y, x, height, width) in zip(names, boxes, strict=True):
        labels[y : y + height, x : x + width] = name
    centres = [center_of_mass(labels == name) for name in names]
    return np.where(labels > 0, 900, 100).astype(np.float32), labels, objects(centres, names)


def test_objects_go_on_move_divide_come_and_go(network: PairNetwork) -> None:
    tracker = PairTracker(network)
    first = tracker.update(0, *scene([(10, 10, 6, 12), (40, 40, 6, 12), (70, 80, 6, 12)]))
    assert first["track"].tolist() == [1, 2, 3]
    # the first one moves, the second divides, the third leaves, another one comes; rows in another order
    second = tracker.update(1, *scene([(40, 39, 6, 6), (12, 12, 6, 12), (40, 47, 6, 6), (20, 70, 5, 5)], [7, 3, 9, 4]))
    assert second["track"].tolist() == [4, 1, 5, 6]
    assert second["parent"].tolist() == [2, 0, 2, 0]
    assert second["age"].tolist() == [0, 1, 0, 0]
    assert second["vy"].tolist() == [0, 2, 0, 0]
    assert second["row"].tolist() == [0, 1, 2, 3]
    third = tracker.update(2, *scene([(12, 12, 6, 12), (40, 39, 6, 6)]))
    assert third["track"].tolist() == [1, 4]
    assert third["parent"].tolist() == [0, 2]
    assert third["age"].tolist() == [2, 1]


def test_no_objects_before_or_now(network: PairNetwork) -> None:
    tracker = PairTracker(network)
    nothing: list[tuple[int, int, int, int]] = []
    assert len(tracker.update(0, *scene(nothing))) == 0
    assert tracker.update(1, *scene([(10, 10, 5, 5)]))["track"].tolist() == [1]
    assert len(tracker.update(2, *scene(nothing))) == 0
    assert tracker.update(3, *scene([(10, 10, 5, 5)]))["track"].tolist() == [2]


def test_frames_that_were_lost_are_bridged_as_far_as_is_said(network: PairNetwork) -> None:
    bridging, strict = PairTracker(network, gap=1), PairTracker(network)
    for tracker in (bridging, strict):
        tracker.update(0, *scene([(10, 10, 6, 6)]))
    found = bridging.update(2, *scene([(12, 10, 6, 6)]))
    assert (found["track"][0], found["missed"][0], found["age"][0], found["vy"][0]) == (1, 1, 2, 1)
    assert strict.update(2, *scene([(12, 10, 6, 6)]))["track"].tolist() == [2]
    with pytest.raises(PipelineError, match="found frame 2 after frame 2"):
        bridging.update(2, *scene([(12, 10, 6, 6)]))
    bridging.reset()
    assert bridging.update(0, *scene([(12, 10, 6, 6)]))["track"].tolist() == [2]


def test_objects_at_the_border_and_many_at_once(network: PairNetwork) -> None:
    boxes = [(y, x, 4, 4) for y in range(0, 77, 8) for x in range(0, 97, 8)]
    tracker = PairTracker(network, first=1001)
    first = tracker.update(0, *scene(boxes))
    again = tracker.update(1, *scene(boxes[::-1]))
    assert len(first) == len(boxes) > 100
    assert again["track"].tolist() == first["track"].tolist()[::-1]
    assert not again["parent"].any()


def test_masks_that_are_nan_fail_the_frame_and_leave_the_tracks(network: PairNetwork) -> None:
    tracker = PairTracker(network)
    image, labels, table = scene([(10, 10, 6, 6)])
    tracker.update(0, np.where(image > 0, np.nan, 0).astype(np.float32), labels, table)
    with pytest.raises(ProviderError, match="answered NaN"):
        tracker.update(1, image, labels, table)
    with pytest.raises(PipelineError, match="found objects without label"):
        tracker.update(1, image, labels, table[["y", "x"]])


@settings(deadline=None, max_examples=60)
@given(
    st.integers(0, 12), st.integers(1, 14), st.lists(st.tuples(st.integers(0, 11), st.integers(0, 13))), st.integers()
)
def test_each_object_has_one_mother_and_each_mother_two_daughters(
    olds: int, news: int, pairs: list[tuple[int, int]], seed: int
) -> None:
    kept = sorted({(old, new) for old, new in pairs if old < olds and new < news})
    before, now = np.array(kept, np.intp).reshape(-1, 2).T
    links = Links(before, now, np.random.default_rng(abs(seed)).uniform(0, 1, len(kept)).round(1))
    found = chosen(links)
    assert len(set(found.now.tolist())) == len(found.now)
    assert np.bincount(found.before, minlength=1).max() <= 2
    assert (found.score >= 0.2).all()
    assert set(zip(found.before.tolist(), found.now.tolist(), strict=True)) == one_by_one(links)


def one_by_one(links: Links) -> set[tuple[int, int]]:
    """The rule in words: each object takes, from the best on, the first that has it among its two best."""
    edges = list(zip(links.before.tolist(), links.now.tolist(), links.score.tolist(), strict=True))
    made = set()
    for new in {edge[1] for edge in edges}:
        for old, _, score in sorted((edge for edge in edges if edge[1] == new), key=lambda edge: (-edge[2], edge[0])):
            best = sorted((edge for edge in edges if edge[0] == old), key=lambda edge: (-edge[2], edge[1]))[:2]
            if score >= 0.2 and any(edge[1] == new for edge in best):
                made.add((old, new))
                break
    return made


def test_scores_are_shares_of_the_objects_pixels() -> None:
    masks = np.zeros((2, 4, 4), np.float32)
    masks[0, 0], masks[1, :, 0] = 0.5, 0.04
    masks[1, 3, 3] = 1
    rows = np.array([[[0, 0, 1, -1]] * 4] * 2)
    rows[1, 3, 3] = 1
    found = scored(masks, rows, np.array([8, 20]), first=5)
    assert found.before.tolist() == [5, 5, 6]
    assert found.now.tolist() == [0, 1, 1]
    assert found.score.tolist() == [2 / 8, 1 / 20, 1 / 20]


def test_the_masks_of_mother_and_daughter_count_and_that_of_the_background_does_not(tmp_path: Path) -> None:
    nodes = [
        helper.make_node("Split", ["crop"], ["object", "objects"], axis=1, num_outputs=2),
        helper.make_node("Sub", ["one", "objects"], ["none"]),
        helper.make_node("MaxPool", ["object"], ["near"], kernel_shape=[9, 9], pads=[4, 4, 4, 4]),
        helper.make_node("Mul", ["near", "objects"], ["both"]),
        helper.make_node("Mul", ["both", "nothing"], ["empty"]),
        helper.make_node("Concat", ["empty", "both", "one_mask"], ["answer"], axis=1),
        helper.make_node("Add", ["none", "one"], ["one_mask"]),
    ]
    nodes = [*nodes[:5], nodes[6], nodes[5]]
    path = save(tmp_path, nodes, {"one": np.float32(1), "nothing": np.float32(0)}, "float32", 2, 3)
    asked = image_request(path, SIDE, ("object", "objects"))
    channel = Axis("channel", "channel", AxisSize(fixed=3), channels=("mother", "daughter", "background"))
    axes = asked.outputs[0].described
    answer = TensorDescription("answer", "answer", (axes[0], channel, *axes[2:]), "float32")
    asked = replace(asked, outputs=(answer,))
    tracker = PairTracker(PairNetwork(asked, CropSettings(), Raw(SHAPE, "float32"), ENGINE))
    tracker.update(0, *scene([(10, 10, 6, 6), (10, 22, 6, 6)]))
    assert tracker.update(1, *scene([(10, 22, 6, 6), (11, 10, 6, 6)]))["track"].tolist() == [2, 1]


@pytest.mark.parametrize(
    ("pair", "words"),
    [
        (("previous", "object", "current", "cells"), "found the channels previous, object, current, cells"),
        (("previous", "current", "previous_objects", "objects"), "object and objects among them"),
    ],
)
def test_channels_that_are_none_are_refused(tmp_path: Path, pair: tuple[str, ...], words: str) -> None:
    asked = nearby(tmp_path)
    wrong, few = (replace(asked, settings={"pair": each}) for each in (pair, ("object", "objects")))
    with pytest.raises(PipelineError, match=words):
        PairNetwork(wrong, CropSettings(), Raw(SHAPE, "float32"), ENGINE)
    with pytest.raises(PipelineError, match=r"found 2 names in config\.onscope\.pair"):
        PairNetwork(few, CropSettings(), Raw(SHAPE, "float32"), ENGINE)


def test_frames_of_another_pixel_size_and_labels_of_another_size(tmp_path: Path) -> None:
    asked = nearby(tmp_path, pixel_um=1.0)
    asked = replace(asked, rescale=True)
    network = PairNetwork(asked, CropSettings(), Raw(SHAPE, "float32", pixel_size_um=0.5), ENGINE)
    tracker = PairTracker(network)
    image, labels, table = scene([(10, 10, 8, 8), (50, 50, 8, 8)])
    twice = np.repeat(np.repeat(labels, 2, axis=0), 2, axis=1)
    tracker.update(0, image, labels, table)
    assert tracker.update(1, image, twice, table)["track"].tolist() == [1, 2]
