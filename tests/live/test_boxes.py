"""Boxes and masks of networks: against suppression one by one, and masks pixel by pixel."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import helper

from onscope.runtime import Frame, FrameId, FrameSpec, Pipeline, PipelineError, Runtime, Stage, block
from onscope.runtime.decode import _boxes
from onscope.runtime.decode._boxes import COLUMNS, BoxesDecoder
from onscope.runtime.decode._masks import pasted
from onscope.runtime.decode._suppression import kept_boxes
from tests import models

Array = np.ndarray[Any, Any]
AXES = ["batch", "index", "channel"]
CORNERS = ("y0", "x0", "y1", "x1", "score", "class")


def boxes(table: Any, axes: list[str] = AXES, **more: Any) -> Array:
    decode = BoxesDecoder(axes, more)
    answer, letters = decode(np.asarray(table, np.float32)[None])
    assert (letters, decode.columns, decode.labels) == ("ic", COLUMNS, False)
    assert answer.shape[1] == 6
    return answer


def one_by_one(found: Array, kinds: Array, overlap: float) -> list[int]:
    """Greedy suppression as it is written down, the best first."""
    kept: list[int] = []
    for number, (y0, x0, y1, x1) in enumerate(found):
        for other in kept:
            v0, u0, v1, u1 = found[other]
            shared = max(0.0, min(y1, v1) - max(y0, v0)) * max(0.0, min(x1, u1) - max(x0, u0))
            union = (y1 - y0) * (x1 - x0) + (v1 - v0) * (u1 - u0) - shared
            if kinds[other] == kinds[number] and shared > overlap * union:
                break
        else:
            kept.append(number)
    return kept


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.integers(0, 150), st.floats(0, 1), st.integers(1, 3))
def test_suppression_is_that_of_going_through_them_one_by_one(
    seed: int, count: int, overlap: float, classes: int
) -> None:
    random = np.random.default_rng(seed)
    middle, size = random.uniform(0, 60, (count, 2)), random.uniform(1, 20, (count, 2))
    found = np.round(np.concatenate([middle - size / 2, middle + size / 2 + 1], axis=1))
    kinds = random.integers(0, classes, count)
    assert kept_boxes(found, kinds, overlap, 1000).tolist() == one_by_one(found, kinds, overlap)
    assert kept_boxes(found, kinds, overlap, 3).tolist() == one_by_one(found, kinds, overlap)[:3]


@pytest.mark.parametrize("count", [1, 200, 5000])
def test_thousands_of_boxes_in_chunks(count: int) -> None:
    """Each object four times, at random places in the order; what is kept is the first of each."""
    random = np.random.default_rng(count)
    object_ = random.permutation(np.repeat(np.arange(count), 4))
    y, x = np.divmod(object_, 71)
    found = np.stack([y * 20, x * 20, y * 20 + 15, x * 20 + 15], axis=1) + random.uniform(-1, 1, (len(object_), 4))
    kept = kept_boxes(found, np.zeros(len(found), np.intp), 0.5, 10_000)
    _, first = np.unique(object_, return_index=True)
    assert kept.tolist() == np.sort(first).tolist()


def test_many_boxes_at_one_place_are_one() -> None:
    found = np.tile([0.0, 0.0, 10.0, 10.0], (20_000, 1))
    assert kept_boxes(found, np.zeros(20_000, np.intp), 0.5, 100).tolist() == [0]


def test_boxes_of_yolo_and_of_retinanet_are_the_same() -> None:
    """Middle and size first, channels before candidates, against corners and an objectness."""
    random = np.random.default_rng(0)
    middle, size = random.uniform(10, 90, (40, 2)), random.uniform(5, 20, (40, 2))
    scores = random.uniform(0, 1, (40, 3))
    corners = np.concatenate([middle - size / 2, middle + size / 2], axis=1)
    first = boxes(np.concatenate([corners, scores], axis=1), columns=("y0", "x0", "y1", "x1"))
    yolo = np.concatenate([middle[:, ::-1], size[:, ::-1], np.full((40, 1), 0.5), 2 * scores], axis=1)
    names = ("x", "y", "width", "height", "objectness")
    second = boxes(yolo.T, ["batch", "channel", "index"], columns=names)
    assert second == pytest.approx(first, abs=1e-4)
    third = boxes(yolo / ([100] * 4 + [1] * 4), columns=names, unit=100.0)
    assert third == pytest.approx(first, abs=1e-4)
    assert len(first)
    assert (np.diff(first[:, 5]) <= 0).all()
    assert set(first[:, 4]) == {0.0, 1.0, 2.0}


def test_coordinates_are_counted_from_the_middle_of_the_first_pixel() -> None:
    """A box around pixels 3, 4 and 5 goes from 2.5 to 5.5; networks count from the pixel's edge."""
    table = [[3, 3, 6, 6, 0.9, 2]]
    assert boxes(table, columns=CORNERS).tolist() == [pytest.approx([2.5, 2.5, 5.5, 5.5, 2, 0.9])]
    assert boxes(table, columns=CORNERS, from_centre=True).tolist() == [pytest.approx([3, 3, 6, 6, 2, 0.9])]


def test_classes_leave_each_other_alone_unless_told_otherwise() -> None:
    table = [[0, 0, 10, 10, 0.9, 0], [0, 0, 10, 10, 0.8, 1], [0, 0, 10, 10, 0.7, 1], [0, 0, 10, 10, 0.4, 2]]
    assert boxes(table, columns=CORNERS)[:, 4].tolist() == [0, 1]
    assert boxes(table, columns=CORNERS, class_wise=False)[:, 4].tolist() == [0]
    assert boxes(table, columns=CORNERS, threshold=0.1)[:, 4].tolist() == [0, 1, 2]
    assert boxes(table, columns=CORNERS, most=1)[:, 4].tolist() == [0]


def test_the_background_is_no_class() -> None:
    table = [[0, 0, 10, 10, 0.9, 0.1, 0.0], [20, 20, 30, 30, 0.1, 0.2, 0.7]]
    assert boxes(table, background=True)[:, 4].tolist() == [1]
    assert boxes(table)[:, 4].tolist() == [0, 2]


@pytest.mark.parametrize("rows", [0, 5])
def test_without_candidates_the_table_is_empty(rows: int) -> None:
    assert boxes(np.zeros((rows, 6)), columns=CORNERS).shape == (0, 6)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([1.0, 1e4, 1e30]))
def test_whatever_a_network_answers_there_is_a_table(seed: int, size: float) -> None:
    random = np.random.default_rng(seed)
    table = random.normal(0, size, (30, 7)).astype(np.float32)
    table[0, 0], table[1, 2] = np.inf, -np.inf
    found = boxes(table)
    assert np.isfinite(found[:, :5]).all()
    assert (found[:, 2:4] > found[:, :2]).all()
    assert len(found) <= BoxesDecoder(AXES, {}).rows((1, 30, 7))


def test_too_many_candidates_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_boxes, "CANDIDATES", 2)
    decode = BoxesDecoder(AXES, {"columns": CORNERS})
    table = np.array([[[9 * n, 0, 9 * n + 5, 5, 0.6 + n / 10, 0] for n in range(4)]], np.float32)
    assert decode(table)[0][:, 0].tolist() == [26.5, 17.5]
    assert decode.told == ["4 candidates for boxes: the 2 of the highest score were looked at"]


def test_masks_are_pasted_into_their_boxes() -> None:
    """Discs in masks of 28 x 28, stretched to ellipses; the best is label 1, and above the others."""
    row, column = np.mgrid[:28, :28]
    disc = (np.hypot(row - 13.5, column - 13.5) < 14).astype(np.float32)
    table = np.zeros((3, 6 + 28 * 28), np.float32)
    table[:, 6:] = disc.ravel()
    table[:, :6] = [[10, 10, 40, 30, 0.8, 0], [20, 20, 50, 70, 0.9, 1], [-8, 50, 8, 90, 0.6, 0]]
    decode = BoxesDecoder(AXES, {"columns": CORNERS, "masks": (28, 28), "size": (60, 80)})
    assert (decode.labels, decode.columns) == (True, ())
    found, axes = decode(table[None])
    assert (axes, found.dtype.name, found.shape) == ("yx", "int32", (60, 80))
    y, x = np.mgrid[:60, :80] + 0.5
    for label, (y0, x0, y1, x1) in enumerate([(20, 20, 50, 70), (10, 10, 40, 30), (-8, 50, 8, 90)], start=1):
        there = ((y - (y0 + y1) / 2) / (y1 - y0)) ** 2 + ((x - (x0 + x1) / 2) / (x1 - x0)) ** 2 < 0.25
        seen = there & ((found == label) | (found == 0) | (label == 1))
        assert np.mean(found[seen] == label) > 0.96
        assert np.mean(there[found == label]) > 0.96
    assert not decode(np.zeros_like(table)[None])[0].any()


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 30))
def test_masks_are_those_of_every_pixel_by_itself(seed: int, count: int) -> None:
    random = np.random.default_rng(seed)
    shape = (24, 30)
    low = random.uniform(-6, 26, (count, 2))
    found = np.concatenate([low, low + random.uniform(0.5, 15, (count, 2))], axis=1)
    masks = random.random((count, 4, 5)).astype(np.float32)
    expected = np.zeros(shape, np.int32)
    unsure = np.zeros(shape, bool)
    for label in range(count, 0, -1):
        y0, x0, y1, x1 = found[label - 1]
        for y in range(shape[0]):
            for x in range(shape[1]):
                if not (y0 <= y <= y1 and x0 <= x <= x1):
                    continue
                v = min(max((y - y0) / (y1 - y0) * 4 - 0.5, 0), 3)
                u = min(max((x - x0) / (x1 - x0) * 5 - 0.5, 0), 4)
                i, j = min(int(v), 2), min(int(u), 3)
                rows = masks[label - 1, i : i + 2, j : j + 2] @ [1 - (u - j), u - j]
                value = rows @ [1 - (v - i), v - i]
                unsure[y, x] = abs(value - 0.5) < 0.05 or (unsure[y, x] and value < 0.5)
                if value > 0.5:
                    expected[y, x] = label
    labels = pasted(found, masks, 0.5, shape)
    assert np.array_equal(labels[~unsure], expected[~unsure])


def test_more_masks_than_fit_into_a_picture() -> None:
    y, x = np.divmod(np.arange(1500), 40)
    found = np.stack([y * 5 - 0.5, x * 5 - 0.5, y * 5 + 3.5, x * 5 + 3.5], axis=1).astype(float)
    labels = pasted(found, np.ones((1500, 28, 28), np.float32), 0.5, (200, 200))
    assert np.array_equal(labels[2::5, 2::5].ravel()[:1500], np.arange(1, 1501))
    assert (np.bincount(labels.ravel())[1:] == 16).all()


@pytest.mark.parametrize(
    ("more", "axes", "words"),
    [
        ({"columns": ("y", "x", "score")}, AXES, "found boxes with the columns y, x, score"),
        ({"columns": (*CORNERS, "objectness")}, AXES, "at most objectness, or score and class"),
        ({"masks": (28, 28)}, AXES, "masks and no size"),
        ({"masks": (28,), "size": (9, 9)}, AXES, "expected rows and columns"),
        ({}, ["batch", "channel", "y", "x"], "channel and one axis of candidates"),
    ],
)
def test_boxes_that_cannot_be_are_a_sentence(more: Any, axes: list[str], words: str) -> None:
    with pytest.raises(PipelineError, match=words):
        BoxesDecoder(axes, more)


@pytest.mark.parametrize("more", [{"columns": CORNERS}, {"columns": CORNERS[:4], "masks": (2, 2), "size": (9, 9)}])
def test_outputs_of_other_numbers_are_refused(more: Any) -> None:
    with pytest.raises(PipelineError, match=r"found an output of 1x5x8, expected y0, x0, y1, x1"):
        BoxesDecoder(AXES, more)(np.zeros((1, 5, 8), np.float32))


def rows_of_frames(folder: Path) -> Any:
    """A package that answers the first 48 pixels of a frame as 8 rows of 6 numbers."""
    nodes = [
        helper.make_node("Reshape", ["frame", "flat"], ["all"]),
        helper.make_node("Slice", ["all", "from", "to"], ["first"]),
        helper.make_node("Reshape", ["first", "rows"], ["boxes"]),
    ]
    constants = {"flat": np.array([-1]), "from": np.array([0]), "to": np.array([48]), "rows": np.array([8, 6])}
    axes: list[dict[str, Any]] = [{"type": "index", "id": "index", "size": 8}, {"type": "channel", "id": "channel"}]
    axes[1]["channel_names"] = list(CORNERS)
    settings = {"decode": "boxes", "columns": list(CORNERS)}
    return models.write(folder, nodes, constants, "float32", ("boxes", "float32", axes), settings=settings)


def test_boxes_of_a_package_live(runtime: Callable[..., Runtime], tmp_path: Path) -> None:
    spec = FrameSpec((48, 64), "float32", camera="cam")
    package = rows_of_frames(tmp_path / "boxes")
    stages = [Stage("boxes", package), Stage("few", package, settings={"most": 1})]
    it = runtime(Pipeline(stages), spec)
    results = it.subscribe(block(3))
    tables = np.zeros((3, 8, 6), np.float32)
    tables[0, :3] = [[3, 3, 9, 9, 0.7, 0], [20, 20, 30, 40, 0.9, 1], [3, 4, 9, 10, 0.6, 0]]
    tables[2, 7] = [0, 0, 5, 5, 1, 2]
    for seq, table in enumerate(tables):
        frame = np.zeros(spec.shape, np.float32)
        frame.ravel()[:48] = table.ravel()
        it.submit(Frame(FrameId("run", "cam", 0, seq), frame))
    assert it.drain(60)
    it.close()
    first, empty, last = (result["boxes"] for result in results)
    assert first.dtype.names == COLUMNS
    assert [first[name].tolist() for name in ("y0", "x1", "class")] == [[19.5, 2.5], [39.5, 8.5], [1, 0]]
    assert len(empty) == 0
    assert last["class"].tolist() == [2]
