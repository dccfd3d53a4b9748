"""What answers may differ by where they are flat: their range is rounding then, and no measure of anything."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, helper

from onscope.runtime.worker._batch_proof import _held
from onscope.runtime.worker._engine_errors import FLOOR, STEPS, _distance, reach

from .batching import In, compare, graph_of
from .run import Array

floats = st.sampled_from(["float16", "float32", "float64"])


def flat(value: float, dtype: str, steps: int, seed: int) -> tuple[Array, Array]:
    """Twice one number but for some steps of rounding, other ones each time."""
    random = np.random.default_rng(seed)
    step = np.spacing(np.dtype(dtype).type(value))
    one, other = (
        (np.dtype(dtype).type(value) + random.integers(0, steps + 1, (8, 9)) * step).astype(dtype) for _ in range(2)
    )
    return one, other


@given(value=st.floats(-1000, 1000).filter(lambda value: abs(value) > 0.01), dtype=floats, seed=st.integers(0, 99))
def test_steps_of_rounding_are_no_difference(value: float, dtype: str, seed: int) -> None:
    one, other = flat(value, dtype, 1 if dtype == "float16" else STEPS // 2, seed)
    assert _distance(one, other) <= FLOOR
    assert _held("flat", one, other).passed


@given(
    value=st.floats(-1000, 1000),
    span=st.floats(1, 1000),
    dtype=st.sampled_from(["float32", "float64"]),
    sign=st.booleans(),
)
def test_a_hundredth_of_a_true_range_is_one_however_high_it_lies(
    value: float, span: float, dtype: str, sign: bool
) -> None:
    wanted = (value + np.linspace(0, span, 90).reshape(9, 10)).astype(dtype)
    found = (wanted + (span / 100 if sign else -span / 100)).astype(dtype)
    assert _distance(found, wanted) > FLOOR
    assert not _held("true", found, wanted).passed


def test_what_errors_are_a_share_of() -> None:
    assert reach(np.full((4, 4), 7, np.uint16)) == 1.0
    assert reach(np.zeros((4, 4), np.float32)) == 1.0
    assert reach(np.zeros((0, 4), np.float32)) == 1.0
    assert reach(np.array([-60000, 60000], np.float16)) == 120000.0
    assert reach(np.array([1.0, np.nan, 3.0, np.inf], np.float32)) == 2.0
    assert reach(np.array([False, True])) == 1.0
    assert reach(np.full(3, 2.0, np.float32)) == pytest.approx(STEPS * 2.0 * np.finfo(np.float32).eps / FLOOR)


def test_two_classes_whose_probabilities_are_averaged() -> None:
    """Found by random graphs: the mean of what adds up to one is the same number everywhere, but for rounding."""
    axes = helper.make_tensor("axes", TensorProto.INT64, [2], [1, 2])
    nodes = [
        helper.make_node("Softmax", ["x"], ["shares"], axis=1),
        helper.make_node("ReduceMean", ["shares", "axes"], ["mean"], keepdims=0),
        helper.make_node("Tanh", ["mean"], ["y"]),
    ]
    given = In((1, 2, 4, 5), "float32", -2.0, 2.0)
    for seed in range(20):
        assert compare(graph_of(nodes, {"x": given}, ["y"], [axes]), [given], seed, 2) < 1e-5
