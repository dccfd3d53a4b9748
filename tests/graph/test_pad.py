"""Padding to sizes that a network takes, and the cut back: against NumPy's pad."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import helper

from onscope.runtime import PipelineError
from onscope.runtime.graph._crop import crop, likely_scale
from onscope.runtime.graph._draft import Draft, Value
from onscope.runtime.graph._pad import Padding, pad, paddings
from onscope.runtime.graph._points import inside
from onscope.runtime.package import Axis, AxisSize, SizeReference, TensorDescription


def image(y: AxisSize, x: AxisSize) -> TensorDescription:
    axes = (Axis("batch", "batch", AxisSize(fixed=1)), Axis("y", "space", y), Axis("x", "space", x))
    return TensorDescription("image", "image", axes, "float32")


def answer(factor: float = 1.0, offset: int = 0, halo: int = 0) -> TensorDescription:
    axes = [Axis("batch", "batch", AxisSize(fixed=1))]
    for id in ("y", "x"):
        axes.append(Axis(id, "space", AxisSize(follows=SizeReference("image", id, factor, offset)), halo=halo))
    return TensorDescription("answer", "answer", tuple(axes), "float32")


def run(draft: Draft, value: Value, made: Value, array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    import onnxruntime

    draft.input(value.name, value.dtype, value.shape)
    draft.output(made, "made")
    graph = helper.make_graph(draft.nodes, "test", draft.inputs, draft.outputs, draft.initializers)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)
    onnx.checker.check_model(model, full_check=True)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return np.asarray(session.run(None, {value.name: array})[0])


@settings(max_examples=80, deadline=None)
@given(
    st.integers(1, 12), st.integers(2, 12), st.integers(0, 5), st.integers(0, 20), st.integers(0, 20),
    st.sampled_from(["float32", "uint16", "uint8"]), st.sampled_from(["", "symmetric", "reflect", "edge", "constant"]),
)  # fmt: skip
def test_pads_as_numpy_does(y: int, x: int, halo: int, below: int, right: int, dtype: str, mode: Any) -> None:
    array = np.arange(y * x).reshape(1, y, x).astype(dtype)
    draft, value = Draft("_"), Value("image", dtype, ("batch", "y", "x"), (1, y, x))
    made = pad(draft, value, {"y": Padding(y, halo, below), "x": Padding(x, halo, right)}, mode, 7.0)
    own: Any
    value_of: dict[str, Any] = {"constant_values": 7} if mode == "constant" else {}
    expected = array
    for axis, (size, fill) in enumerate(((y, below), (x, right)), start=1):
        width = [(0, 0)] * 3
        width[axis] = (halo, halo)
        own = mode or "symmetric"
        expected = np.pad(expected, width, mode=own if size > 1 or own == "constant" else "edge", **value_of)
        width[axis] = (0, fill)
        own = mode or "reflect"
        expected = np.pad(expected, width, mode=own if size + 2 * halo > 1 or value_of else "edge", **value_of)
    found = run(draft, value, made, array)
    assert found.shape == made.shape
    assert np.array_equal(found, expected)


def test_a_frame_that_fits_is_left_alone() -> None:
    draft, value = Draft("_"), Value("image", "uint16", ("batch", "y", "x"), (1, 32, 48))
    grown = paddings(image(AxisSize(minimum=16, step=16), AxisSize(minimum=16, step=16)), {"y": 32, "x": 48}, (), "s")
    assert pad(draft, value, grown) is value
    assert not draft.nodes


@settings(max_examples=50, deadline=None)
@given(
    st.integers(1, 70), st.integers(1, 70), st.integers(1, 20), st.integers(1, 16), st.sampled_from([0, 4, 6]),
    st.sampled_from([0.5, 1.0, 2.0]),
)  # fmt: skip
def test_answers_are_cut_back_to_what_the_frame_asks_for(
    y: int, x: int, minimum: int, step: int, halo: int, factor: float
) -> None:
    source, output = image(AxisSize(minimum=minimum, step=step), AxisSize(minimum=minimum, step=step)), answer(factor)
    output = answer(factor, halo=halo)
    grown = paddings(source, {"y": y, "x": x}, (output,), "s")
    for id, size in (("y", y), ("x", x)):
        assert source.axis(id).size.fits(grown[id].padded)  # type: ignore[union-attr]
        assert grown[id].padded < size + 2 * grown[id].halo + max(step, minimum)
    # An answer that says of each of its pixels which one it is, counted from the frame's first.
    at = [np.arange(int(grown[id].padded * factor)) - round(grown[id].halo * factor) for id in ("y", "x")]
    whole = (at[0][:, None] * 1000.0 + at[1])[None].astype(np.float32)
    draft, value = Draft("_"), Value("whole", "float32", ("batch", "y", "x"), whole.shape)
    made = crop(draft, value, output, source, grown)
    found = run(draft, value, made, whole)
    sizes = int(y * factor), int(x * factor)
    assert found.shape == made.shape == (1, *sizes)
    assert np.array_equal(found[0], np.arange(sizes[0])[:, None] * 1000.0 + np.arange(sizes[1]))


def test_a_network_of_fixed_sizes_is_padded_to_or_refused() -> None:
    source = image(AxisSize(fixed=64), AxisSize(fixed=64))
    assert paddings(source, {"y": 50, "x": 64}, (), "stage")["y"] == Padding(50, 0, 14)
    with pytest.raises(PipelineError, match=r"found 65 pixels along x .*expected at most 64: set its tile to 64"):
        paddings(source, {"y": 64, "x": 65}, (), "stage")


def test_an_axis_that_follows_another_grows_with_it() -> None:
    follows = AxisSize(follows=SizeReference("image", "y"))
    grown = paddings(image(AxisSize(minimum=16, step=16), follows), {"y": 20, "x": 50}, (), "stage")
    assert (grown["y"].padded, grown["x"].padded) == (64, 64)
    with pytest.raises(PipelineError, match="which follow y"):
        paddings(image(AxisSize(minimum=16, step=16, maximum=32), follows), {"y": 20, "x": 50}, (), "stage")


@pytest.mark.parametrize("halo", [0, 4])
def test_points_on_mirrored_pixels_are_none(halo: int) -> None:
    """Every pixel of the padded frame as a point: those of the frame are left, the brightest first."""
    y, x = 21, 27
    grown = {"y": Padding(y, halo, 11), "x": Padding(x, halo, 5)}
    height, width = grown["y"].padded, grown["x"].padded
    at_y, at_x = np.mgrid[:height, :width].astype(np.float32)
    scores = np.random.default_rng(3).permutation(height * width).astype(np.float32)
    table = np.stack([at_x.ravel(), scores, at_y.ravel(), -scores], axis=1)[None]
    draft, value = Draft("_"), Value("table", "float32", ("batch", "index", "channel"), table.shape)
    made = inside(draft, value, ["x", "score", "y", "other"], grown)
    found = run(draft, value, made, table)
    assert found.shape == table.shape
    kept = found[0, found[0, :, 1] > -1]
    assert np.all(np.diff(found[0, :, 1]) <= 0)
    want = table[0] - np.array([halo, 0, halo, 0], np.float32)
    want = want[(want[:, 0] >= 0) & (want[:, 0] < x) & (want[:, 2] >= 0) & (want[:, 2] < y)]
    assert np.array_equal(kept, want[np.argsort(-want[:, 1])])
    assert inside(draft, value, ["x", "score", "y", "other"], {"y": Padding(y), "x": Padding(x)}) is value


@pytest.mark.parametrize(("before", "after", "scale"), [(24, 20, (1.0, 4)), (24, 48, (2.0, 0)), (24, 12, (0.5, 0))])
def test_what_a_pair_of_fixed_sizes_most_likely_means(before: int, after: int, scale: tuple[float, int]) -> None:
    assert likely_scale(before, after) == scale
