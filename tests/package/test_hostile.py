"""ONNX files that would not end, would not fit, or would speak to the terminal: each is one plain sentence, at once."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import FunctionProto, NodeProto, helper, numpy_helper

from onscope.cli import main
from onscope.runtime import Package, PackageError
from onscope.runtime.package._bounds import MAX_NODES, refuse_endless_functions
from onscope.runtime.package._files import one_line

Make = Callable[..., Path]
IMPORTS = [helper.make_opsetid("", 20), helper.make_opsetid("local", 1)]


def model(nodes: list[NodeProto], functions: list[FunctionProto] | None = None, **weights: Any) -> onnx.ModelProto:
    ports = [
        helper.make_tensor_value_info(name, onnx.TensorProto.UINT16, [1, 1, "y", "x"]) for name in ("raw", "image")
    ]
    held = [numpy_helper.from_array(value, name) for name, value in weights.items()]
    graph = helper.make_graph(nodes, "hostile", ports[:1], ports[1:], held)
    return helper.make_model(graph, opset_imports=IMPORTS, ir_version=9, functions=functions or [])


def calls(name: str, *of: str) -> FunctionProto:
    """A function that calls those of `of` one after the other."""
    steps = ["a", *(f"t{number}" for number in range(len(of) - 1)), "b"]
    inner = [
        helper.make_node(each, [begin], [end], domain="local" if each.startswith("f") else "")
        for each, begin, end in zip(of, steps[:-1], steps[1:], strict=True)
    ]
    return helper.make_function("local", name, ["a"], ["b"], inner, IMPORTS)


CALL = helper.make_node("f0", ["raw"], ["image"], domain="local")


@pytest.mark.parametrize(
    ("functions", "words"),
    [
        ([calls("f0", "f0")], "the function f0 in weights.onnx that calls itself"),
        ([calls("f0", "f1"), calls("f1", "Identity", "f0")], "that calls itself"),
        ([*(calls(f"f{n}", f"f{n + 1}") for n in range(5000)), calls("f5000", "Identity")], "or others too deep"),
        (
            [*(calls(f"f{n}", *[f"f{n + 1}"] * 2) for n in range(29)), calls("f29", "Identity")],
            f"found {1 << 29} operators in weights.onnx, expected at most {MAX_NODES}",
        ),
    ],
)
def test_functions_that_do_not_end_are_refused(functions: list[FunctionProto], words: str) -> None:
    with pytest.raises(PackageError, match=words):
        refuse_endless_functions(model([CALL], functions), Path("weights.onnx"))


def test_functions_that_end_are_taken() -> None:
    functions = [calls("f0", "f1", "f1"), calls("f1", "Identity", "Identity")]
    refuse_endless_functions(model([CALL], functions), Path("weights.onnx"))


def test_more_operators_than_networks_have_are_refused(make_package: Make) -> None:
    names = ["raw", *(f"x{number}" for number in range(MAX_NODES)), "image"]
    nodes = [helper.make_node("Identity", [a], [b]) for a, b in pairwise(names)]
    with pytest.raises(PackageError, match=f"found {MAX_NODES + 1} operators"):
        Package.load(make_package(model=model(nodes)))


def test_shapes_that_no_memory_holds_are_refused(make_package: Make) -> None:
    nodes = [helper.make_node("ConstantOfShape", ["s"], ["z"]), helper.make_node("Identity", ["raw"], ["image"])]
    with pytest.raises(PackageError, match="found 400000000 values in 'ConstantOfShape'"):
        Package.load(make_package(model=model(nodes, s=np.array([20000, 20000], np.int64))))


@pytest.mark.parametrize(
    ("kind", "constant"),
    [
        ("Tile", np.array([1, 1, 3000, 3000], np.int64)),
        ("Pad", np.array([0, 0, 0, 0, 0, 0, 100_000, 100_000], np.int64)),
        ("Resize", np.array([1, 1, 3000, 3000], np.float32)),
        ("Resize", np.array([1, 1, np.inf, np.nan], np.float32)),
    ],
)
def test_frames_that_grow_beyond_memory_are_refused(make_package: Make, kind: str, constant: Any) -> None:
    inputs = ["raw", "", "c"] if kind == "Resize" else ["raw", "c"]
    nodes = [helper.make_node(kind, inputs, ["z"]), helper.make_node("Identity", ["raw"], ["image"])]
    with pytest.raises(PackageError, match=f"found that '{kind}' of weights.onnx makes .* values of one"):
        Package.load(make_package(model=model(nodes, c=constant)))


def test_steps_between_sizes_that_no_frame_has_are_refused(make_package: Make, rdf: dict[str, Any]) -> None:
    for axis in rdf["inputs"][0]["axes"][2:]:
        axis["size"] = {"min": 1, "step": 65535}
    with pytest.raises(PackageError, match="found at least 4294967296 values in raw, expected at most"):
        Package.load(make_package())


def test_names_do_not_speak_to_the_terminal(make_package: Make, capsys: pytest.CaptureFixture[str]) -> None:
    evil = "\x1b]0;title\x07\x1b[2J\u202e"
    nodes = [helper.make_node("Nope" + evil, ["raw"], ["image"], domain="dom" + evil)]
    folder = make_package(model=model(nodes))
    with pytest.raises(PackageError) as caught:
        Package.load(folder)
    assert str(caught.value).isprintable()
    with pytest.raises(SystemExit):
        main(["validate", str(folder)])
    said = capsys.readouterr()
    assert (said.out + said.err).strip().isprintable()
    assert r"dom\x1b]0;title\x07" in said.err
    assert one_line(f"a\r\nb{evil}") == r"a b\x1b]0;title\x07\x1b[2J\u202e"
