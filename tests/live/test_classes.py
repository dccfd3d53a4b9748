"""Classes: of pixels, of whole images, single and several labels; through NumPy, and through a runtime."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from onscope.export.zoo import PACKAGES
from onscope.runtime import Package, Pipeline, PipelineError, ProviderError, Stage
from onscope.runtime.decode import TableDecoder, decoder

NAMES = ("rest", "dividing", "dead")
IMAGE = ["batch", "channel", "y", "x"]
SCORES = arrays.arrays(
    np.float32,
    st.tuples(st.integers(2, 5), st.integers(1, 9), st.integers(1, 9)),
    elements=st.one_of(st.sampled_from([0.0, 1.0, -np.inf]), st.floats(-100, 100, width=32)),
)


def classes(axes: list[str], **more: Any) -> Any:
    return decoder(axes, {"decode": "classes", **more})


@settings(deadline=None)
@given(SCORES)
def test_a_pixels_class_is_the_first_of_the_largest_scores(scores: np.ndarray) -> None:
    found, axes = classes(IMAGE)(scores[None])
    assert (axes, found.dtype.name) == ("yx", "int32")
    assert np.array_equal(found, scores.argmax(axis=0))


def test_equal_scores_are_of_the_first_class() -> None:
    assert not classes(IMAGE)(np.full((1, 4, 5, 6), 0.25, np.float32))[0].any()


def test_channels_may_stand_last() -> None:
    scores = np.random.default_rng(0).normal(size=(1, 5, 7, 3)).astype(np.float32)
    found, axes = classes(["batch", "y", "x", "channel"])(scores)
    assert axes == "yx"
    assert np.array_equal(found, scores[0].argmax(axis=-1))


@pytest.mark.parametrize(("activation", "least"), [("none", 0.3), ("sigmoid", np.log(0.3 / 0.7))])
def test_of_one_channel_class_1_is_from_the_threshold_on(activation: str, least: float) -> None:
    scores = np.linspace(-2, 2, 35, dtype=np.float32).reshape(1, 1, 5, 7)
    found, _ = classes(IMAGE, threshold=0.3, activation=activation)(scores)
    assert np.array_equal(found, scores[0, 0] >= least)


def test_classes_that_the_graph_has_chosen_are_passed_on() -> None:
    chosen = np.arange(12, dtype=np.int32).reshape(1, 3, 4)
    found, axes = classes(["batch", "y", "x"])(chosen)
    assert axes == "yx"
    assert np.array_equal(found, chosen[0])
    chosen[0, 1, 1] = -1
    with pytest.raises(ProviderError, match="hold NaN"):
        classes(["batch", "y", "x"])(chosen)


@settings(deadline=None)
@given(arrays.arrays(np.float32, st.tuples(st.integers(0, 6), st.just(3)), elements=st.floats(-50, 50, width=32)))
def test_a_table_has_a_row_for_each_crop(scores: np.ndarray) -> None:
    decode = classes(["batch", "channel"], classes=NAMES, activation="softmax")
    table, axes = decode(scores)
    assert axes == "ic"
    assert decode.columns == ("class", "score", "score_rest", "score_dividing", "score_dead")
    assert table.shape == (len(scores), 5) == (decode.rows(scores.shape), 5)
    assert table[:, 2:].sum(axis=1) == pytest.approx(np.ones(len(scores)), abs=1e-5)
    assert np.array_equal(table[:, 1], table[:, 2:].max(axis=1, initial=0))
    assert np.array_equal(table[:, 2:][np.arange(len(table)), table[:, 0].astype(int)], table[:, 1])


@settings(deadline=None)
@given(
    arrays.arrays(np.float32, st.tuples(st.integers(0, 6), st.just(3)), elements=st.floats(0, 1, width=32)),
    st.one_of(st.floats(0, 1), st.tuples(*[st.floats(0, 1)] * 3)),
)
def test_several_labels_are_all_those_above_their_thresholds(scores: np.ndarray, threshold: Any) -> None:
    decode = classes(["batch", "channel"], classes=NAMES, multi_label=True, threshold=threshold)
    table, _ = decode(scores)
    assert isinstance(decode, TableDecoder)
    assert len(table) == (scores >= np.asarray(threshold)).sum() <= decode.rows(scores.shape)
    for row in table:
        least = threshold[int(row[0])] if isinstance(threshold, tuple) else threshold
        assert row[1] == row[2 + int(row[0])] >= least


def test_several_labels_of_one_image_are_in_the_order_of_their_scores() -> None:
    table, _ = classes(["channel"], classes=NAMES, multi_label=True)(np.array([0.6, 0.2, 0.9], np.float32))
    assert table[:, 0].tolist() == [2, 0]


def test_scores_that_are_no_numbers_are_no_class() -> None:
    with pytest.raises(ProviderError, match="overflows"):
        classes(["channel"], classes=NAMES, activation="softmax")(np.array([np.inf, 0, 0], np.float32))


@pytest.mark.parametrize(
    ("axes", "stated", "words"),
    [
        (IMAGE, {"multi_label": True}, "for classes of pixels"),
        (IMAGE, {"threshold": (0.1, 0.2)}, "for classes of pixels"),
        (["index", "x"], {"classes": NAMES}, "expected channel"),
        (["channel"], {}, "without names"),
        (["channel"], {"classes": NAMES, "threshold": (0.1, 0.2)}, "2 thresholds for 3 classes"),
    ],
)
def test_what_fits_no_class_is_a_sentence(axes: list[str], stated: dict[str, Any], words: str) -> None:
    with pytest.raises(PipelineError, match=words):
        classes(axes, **stated)


def test_other_numbers_of_scores_are_refused() -> None:
    with pytest.raises(PipelineError, match="found 4 scores, expected 3"):
        classes(["channel"], classes=NAMES)(np.zeros(4, np.float32))


@pytest.mark.parametrize(
    ("stated", "words"),
    [
        ({"activation": "relu"}, "activation 'relu', expected one of none, sigmoid, softmax"),
        ({"threshold": "high"}, "threshold 'high', expected a finite number"),
        ({"multi_label": 1}, "multi_label 1, expected true or false"),
        ({"classes": ("a", "a")}, "expected a list of different names"),
        ({"tresholds": 0.3}, "tresholds, which decode: classes does not take, expected classes, activation"),
        ({"decode": "class"}, "decode 'class', expected one of image"),
    ],
)
def test_settings_of_a_stage_are_checked(stated: dict[str, Any], words: str) -> None:
    with pytest.raises(PipelineError, match=words):
        Stage("phase", PACKAGES / "mitosis-cells", settings=stated)


def test_the_shipped_classifier_names_its_classes() -> None:
    stage = Stage("phase", "zoo/mitosis-cells")
    package = Package.load(PACKAGES / "mitosis-cells")
    assert stage.settings["classes"] == package.outputs[0].axis("channel").channels  # type: ignore[union-attr]
    assert stage.decoder.columns[:3] == ("class", "score", "score_interphase")
    assert Pipeline([stage]).images == []
    probabilities = package.load_test_outputs()[0]
    table, _ = stage.decoder(probabilities)
    assert table[:, 0] == probabilities.argmax(axis=1)
    assert np.array_equal(table[:, 2:], probabilities)


def test_vectors_have_a_row_for_each_crop() -> None:
    decode = decoder(["batch", "channel"], {"decode": "vectors", "columns": ("a", "b")})
    table, axes = decode(np.array([[1, 2], [3, 4]], np.float32))
    assert (axes, decode.columns, table.tolist()) == ("ic", ("a", "b"), [[1, 2], [3, 4]])
    stage = Stage("looks", "zoo/mitosis-cells", settings={"decode": "vectors"})
    assert stage.decoder.columns == tuple(f"appearance_{number}" for number in range(5))
    with pytest.raises(PipelineError, match="found vectors of 3 numbers, expected 2"):
        decode(np.zeros((1, 3), np.float32))


def test_scores_for_classes_that_are_alike_become_those_of_classes_as_frequent_as_they_are() -> None:
    scores = np.array([[0.5, 0.4, 0.1], [0.01, 0.98, 0.01], [0, 0, 0]], np.float32)
    table, _ = classes(["batch", "channel"], classes=NAMES, frequencies=[1, 8, 1])(scores)
    assert table[:, 0].tolist() == [1, 1, 0]
    assert table[0, 2:] == pytest.approx(np.array([0.5, 3.2, 0.1]) / 3.8)
    assert table[:2, 2:].sum(axis=1) == pytest.approx([1, 1])
    assert not table[2, 2:].any()
    for more, words in (
        ({"frequencies": [1, 2]}, "2 frequencies for 3 classes"),
        ({"frequencies": [1, 1, 1], "multi_label": True}, "that exclude each other"),
    ):
        with pytest.raises(PipelineError, match=words):
            classes(["batch", "channel"], classes=NAMES, **more)
    with pytest.raises(PipelineError, match="frequencies for classes of pixels"):
        classes(IMAGE, frequencies=[1, 1, 1])
