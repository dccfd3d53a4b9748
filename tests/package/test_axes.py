"""Every kind of axis of format 0.5, and how described tensors find theirs in the graph."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import pytest

from onscope.runtime import Package, PackageError
from onscope.runtime.package import Axis, AxisSize, SizeReference, tensor_from, tensor_message

from .networks import graph, new, write

BATCH = {"type": "batch"}
CHANNEL = {"type": "channel", "channel_names": ["red", "green"]}
FLOAT = {"type": "float32"}


def space(id: str, size: Any, **more: Any) -> dict[str, Any]:
    return {"type": "space", "id": id, "size": size, **more}


def follow(tensor: str, axis: str, offset: int = 0) -> dict[str, Any]:
    return {"tensor_id": tensor, "axis_id": axis, "offset": offset}


def tensor(id: str, *axes: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"id": id, "axes": list(axes), "data": FLOAT, **more}


def load(folder: Path, inputs: list[dict[str, Any]], outputs: list[dict[str, Any]]) -> Package:
    """A package whose graph has the tensors as they are described, all of float32."""
    takes, gives = ([(f"{one['id']}_port", "float32", len(one["axes"])) for one in side] for side in (inputs, outputs))
    return Package.load(write(folder / "package", new(inputs, outputs), graph(takes, gives)))


def test_all_kinds(tmp_path: Path) -> None:
    stack = tensor(
        "stack",
        BATCH,
        {"type": "time", "size": 3, "unit": "second", "scale": 0.5},
        CHANNEL,
        space("z", 5, unit="micrometer", scale=0.3),
        space("y", {"min": 64, "step": 16}, unit="micrometer", scale=0.5),
        space("x", follow("stack", "y", -8), unit="micrometer", scale=1.0),
    )
    answer = tensor(
        "answer",
        {"type": "batch", "size": 1},
        {"type": "index", "size": {"min": 2, "max": 100}},
        space("y", follow("stack", "y", 4), unit="micrometer", scale=0.25, halo=6),
        space("x", 7),
    )
    package = load(tmp_path, [stack], [answer])
    (given,), (got,) = package.inputs, package.outputs
    assert given.described == (
        Axis("batch", "batch"),
        Axis("time", "time", AxisSize(3), 0.5, "second"),
        Axis("channel", "channel", AxisSize(2), channels=("red", "green")),
        Axis("z", "space", AxisSize(5), 0.3, "micrometer"),
        Axis("y", "space", AxisSize(None, 64, 16), 0.5, "micrometer"),
        Axis("x", "space", AxisSize(follows=SizeReference("stack", "y", 0.5, -8)), 1.0, "micrometer"),
    )
    assert got.described == (
        Axis("batch", "batch", AxisSize(1)),
        Axis("index", "index", AxisSize(None, 2, 1, 100)),
        Axis("y", "space", AxisSize(follows=SizeReference("stack", "y", 2.0, 4)), 0.25, "micrometer", halo=6),
        Axis("x", "space", AxisSize(7)),
    )
    assert (given.channels, got.channels) == (2, None)
    assert (given.graph_name, got.graph_name) == ("stack_port", "answer_port")


@pytest.mark.parametrize(
    ("size", "factor", "offset", "found"),
    [(100, 2.0, 0, 200), (101, 0.5, 0, 50), (103, 0.5, 0, 51), (96, 0.333333333, 0, 32), (49, 1.0, -8, 41)],
)
def test_followed_sizes_are_rounded_down(size: int, factor: float, offset: int, found: int) -> None:
    assert SizeReference("a", "y", factor, offset).size(size) == found


def test_the_sizes_that_fit() -> None:
    free = AxisSize(None, 64, 16)
    assert [size for size in range(60, 100) if free.fits(size)] == [64, 80, 96]
    assert [free.at_least(size) for size in (1, 64, 65, 80)] == [64, 64, 80, 80]
    assert AxisSize(None, 2, 1, 4).fits(4)
    assert not AxisSize(None, 2, 1, 4).fits(5)


def test_no_batch_axis_and_colour(tmp_path: Path) -> None:
    frame = tensor("frame", space("y", 8), space("x", 8), {"type": "channel", "channel_names": ["r", "g", "b"]})
    mask = tensor("mask", space("y", follow("frame", "y")), space("x", follow("frame", "x")))
    package = load(tmp_path, [frame], [mask])
    assert package.inputs[0].axes == ("y", "x", "channel")
    assert package.inputs[0].channels == 3
    assert package.outputs[0].scale == 1.0


def test_inputs_that_follow_each_other_and_several_outputs(tmp_path: Path) -> None:
    first = tensor("first", space("y", {"min": 8, "step": 8}), space("x", 16))
    second = tensor("second", space("y", follow("first", "y")), space("x", 16))
    outputs = [tensor(name, space("y", follow("second", "x")), space("x", 16)) for name in ("a", "b", "c")]
    package = load(tmp_path, [first, second], outputs)
    assert package.inputs[1].described[0].size.follows == SizeReference("first", "y")
    assert [one.name for one in package.outputs] == ["a", "b", "c"]


def test_tensors_survive_messages_and_pickling(tmp_path: Path) -> None:
    steps = [{"id": "scale_range", "kwargs": {"axes": ["y", "x"], "min_percentile": 1.0}}]
    first = tensor("first", space("y", {"min": 8, "step": 8}), space("x", 16), preprocessing=steps)
    package = load(tmp_path, [first], [tensor("a", space("y", follow("first", "y", 2)), CHANNEL)])
    for one in (*package.inputs, *package.outputs):
        assert tensor_from(json.loads(json.dumps(tensor_message(one)))) == one
        assert pickle.loads(pickle.dumps(one)) == one  # noqa: S301  our own bytes
    with pytest.raises(TypeError):
        package.inputs[0].steps[1].arguments["eps"] = 1  # type: ignore[index]


@pytest.mark.parametrize(
    ("axes", "words"),
    [
        ([space("y", 1 << 17), space("x", 8)], "a size of 131072 along y of first, expected at most 65536"),
        ([space("y", 1 << 16), space("x", 1 << 16)], "at least 4294967296 values in first"),
        ([space("y", {"min": 8, "step": 1 << 17}), space("x", 8)], "a size of 131072 along y"),
        ([space("y", follow("first", "x", 1 << 20)), space("x", 8)], "a size of 1048576 along y"),
        ([space("y", follow("first", "x")), space("x", 8, scale=1e9)], "a scale of 1e\\+09 along y"),
        (
            [space("y", follow("first", "x")), space("x", follow("first", "y"))],
            "follows first.*an axis with a size|breaks",
        ),
        ([space("y", follow("first", "y")), space("x", 8)], "follows first.y, expected an axis with a size|breaks"),
        ([space("y", follow("nobody", "y")), space("x", 8)], "follows nobody.y|breaks the BioImage.IO format"),
        ([space("y", 8), space("y", 8)], "breaks the BioImage.IO format"),
    ],
)
def test_sizes_that_no_tensor_has(tmp_path: Path, axes: list[dict[str, Any]], words: str) -> None:
    with pytest.raises(PackageError, match=words) as caught:
        load(tmp_path, [tensor("first", *axes)], [tensor("a", space("y", 8))])
    assert "\n" not in str(caught.value)
