"""Frames as tensors: the graph lays axes out as NumPy does, by their names."""

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
from onscope.runtime._axes import to_tensor
from onscope.runtime.graph._draft import Draft, Value
from onscope.runtime.graph._layout import Picture, arrange, picture_of, placed
from onscope.runtime.package import Axis, AxisSize, TensorDescription

Array = npt.NDArray[Any]
KINDS = {"batch": "batch", "channel": "channel", "time": "time", "index": "index"}


def tensor(*axes: str, **fixed: int) -> TensorDescription:
    """A described input with these axes; those of `fixed` have that size alone."""
    described = tuple(
        Axis(id, KINDS.get(id, "space"), AxisSize(fixed=fixed.get(id)))  # type: ignore[arg-type]
        for id in axes
    )
    return TensorDescription("image", "image", described, "float32")


def laid_out(frames: list[Array], axes: str, described: TensorDescription, along: str = "", target: int = 0) -> Array:
    """The frames as the graph lays them out, run by onnxruntime."""
    import onnxruntime

    draft = Draft("_")
    values = tuple(Value(f"frame_{n}", each.dtype.name, tuple(axes), each.shape) for n, each in enumerate(frames))
    picture = Picture(values, along, target)
    made = arrange(draft, picture, described, placed(picture, described, "stage"))
    for value in values:
        draft.input(value.name, value.dtype, value.shape)
    draft.output(made, "answer")
    graph = helper.make_graph(draft.nodes, "test", draft.inputs, draft.outputs, draft.initializers)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)
    onnx.checker.check_model(model, full_check=True)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    found = session.run(None, {value.name: each for value, each in zip(values, frames, strict=True)})[0]
    assert found.shape == made.shape
    return np.asarray(found)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_single_frames_and_windows_go_where_to_tensor_puts_them(data: st.DataObject) -> None:
    ids = set(data.draw(st.lists(st.sampled_from(["batch", "channel", "time", "z", "index"]), unique=True)))
    axes = data.draw(st.permutations([*sorted(ids), "y", "x"]))
    colour = "channel" in ids and bool(data.draw(st.booleans()))
    shape = (4, 5, 3) if colour else (4, 5)
    homes = ids & {"time", "z"} or (ids & {"channel"} if not colour else set())
    several = bool(homes) and bool(data.draw(st.booleans()))
    count = data.draw(st.integers(2, 3)) if several else 1
    frames = [np.arange(np.prod(shape), dtype=np.uint16).reshape(shape) + 100 * n for n in range(count)]
    letters = "yxs" if colour else "yx"
    stacked, have = (np.stack(frames), "t" + letters) if count > 1 else (frames[0], letters)
    found = laid_out(frames, letters, tensor(*axes), "t" if count > 1 else "")
    assert found.dtype == np.uint16
    assert np.array_equal(found, to_tensor(stacked, have, axes))


@pytest.mark.parametrize(
    ("letter", "axes", "home"),
    [
        ("z", ["batch", "channel", "z", "y", "x"], "z"),
        ("z", ["batch", "time", "channel", "y", "x"], "time"),
        ("c", ["batch", "time", "channel", "y", "x"], "channel"),
        ("i", ["index", "channel", "y", "x"], "index"),
        ("i", ["batch", "channel", "y", "x"], "channel"),
        ("t", ["batch", "channel", "z", "y", "x"], "z"),
    ],
)
def test_a_window_goes_to_the_axis_of_its_kind(letter: str, axes: list[str], home: str) -> None:
    frames = [np.full((2, 3), n, np.uint8) for n in range(4)]
    found = laid_out(frames, "yx", tensor(*axes), letter)
    assert found.shape[axes.index(home)] == 4
    assert found.take(2, axis=axes.index(home)).max() == 2


def test_a_network_of_single_frames_takes_the_one_that_the_answer_belongs_to() -> None:
    frames = [np.full((2, 3), n, np.uint8) for n in range(4)]
    assert np.array_equal(laid_out(frames, "yx", tensor("batch", "y", "x"), "t", target=2), frames[2][None])
    described = tensor("batch", "channel", "y", "x", channel=1)
    assert np.array_equal(laid_out(frames, "yx", described, "t", target=1), frames[1][None, None])


@pytest.mark.parametrize(
    ("axes", "count", "described", "words"),
    [
        ("yxs", 1, tensor("batch", "y", "x"), "expected one that takes the samples of RGB pixels"),
        ("yxs", 1, tensor("batch", "channel", "y", "x", channel=1), "found colour images for the stage 'stage'"),
        ("yx", 1, tensor("channel", "y", "x", channel=3), "found grey images for the stage 'stage', expected 3"),
        ("yx", 5, tensor("channel", "y", "x", channel=3), "a window of 5 frames as channels"),
        ("yx", 5, tensor("time", "y", "x", time=3), "found 5 in the axis time for the stage 'stage', expected 3"),
        ("yx", 1, tensor("z", "y", "x", z=3), "found 1 in the axis z for the stage 'stage', expected 3"),
    ],
)
def test_an_axis_without_a_place_is_refused(axes: str, count: int, described: TensorDescription, words: str) -> None:
    frames = [np.zeros((2, 3, 3)[: len(axes)], np.uint8)] * count
    with pytest.raises(PipelineError, match=words):
        laid_out(frames, axes, described, "t" if count > 1 else "")


def test_a_stages_image_is_read_as_the_decoder_hands_it_on() -> None:
    value = Value("image", "float32", ("batch", "channel", "time", "y", "x"), (1, 3, 1, 4, 5))
    picture = picture_of(value)
    homes = placed(picture, tensor("y", "x", "channel", channel=3), "stage")
    assert {letter: homes[letter] for letter in "yxs"} == {"y": "y", "x": "x", "s": "channel"}
    with pytest.raises(PipelineError, match="found colour images"):
        placed(picture, tensor("batch", "channel", "y", "x", channel=1), "stage")
