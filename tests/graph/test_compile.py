"""Stages as graphs: what they hold, what they are called, how they are written, and what is refused."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import helper

from onscope.runtime import Package, PipelineError
from onscope.runtime.graph import HostScalars, Raw, compile_group
from onscope.runtime.graph.calibration._calibration import Calibration, calibrated

from .. import models
from . import generated, oracle
from .generated import Recipe
from .rules import compare
from .run import opened, request
from .written import FRAME, RANGE, RAW, checked, described, stage


@pytest.mark.parametrize("name", ["care", "espcn", "spots"])
@pytest.mark.parametrize("shape", [(48, 64), (63, 47), (16, 16)])
def test_a_package_without_steps_is_its_network(tmp_path: Path, name: str, shape: tuple[int, int]) -> None:
    package = Package.load(f"zoo/{name}-beads")
    run = opened([request(package)], Raw(shape, "uint16"), tmp_path)
    model = checked(run.compiled)
    own = onnx.load(package.weights)
    assert not run.compiled.scalars
    assert not run.compiled.notes
    assert len(model.graph.node) <= len(own.graph.node) + 3  # the frame's axes, the network's input, its output
    assert {node.op_type for node in model.graph.node} <= {node.op_type for node in own.graph.node} | {
        "Unsqueeze",
        "Identity",
    }
    frame = np.random.default_rng(1).poisson(200, shape).astype(np.uint16)
    session = onnxruntime.InferenceSession(str(package.weights), providers=["CPUExecutionProvider"])
    want = session.run(None, {"raw": frame[None, None]})[0]
    found = run.run([frame])[f"stage.{package.outputs[0].name}"]
    answer = run.compiled.answers[0]
    assert (found.dtype, found.shape) == (want.dtype, want.shape) == (np.dtype(answer.dtype), answer.shape)
    if want.dtype == np.uint16:
        assert np.abs(found.astype(int) - want.astype(int)).max() <= 1
    else:
        assert np.allclose(found, want, atol=1e-3)


def test_what_no_answer_is_made_of_is_not_computed(tmp_path: Path) -> None:
    post = (("clip", {"min": 0.0, "max": 255.0}), ("ensure_dtype", {"dtype": "uint8"}))
    recipe = Recipe(network="conv", described="uint16", pre=RANGE, post=post)
    run = opened([request(Package.load(generated.write(tmp_path / "p", recipe)))], RAW, tmp_path)
    nodes = checked(run.compiled).graph.node
    read = {name for node in nodes for name in node.input} | {answer.output for answer in run.compiled.answers}
    assert all(read.intersection(node.output) for node in nodes)
    made = {name: node.op_type for node in nodes for name in node.output}
    # The lower percentile's, one number that a whole count is made of; and the image's.
    assert [made[node.input[0]] for node in nodes if node.op_type == "Clip"] == ["Squeeze", "Unsqueeze"]
    assert not {"Max", "Min"} & set(made.values())


def test_inputs_and_outputs_are_in_the_order_of_the_description(tmp_path: Path) -> None:
    recipe = Recipe(network="two_outputs", layout="bctyx", described="uint16", pre=RANGE, recurrent=False)
    package = Package.load(generated.write(tmp_path / "p", recipe))
    raw = replace(RAW, length=3)
    compiled = compile_group([request(package, "a"), request(package, "b")], raw, cache=tmp_path)
    model = checked(compiled)
    wanted = ["frame_0", "frame_1", "frame_2", *(scalar.input for scalar in compiled.scalars)]
    assert [value.name for value in model.graph.input] == wanted
    assert [value.name for value in model.graph.output] == ["a.image", "a.extra", "b.image", "b.extra"]
    assert [answer.output for answer in compiled.answers] == [value.name for value in model.graph.output]
    assert {scalar.stage for scalar in compiled.scalars} == {"a", "b"}


def test_memory_goes_from_window_to_window(tmp_path: Path) -> None:
    recipe = Recipe(network="conv", described="uint16", pre=RANGE, recurrent=True)
    folder = generated.write(tmp_path / "p", recipe)
    run = opened([request(Package.load(folder))], RAW, tmp_path)
    checked(run.compiled)
    state = run.compiled.states[0]
    assert (state.input, state.output) == ("stage.hidden", "stage.hidden.next")
    assert state.shape == (1, generated.HIDDEN, 48, 64)
    assert [answer.tensor for answer in run.compiled.answers] == ["image"]
    hidden = np.zeros(state.shape, np.float32)
    for number in range(3):
        frame = FRAME + np.uint16(50 * number)
        want = oracle.staged(folder, {"frame": frame[None, None], "hidden": hidden})
        assert not compare(run.run([frame])["stage.image"], want["image"])
        hidden = want["hidden_out"]
    assert np.abs(hidden).max() > 0.1


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({}, "found the inputs image, other for the stage 'stage', expected one that frames go to"),
        ({"state": [{"input": "no", "output": "answer"}]}, "found the state 'no' <- 'answer'"),
        ({"state": ["other"]}, "found the state"),
        ({"state": [{"input": "other", "output": "answer"}] * 2}, "found a tensor twice among the states"),
    ],
)
def test_inputs_that_nothing_feeds_are_refused(tmp_path: Path, settings: dict[str, Any], words: str) -> None:
    nodes = [helper.make_node("Add", ["image", "other"], ["answer"])]
    asked = stage(tmp_path, nodes, inputs=("image", "other"), settings=settings)
    with pytest.raises(PipelineError, match=words):
        compile_group([asked], replace(RAW, dtype="float32"), cache=tmp_path)


def test_values_that_would_not_fit_are_refused(tmp_path: Path) -> None:
    plus = models.plus_one(tmp_path / "plus", "uint8")
    with pytest.raises(PipelineError, match="found uint16 from frame for the stage 'stage', expected uint8"):
        compile_group([request(plus)], RAW, cache=tmp_path)
    wide = models.plus_one(tmp_path / "wide")
    found = opened([request(wide)], replace(RAW, dtype="uint8"), tmp_path).run([FRAME.astype(np.uint8)])
    assert np.array_equal(found["stage.image"][0, 0], FRAME.astype(np.uint8).astype(np.uint16) + 1)


@pytest.mark.parametrize("maps", [False, True])
def test_calibrated_counts_are_what_is_normalised(tmp_path: Path, maps: bool) -> None:
    random = np.random.default_rng(2)
    given: dict[str, Any] = {"offset": 100.0, "electrons_per_count": 0.46}
    if maps:
        given |= {"dark": random.normal(100, 2, FRAME.shape), "response": random.uniform(0.9, 1.1, FRAME.shape)}
    calibration = Calibration(**given)
    folder = generated.write(tmp_path / "counts", Recipe(network="conv", described="uint16", pre=RANGE))
    other = generated.write(tmp_path / "electrons", Recipe(network="conv", described="float32", pre=RANGE))
    compiled = compile_group([request(Package.load(folder))], RAW, calibration, cache=tmp_path)
    assert bool(compiled.scalars) == (not maps)
    assert {(scalar.gain, scalar.offset) for scalar in compiled.scalars} <= {(0.46, -46.0)}
    run = replace(opened([request(Package.load(folder))], RAW, tmp_path))
    session = onnxruntime.InferenceSession(str(compiled.path), providers=["CPUExecutionProvider"])
    host = HostScalars(compiled.scalars, run.raw).values([FRAME])
    ports = [port.name for port in session.get_inputs()]
    found = session.run(None, dict(zip(ports, [FRAME, *host], strict=True)))[0]
    electrons = calibrated(FRAME, calibration)
    assert not compare(found, oracle.staged(other, {"frame": electrons[None, None]})["image"])


def test_a_network_of_whole_counts_gets_rounded_ones(tmp_path: Path) -> None:
    compiled = compile_group(
        [request(models.plus_one(tmp_path / "plus"))], RAW, Calibration(offset=200.0), cache=tmp_path
    )
    session = onnxruntime.InferenceSession(str(compiled.path), providers=["CPUExecutionProvider"])
    found = session.run(None, {"frame_0": FRAME})[0]
    assert np.array_equal(found[0, 0], np.maximum(FRAME.astype(int) - 200, 0) + 1)
    assert "rounded to uint16" in next(note.what for note in compiled.notes if note.kind == "warning")


def test_statistics_that_are_frozen_come_from_the_host_or_not_at_all(tmp_path: Path) -> None:
    package = Package.load(generated.write(tmp_path / "p", Recipe(network="conv", described="uint16", pre=RANGE)))
    compiled = compile_group([request(package, normalise="frozen", frozen_frames=4)], RAW, cache=tmp_path)
    assert {(scalar.normalise, scalar.frozen_frames) for scalar in compiled.scalars} == {("frozen", 4)}
    rows = (("zero_mean_unit_variance", {"axes": ["x"]}),)
    by_row = Package.load(generated.write(tmp_path / "rows", Recipe(network="conv", described="uint16", pre=rows)))
    assert not compile_group([request(by_row)], RAW, cache=tmp_path).scalars
    with pytest.raises(PipelineError, match="expected 'per_frame': they never reach the host"):
        compile_group([request(by_row, normalise="frozen")], RAW, cache=tmp_path)


def test_each_state_goes_back_into_its_own_input(tmp_path: Path) -> None:
    """Two memories of one shape, their outputs in another order than the pairs: answer = frame + 1000 a + b."""
    nodes = [
        helper.make_node("Add", ["b", "image"], ["b_next"]),
        helper.make_node("Add", ["a", "one"], ["a_next"]),
        helper.make_node("Mul", ["a_next", "thousand"], ["large"]),
        helper.make_node("Add", ["large", "b_next"], ["answer"]),
    ]
    weights = {"one": np.float32(1), "thousand": np.float32(1000)}
    asked = stage(tmp_path, nodes, weights, inputs=("image", "a", "b"))
    model = onnx.load(asked.weights)
    model.graph.output.extend(
        helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [1, 1, None, None]) for name in ("b_next", "a_next")
    )
    onnx.save(model, asked.weights)
    image = asked.inputs[0]
    pairs = [{"input": each, "output": f"{each}_next"} for each in ("a", "b")]
    asked = replace(
        asked,
        weights_sha256=hashlib.sha256(asked.weights.read_bytes()).hexdigest(),
        inputs=(image, *(described(name, follows="image") for name in ("a", "b"))),
        outputs=tuple(described(name, follows="image") for name in ("answer", "b_next", "a_next")),
        settings=MappingProxyType({"state": pairs}),
    )
    run = opened([asked], replace(RAW, dtype="float32"), tmp_path)
    for number in range(1, 4):
        found = run.run([np.full(RAW.shape, 2, np.float32)])["stage.answer"]
        assert np.array_equal(found, np.full_like(found, 1002 * number))
