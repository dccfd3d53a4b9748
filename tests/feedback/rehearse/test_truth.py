"""Spans and events of true objects, and the truth told as a detector."""

from __future__ import annotations

import numpy as np
import pytest

from onscope.runtime import Frame, FrameId
from onscope.runtime.feedback.rehearse import TRUE, Detector, Shot, Span, SpanBuilder, TrueFrame, TruthAnswers, joined


def told(*moments: tuple[float, dict[int, str]]) -> tuple[Span, ...]:
    builder = SpanBuilder()
    for time_s, kinds in moments:
        builder.add(time_s, ((who, kind, 1.0, 2.0) for who, kind in kinds.items()))
    return builder.spans()


def test_spans_begin_and_end_where_something_changes_and_say_whether_they_are_whole() -> None:
    spans = told((0, {1: "a"}), (10, {1: "b", 2: "a"}), (20, {1: "b"}), (30, {1: "c"}))
    assert [(s.id, s.kind, s.from_s, s.to_s, s.whole) for s in spans] == [
        (1, "a", 0, 10, False),
        (1, "b", 10, 30, True),
        (2, "a", 10, 20, True),
        (1, "c", 30, 30, False),
    ]


def test_events_are_spans_that_follow_one_another() -> None:
    moments: tuple[tuple[float, dict[int, str]], ...]
    moments = ((0, {1: "a"}), (10, {1: "b"}), (20, {1: "c"}), (30, {1: "a"}), (40, {1: "b"}), (50, {}))
    events = joined(told(*moments), frozenset("bc"))
    assert [(e.kind, e.from_s, e.to_s, e.whole) for e in events] == [("b", 10, 30, True), ("b", 40, 50, True)]


def shot(kinds: list[str], places: list[tuple[float, float]] | None = None) -> Shot:
    objects = np.zeros(len(kinds), TRUE)
    objects["id"], objects["kind"] = np.arange(1, len(kinds) + 1), kinds
    objects["y"], objects["x"] = zip(*(places or [(5.0, 6.0)] * len(kinds)), strict=True)
    frame = Frame(FrameId("r", "c", 0, 0), np.zeros((20, 30), np.uint16), pixel_size_um=0.5)
    return Shot(frame, TrueFrame(0.0, 0.5, objects, lambda: np.ones((20, 30), np.int32)))


def test_a_perfect_detector_tells_the_truth_by_the_classes_of_the_network() -> None:
    kinds = ["interphase", "prometaphase", "metaphase", "telophase", "dying", "bead"]
    result = TruthAnswers(Detector(), 1).result(shot(kinds))
    assert result is not None
    table = result["phase"]
    assert table["class"].tolist() == [0, 1, 2, 3, 4, 0]
    scores = np.stack([table[f"score_{name}"] for name in ("interphase", "prophase", "metaphase", "anaphase", "dead")])
    assert scores.sum(axis=0) == pytest.approx(1)
    assert (scores.argmax(axis=0) == table["class"]).all()
    assert table["label"].tolist() == table["track"].tolist() == [1, 2, 3, 4, 5, 6]
    assert table["x_um"] == pytest.approx(3.0)
    assert result["nuclei"].shape == (20, 30)


def test_objects_outside_of_the_frame_are_not_told() -> None:
    result = TruthAnswers(Detector(), 1).result(shot(["a", "b", "c"], [(-1.0, 5.0), (5.0, 29.0), (5.0, 30.0)]))
    assert result is not None
    assert result["cells"]["label"].tolist() == [2]


def test_its_errors_are_as_many_as_asked_for() -> None:
    answers = TruthAnswers(Detector(sensitivity=0.8, specificity=0.95, found=0.9), 3)
    right = {"interphase": [0, 0], "metaphase": [0, 0]}
    rows = 0
    for _ in range(100):
        result = answers.result(shot(["interphase"] * 20 + ["metaphase"] * 20))
        assert result is not None
        rows += len(result["phase"])
        for row in result["phase"]:
            kind = "interphase" if row["label"] <= 20 else "metaphase"
            right[kind][0] += row["class"] == (0 if kind == "interphase" else 2)
            right[kind][1] += 1
    assert rows / 4000 == pytest.approx(0.9, abs=0.02)
    assert right["interphase"][0] / right["interphase"][1] == pytest.approx(0.95, abs=0.02)
    assert right["metaphase"][0] / right["metaphase"][1] == pytest.approx(0.8, abs=0.03)
