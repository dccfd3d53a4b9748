"""A package's network inside a graph: one opset, names of its own, sizes worked out beforehand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from onscope.runtime import Package, PackageError
from onscope.runtime.graph import Raw, StageRequest, compile_group
from onscope.runtime.graph._memory import memory_mb

from . import generated, oracle
from .generated import Recipe
from .rules import compare
from .run import opened, request
from .written import FRAME, RANGE, RAW, checked, stage


@pytest.mark.parametrize(
    ("opset", "written", "ir"), [(9, 21, 10), (17, 21, 10), (21, 21, 10), (23, 23, 11), (26, 26, 13)]
)
def test_opset_and_ir_version_are_always_stated(tmp_path: Path, opset: int, written: int, ir: int) -> None:
    folder = generated.write(tmp_path / "p", Recipe(network="old_forms", opset=opset, described="uint16", pre=RANGE))
    run = opened([request(Package.load(folder))], RAW, tmp_path)
    model = checked(run.compiled)
    assert [(each.domain, each.version) for each in model.opset_import] == [("", written)]
    assert (model.ir_version, run.compiled.opset, run.compiled.ir_version) == (ir, written, ir)
    found = run.run([FRAME])["stage.image"]
    assert not compare(found, oracle.staged(folder, {"frame": FRAME[None, None]})["image"])


def test_networks_of_different_opsets_are_one_graph(tmp_path: Path) -> None:
    stages = []
    for name, opset in (("a", 9), ("b", 26)):
        package = Package.load(generated.write(tmp_path / name, Recipe(network="old_forms", opset=opset)))
        stages.append(request(package, name))
    compiled = compile_group(stages, replace(RAW, dtype="float32"), cache=tmp_path)
    assert compiled.opset == 26
    checked(compiled)


def test_a_network_newer_than_engines_take_is_brought_down(tmp_path: Path) -> None:
    plain = [helper.make_node("Relu", ["image"], ["answer"])]
    compiled = compile_group([stage(tmp_path, plain, opset=28, ir=14)], replace(RAW, dtype="float32"), cache=tmp_path)
    assert (compiled.opset, compiled.ir_version) == (26, 13)


def test_bodies_are_upgraded_too(tmp_path: Path) -> None:
    branches = [
        helper.make_graph(
            [helper.make_node("Unsqueeze", ["image"], [f"u{n}"], axes=[0]),
             helper.make_node("ReduceSum", [f"u{n}"], [f"s{n}"], axes=[n], keepdims=0)],
            f"branch{n}", [], [helper.make_tensor_value_info(f"s{n}", TensorProto.FLOAT, None)],
        )
        for n in range(2)
    ]  # fmt: skip
    nodes = [helper.make_node("If", ["yes"], ["answer"], then_branch=branches[0], else_branch=branches[1])]
    asked = stage(tmp_path, nodes, {"yes": np.array(True)}, opset=11, ir=6)
    assert np.array_equal(answers(asked, tmp_path), FRAME.astype(np.float32))


def answers(asked: StageRequest, cache: Path, frame: np.ndarray = FRAME) -> np.ndarray:
    image = frame.astype(np.float32)
    run = opened([asked], Raw(image.shape, "float32"), cache)
    onnx.checker.check_model(onnx.load(run.compiled.path), full_check=True)
    return np.asarray(run.run([image])["stage.answer"][0, 0])


def test_names_never_meet(tmp_path: Path) -> None:
    """A network whose tensors are called as the graph calls its own, and a stage called as a tensor."""
    nodes = [
        helper.make_node("Add", ["image", "frame_0"], ["_unsqueezed_1"], name="_node_feed_3"),
        helper.make_node("Mul", ["_unsqueezed_1", "stage.answer"], ["stage/answer"]),
        helper.make_node("Identity", ["stage/answer"], ["answer"]),
    ]
    asked = stage(tmp_path, nodes, {"frame_0": np.float32(3), "stage.answer": np.float32(2)})
    assert np.array_equal(answers(asked, tmp_path), (FRAME.astype(np.float32) + 3) * 2)


def test_bodies_and_functions_belong_to_the_network(tmp_path: Path) -> None:
    twice = helper.make_function(
        "mine", "Twice", ["a"], ["b"], [helper.make_node("Add", ["a", "a"], ["b"])], [helper.make_opsetid("", 20)]
    )
    branches = [
        helper.make_graph([helper.make_node(kind, ["image", "w"], [f"r{kind}"])], kind, [],
                          [helper.make_tensor_value_info(f"r{kind}", TensorProto.FLOAT, None)])
        for kind in ("Mul", "Add")
    ]  # fmt: skip
    nodes = [
        helper.make_node("ReduceMax", ["image"], ["top"], keepdims=0),
        helper.make_node("Greater", ["top", "limit"], ["bright"]),
        helper.make_node("If", ["bright"], ["chosen"], then_branch=branches[0], else_branch=branches[1]),
        helper.make_node("Twice", ["chosen"], ["answer"], domain="mine"),
    ]
    weights = {"w": np.float32(3), "limit": np.float32(1000)}
    asked = stage(tmp_path, nodes, weights, functions=[twice])
    assert np.array_equal(answers(asked, tmp_path), FRAME.astype(np.float32) * 6)
    assert np.array_equal(answers(asked, tmp_path, FRAME // 8), ((FRAME // 8).astype(np.float32) + 3) * 2)


def test_weights_that_are_inputs_are_weights(tmp_path: Path) -> None:
    nodes = [helper.make_node("Mul", ["image", "w"], ["answer"])]
    asked = stage(tmp_path, nodes, {"w": np.float32(3)}, weights_are_inputs=True, ir=8)
    assert np.array_equal(answers(asked, tmp_path), FRAME.astype(np.float32) * 3)


def test_weights_are_those_that_were_loaded(tmp_path: Path) -> None:
    asked = stage(tmp_path, [helper.make_node("Relu", ["image"], ["answer"])])
    asked.weights.write_bytes(asked.weights.read_bytes() + b"\0")
    with pytest.raises(PackageError, match="the file changed after the pipeline was loaded"):
        compile_group([asked], replace(RAW, dtype="float32"), cache=tmp_path)


def test_sizes_that_a_network_works_out_are_constants(tmp_path: Path) -> None:
    """A network that pads to a multiple of 8 by itself and cuts back: nothing of that is left for the run."""
    nodes = [
        helper.make_node("Shape", ["image"], ["shape"]),
        helper.make_node("Mod", ["shape", "steps"], ["over"]),
        helper.make_node("Sub", ["steps", "over"], ["missing"]),
        helper.make_node("Mod", ["missing", "steps"], ["fill"]),
        helper.make_node("Concat", ["nothing", "fill"], ["pads"], axis=0),
        helper.make_node("Pad", ["image", "pads"], ["padded"], mode="edge"),
        helper.make_node("MaxPool", ["padded"], ["small"], kernel_shape=[8, 8], strides=[8, 8]),
        helper.make_node("Resize", ["small", "", "scales"], ["large"], mode="nearest"),
        helper.make_node("Slice", ["large", "nothing", "shape"], ["answer"]),
    ]
    weights = {
        "steps": np.array([1, 1, 8, 8]), "nothing": np.zeros(4, np.int64), "scales": np.array([1, 1, 8, 8], np.float32),
    }  # fmt: skip
    asked = stage(tmp_path, nodes, weights)
    frame = FRAME[:45, :61]
    found = answers(asked, tmp_path, frame)
    blocks = np.pad(frame, ((0, 3), (0, 3)), mode="edge").reshape(6, 8, 8, 8).max(axis=(1, 3))
    assert np.array_equal(found, blocks.repeat(8, 0).repeat(8, 1)[:45, :61])
    model = checked(compile_group([asked], Raw((45, 61), "float32"), cache=tmp_path))
    assert {node.op_type for node in model.graph.node} == {
        "Unsqueeze", "Identity", "Pad", "MaxPool", "Resize", "Slice"
    }  # fmt: skip


def test_the_memory_of_a_run_is_estimated(tmp_path: Path) -> None:
    """Two convolutions to 4 channels: the frame, the answer, and at the worst moment both 4-channel tensors."""
    weights = {"a": np.zeros((4, 1, 3, 3), np.float32), "b": np.zeros((1, 4, 3, 3), np.float32)}
    pads: dict[str, Any] = {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1]}
    nodes = [
        helper.make_node("Conv", ["image", "a"], ["four"], **pads),
        helper.make_node("Relu", ["four"], ["bent"]),
        helper.make_node("Conv", ["bent", "b"], ["answer"], **pads),
    ]
    compiled = compile_group([stage(tmp_path, nodes, weights)], Raw((1000, 1000), "float32"), cache=tmp_path)
    assert compiled.memory_mb == pytest.approx(4 + 4 + 2 * 16, abs=0.5)
    assert memory_mb(checked(compiled)) == pytest.approx(compiled.memory_mb, abs=0.01)
