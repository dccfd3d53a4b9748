"""Statistics taken inside the graph against NumPy's in float64, and against what bioimageio.core would take."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onscope.runtime._errors import PackageError
from onscope.runtime.graph._draft import Draft, Value
from onscope.runtime.graph._types import Statistic
from onscope.runtime.graph.statistics._in_graph import statistic_node
from onscope.runtime.graph.statistics._percentile import position
from tests.graph.steps import AXES, Written, measured


def taken(array: np.ndarray, *wanted: Statistic, axes: tuple[str, ...] = AXES, reference: bool = False) -> np.ndarray:
    """The statistics, in the order asked for, each with all axes and `value` and `rest` added up in float64."""
    answers = []
    for statistic in wanted:
        for part in ("value", "rest"):
            written = Written({"own": array}, axes, on_host=False)
            asked = Statistic(statistic.kind, statistic.percentile, statistic.method, statistic.keeps, part=part)
            name = statistic_node(written.draft, written.inputs["own"], asked)
            shape = tuple(size if axis in statistic.keeps else 1 for axis, size in zip(axes, array.shape, strict=True))
            if part == "rest" and name.startswith("test.constant"):
                answers.append(np.zeros(shape))
                continue
            found = written.run(Value(name, "float32", axes, shape), reference)
            assert found.shape == shape
            assert found.dtype == np.float32
            answers.append(found.astype(np.float64))
    return np.asarray(np.array(answers).reshape(len(wanted), 2, *answers[0].shape).sum(axis=1))


@st.composite
def tensors(draw: st.DrawFn) -> np.ndarray:
    generator = np.random.default_rng(draw(st.integers(0, 1 << 30)))
    shape = (draw(st.integers(1, 2)), draw(st.integers(1, 3)), draw(st.integers(1, 12)), draw(st.integers(1, 12)))
    low, spread = draw(st.sampled_from([(0, 255), (0, 3), (100, 60000), (65000, 10), (40000, 0)]))
    dtype = draw(st.sampled_from(["uint16", "float32"]))
    whole = generator.integers(low, low + spread + 1, shape)
    return (whole + (generator.uniform(0, 1, shape) if dtype == "float32" and spread else 0)).astype(dtype)


STATISTICS = st.builds(
    Statistic,
    kind=st.sampled_from(["percentile", "percentile", "mean", "std"]),
    percentile=st.one_of(st.sampled_from([0.0, 0.5, 50.0, 99.8, 100.0]), st.floats(0, 100)),
    method=st.sampled_from(["linear", "inverted_cdf"]),
    keeps=st.sampled_from([(), ("channel",), ("batch", "channel"), ("y",), ("batch", "x"), AXES]),
)


@settings(max_examples=80, deadline=None)
@given(tensors(), STATISTICS)
def test_they_are_numpys(array: np.ndarray, wanted: Statistic) -> None:
    found, exact = taken(array, wanted)[0], measured(array, AXES, wanted)
    spread = float(array.max()) - float(array.min())
    assert np.all(np.abs(found - exact) <= 2e-6 * max(spread, 1e-30) + 1e-9 * np.abs(exact)), (found, exact)


@settings(max_examples=20, deadline=None)
@given(tensors(), STATISTICS)
def test_the_reference_of_onnx_agrees(array: np.ndarray, wanted: Statistic) -> None:
    assert np.allclose(taken(array, wanted), taken(array, wanted, reference=True), rtol=1e-6, atol=1e-5)


@pytest.mark.parametrize("dtype", ["uint16", "float32"])
@pytest.mark.parametrize("value", [0.1, 40000.0, 65535.0])
def test_a_constant_frame_has_its_own_mean_and_no_spread(dtype: Any, value: float) -> None:
    frame = np.full((1, 1, 300, 700), value, dtype)
    mean, std = taken(frame, Statistic("mean"), Statistic("std"))
    assert mean.item() == frame[0, 0, 0, 0]
    assert std.item() <= 1e-6 * value


def test_large_frames_lose_nothing_to_their_sums() -> None:
    frame = (np.random.default_rng(0).integers(0, 20, (1, 1, 1024, 1024)) + 60000).astype(np.uint16)
    mean, std = taken(frame, Statistic("mean"), Statistic("std"))
    assert mean.item() == pytest.approx(frame.mean(), abs=1e-6)
    assert std.item() == pytest.approx(frame.std(), rel=5e-7)


@settings(max_examples=30, deadline=None)
@given(
    st.integers(0, 1 << 30), st.floats(0, 100), st.sampled_from([3, 300, 65536]), st.sampled_from([(48, 64), (37, 59)])
)
def test_percentiles_are_found_by_groups_of_pixels(seed: int, percentile: float, top: int, size: Any) -> None:
    """Many equal ones, and sizes that groups do not divide."""
    frame = np.random.default_rng(seed).integers(0, top, (1, 2, *size)).astype(np.float32)
    for wanted in (Statistic("percentile", percentile, keeps=("channel",)), Statistic("percentile", percentile)):
        assert np.allclose(taken(frame, wanted)[0], measured(frame, AXES, wanted), rtol=3e-7)


def test_axes_may_stand_in_any_order() -> None:
    array = np.random.default_rng(0).normal(size=(5, 6, 3)).astype(np.float32)
    axes = ("y", "x", "channel")
    for wanted in (Statistic("percentile", 90.0, keeps=("channel",)), Statistic("mean", keeps=("y", "channel"))):
        assert np.allclose(taken(array, wanted, axes=axes)[0], measured(array, axes, wanted), rtol=1e-6, atol=1e-6)


def test_what_is_asked_twice_is_written_once() -> None:
    draft = Draft()
    value = Value("in", "float32", AXES, (1, 2, 8, 8))
    first = [statistic_node(draft, value, Statistic(kind)) for kind in ("mean", "std")]
    count = len(draft.nodes)
    assert first == [statistic_node(draft, value, Statistic(kind)) for kind in ("mean", "std")]
    statistic_node(draft, value, Statistic("mean", part="rest"))
    assert len(draft.nodes) == count
    assert sum(node.op_type == "Sqrt" for node in draft.nodes) == 1


def test_the_smaller_side_is_sorted() -> None:
    for percentile, largest, deepest in ((99.8, 1, 4), (0.2, 0, 4), (50.0, 1, 513)):
        draft = Draft()
        statistic_node(draft, Value("in", "float32", ("y", "x"), (32, 32)), Statistic("percentile", percentile))
        top = next(node for node in draft.nodes if node.op_type == "TopK")
        counts = [np.frombuffer(each.raw_data, np.int64) for each in draft.initializers if each.name == top.input[1]]
        assert next(each.i for each in top.attribute if each.name == "largest") == largest
        assert abs(int(counts[0][0]) - deepest) <= 1
    draft = Draft()
    statistic_node(draft, Value("in", "float32", ("y", "x"), (32, 32)), Statistic("percentile", 100.0))
    assert [node.op_type for node in draft.nodes] == ["Reshape", "ReduceMax", "Reshape"]


@settings(max_examples=100)
@given(st.integers(1, 5000), st.floats(0, 1), st.sampled_from(["linear", "inverted_cdf"]))
def test_places_of_percentiles_are_numpys(count: int, quantile: float, method: Any) -> None:
    at = position(quantile, count, method)
    assert 0 <= at.below <= at.above < count
    expected = np.quantile(np.arange(count), np.array([quantile]), method=method)[0]
    assert at.below + (at.above - at.below) * at.weight == pytest.approx(expected, abs=1e-9)


def test_what_is_not_known_beforehand_is_refused() -> None:
    varying = Value("in", "float32", AXES, (1, 1, None, 8))
    for wanted in (Statistic("mean"), Statistic("percentile", 50.0)):
        with pytest.raises(PackageError, match="the axis y of varying size"):
            statistic_node(Draft(), varying, wanted)
    with pytest.raises(PackageError, match="statistics along z"):
        statistic_node(Draft(), varying, Statistic("mean", keeps=("z",)))
