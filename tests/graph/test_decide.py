"""What the graph decodes against what NumPy does: the class of each pixel, candidates for peaks; and NaN in both."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import onnxruntime
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from onnx import helper

from onscope.runtime.decode._classes import best_of
from onscope.runtime.decode._peaks import candidates_of
from onscope.runtime.graph._decide import LOWEST, best_class, candidates
from onscope.runtime.graph._draft import IR_VERSION, OPSET, Draft, Value

AXES = ("batch", "channel", "y", "x")
MAPS = arrays.arrays(
    np.float32,
    st.tuples(st.just(1), st.integers(1, 4), st.integers(1, 12), st.integers(1, 12)),
    elements=st.one_of(st.integers(0, 3).map(float), st.floats(-100, 100, width=32)),
)


def run(write: Callable[[Draft, Value], Value], array: np.ndarray, axes: Sequence[str] = AXES) -> np.ndarray:
    """What the nodes make of an array, held against the shape and dtype that are said of it."""
    draft = Draft()
    dtype = array.dtype.name
    made = write(draft, Value(draft.input("in", dtype, array.shape), dtype, tuple(axes), array.shape))
    draft.output(made, "out")
    graph = helper.make_graph(draft.nodes, "test", draft.inputs, draft.outputs, draft.initializers)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    found: Any = session.run(None, {"in": array})[0]
    assert (found.shape, found.dtype.name) == (made.shape, made.dtype)
    return np.asarray(found)


@settings(max_examples=40, deadline=None)
@given(MAPS)
def test_classes_are_numpys(scores: np.ndarray) -> None:
    found = run(lambda draft, value: best_class(draft, value, 1), scores)
    assert np.array_equal(found[0], best_of(scores[0]))
    assert np.array_equal(found[0], scores[0].argmax(axis=0))


def test_pixels_with_nan_are_of_no_class() -> None:
    scores = np.random.default_rng(0).normal(size=(1, 3, 6, 7)).astype(np.float32)
    scores[0, 1, 2, 3] = np.nan
    scores[0, :2, 4, 5] = np.inf, -np.inf
    found = run(lambda draft, value: best_class(draft, value, 1), scores)[0]
    assert {tuple(place) for place in np.argwhere(found < 0).tolist()} == {(2, 3), (4, 5)}


@settings(max_examples=40, deadline=None)
@given(MAPS, st.integers(1, 3), st.sampled_from([7, 2048]))
def test_candidates_are_numpys(maps: np.ndarray, distance: int, most: int) -> None:
    found = run(lambda draft, value: candidates(draft, value, "channel", most, distance), maps)
    assert np.array_equal(found[found[:, 3] > LOWEST], candidates_of(maps[0], distance, most))


def test_channels_may_stand_last() -> None:
    maps = np.random.default_rng(2).normal(size=(9, 11, 2)).astype(np.float32)
    found = run(lambda draft, value: candidates(draft, value, "channel", 16, 1), maps, ("y", "x", "channel"))
    assert np.array_equal(found, candidates_of(np.moveaxis(maps, -1, 0).copy(), 1, 16))


@pytest.mark.parametrize("place", [(0, 0), (4, 5), (8, 10)])
def test_one_nan_is_in_every_score(place: tuple[int, int]) -> None:
    maps = np.random.default_rng(2).normal(size=(1, 2, 9, 11)).astype(np.float32)
    maps[0, 1][place] = np.nan
    assert np.isnan(run(lambda draft, value: candidates(draft, value, "channel", 16, 1), maps)[:, 3]).all()
