"""All shipped packages: compiled, written for batches of windows, and proven on ONNX Runtime's CPU."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from onscope.export.zoo import PACKAGES
from onscope.runtime import Package, PackageError, PipelineError
from onscope.runtime.engines import open_session
from onscope.runtime.graph import Compiled, Raw, compile_group
from onscope.runtime.graph.batch import Batched, batched, is_batched
from onscope.runtime.worker import BatchError, prove_batched, refuse_unproven

from .run import request

MOST = 4
LARGEST = 1e-5
"""Of an answer's range; what was seen is in docs/batching.md."""
NAMES = sorted(folder.name for folder in PACKAGES.iterdir() if (folder / "rdf.yaml").is_file())
SLOW = {"anna-palm-microtubules"}


def compiled_of(name: str, **more: Any) -> tuple[Compiled, Raw, list[list[Any]]]:
    """A package compiled for frames like its test input, and that as a window (none where it is no such window)."""
    package = Package.load(PACKAGES / name)
    test = package.load_test_inputs()[0]
    tensor = package.inputs[0]
    y, x = (test.shape[tensor.axes.index(axis)] for axis in ("y", "x"))
    along = [(axis, size) for axis, size in zip(tensor.axes, test.shape, strict=True) if axis not in "yx" and size > 1]
    letters: dict[str, Any] = {"time": "t", "z": "z", "channel": "c", "index": "i"}
    kinds = {axis.id: axis.kind for axis in tensor.described}
    (axis, length), *rest = along or [("", 1)]
    assert not rest
    letter = letters.get(kinds.get(axis, ""), letters.get(axis, "t"))
    at = tensor.axes.index(axis) if axis else 0
    frames = [np.ascontiguousarray(test.take(n, axis=at).reshape(y, x)) for n in range(length)]
    raw = Raw((y, x), frames[0].dtype.name, length=length, letter=letter)
    return compile_group([request(package, **more)], raw), raw, [frames]


@pytest.mark.parametrize(
    "name", [pytest.param(each, marks=pytest.mark.slow) if each in SLOW else each for each in NAMES]
)
def test_a_shipped_package_takes_batches(name: str) -> None:
    compiled, raw, windows = compiled_of(name)
    made = batched(compiled, most=MOST)
    proof = prove_batched(made, raw, windows=windows)
    print(f"{name}: {proof.words}")
    refuse_unproven(made, proof)
    assert proof.sizes == (1, 2, 3, 4)
    assert proof.largest < LARGEST
    assert len(proof.errors) == len(compiled.answers) + len(compiled.states)


def test_all_packages_are_looked_at() -> None:
    assert len(NAMES) >= 26


@pytest.fixture(scope="module")
def denoised() -> tuple[Compiled, Raw, Batched]:
    compiled, raw, _ = compiled_of("care-beads")
    return compiled, raw, batched(compiled, most=MOST)


def test_the_file_lies_in_the_cache_and_has_free_windows(denoised: tuple[Compiled, Raw, Batched]) -> None:
    compiled, _, made = denoised
    assert is_batched(compiled)
    assert batched(compiled, most=8) == replace(made, most=8)
    assert made.memory_mb == MOST * compiled.memory_mb
    session = open_session(made.path, "cpu", 1)
    single = open_session(compiled.path, "cpu", 1)
    assert [spec.shape for spec in session.inputs] == [(None, *spec.shape) for spec in single.inputs]
    assert [spec.shape for spec in session.outputs] == [(None, *spec.shape) for spec in single.outputs]
    model, own = onnx.load(made.path), onnx.load(compiled.path)
    assert (model.opset_import, model.ir_version) == (own.opset_import, own.ir_version)


def test_a_file_that_changed_is_refused(denoised: tuple[Compiled, Raw, Batched], tmp_path: Path) -> None:
    compiled, _, _ = denoised
    other = tmp_path / "graph.onnx"
    other.write_bytes(compiled.path.read_bytes() + b"\0")
    with pytest.raises(PackageError, match="changed since it was compiled"):
        batched(replace(compiled, path=other), most=2, cache=tmp_path)
    with pytest.raises(PackageError, match="cannot read"):
        batched(replace(compiled, path=tmp_path / "none.onnx"), most=2, cache=tmp_path)


def test_a_batch_has_a_window(denoised: tuple[Compiled, Raw, Batched]) -> None:
    with pytest.raises(PipelineError, match="at most 0 windows, expected 1"):
        batched(denoised[0], most=0)


def test_a_graph_that_mixes_windows_is_not_proven(denoised: tuple[Compiled, Raw, Batched], tmp_path: Path) -> None:
    """Where a window is darker than the mean of the batch it is that: right for one window, and for no others."""
    _, raw, made = denoised
    model = onnx.load(made.path)
    (last,) = [node for node in model.graph.node if node.output[0] == model.graph.output[0].name]
    cast = onnx.helper.make_node("Cast", [last.input[0]], ["_float"], to=1)
    mean = onnx.helper.make_node("ReduceMean", ["_float", "_first"], ["_mean"])
    most = onnx.helper.make_node("Max", ["_float", "_mean"], ["_most"])
    counts = model.graph.output[0].type.tensor_type.elem_type
    back = onnx.helper.make_node("Cast", ["_most"], list(last.output), to=counts)
    model.graph.node.remove(last)
    model.graph.node.extend([cast, mean, most, back])
    model.graph.initializer.append(onnx.numpy_helper.from_array(np.array([0], np.int64), "_first"))
    onnx.save(model, tmp_path / "mixed.onnx")
    mixed = replace(made, path=tmp_path / "mixed.onnx")
    proof = prove_batched(mixed, raw)
    assert proof.mixed == (made.single.answers[0].output,)
    assert not any(error.passed for error in proof.errors)
    with pytest.raises(PipelineError, match="found other answers of stage for batches of windows"):
        refuse_unproven(mixed, proof)


def test_little_of_other_windows_is_found_too(tmp_path: Path) -> None:
    """A millionth of the batch's mean is far within what engines may differ."""
    compiled, raw, _ = compiled_of("vdsr-cells")
    made = batched(compiled, most=3)
    model = onnx.load(made.path)
    answer = model.graph.output[0].name
    (last,) = [node for node in model.graph.node if node.output[0] == answer]
    last.output[0] = "_answer"
    for kind, inputs, output in (
        ("ReduceMean", ["_answer", "_first"], "_mean"),
        ("Mul", ["_mean", "_few"], "_part"),
        ("Add", ["_answer", "_part"], answer),
    ):
        model.graph.node.append(onnx.helper.make_node(kind, inputs, [output]))
    weights: dict[str, Any] = {"_first": np.array([0], np.int64), "_few": np.array(1e-6, np.float32)}
    model.graph.initializer.extend(onnx.numpy_helper.from_array(each, name) for name, each in weights.items())
    onnx.save(model, tmp_path / "little.onnx")
    proof = prove_batched(replace(made, path=tmp_path / "little.onnx"), raw)
    assert all(error.passed for error in proof.errors)
    assert proof.mixed == (answer,)
    assert not proof.passed
    with pytest.raises(PipelineError, match="changes with the batch's other windows"):
        refuse_unproven(made, proof)


def test_tiles_take_batches() -> None:
    """A batch of runs: each of them takes what a run of the tiled graph takes."""
    package = Package.load(PACKAGES / "unet-cells")
    raw = Raw((192, 192), "uint16")
    compiled = compile_group([request(package, tile=128)], raw)
    assert compiled.tiling is not None
    made = batched(compiled, most=2)
    proof = prove_batched(made, raw)
    refuse_unproven(made, proof)


def test_crops_take_batches() -> None:
    """The crops of a frame are the network's own batch: windows come in front of it."""
    package = Package.load(PACKAGES / "lenet-cells")
    raw = Raw((5, 32, 32), "uint16", "nyx")
    made = batched(compile_group([request(package, normalise="per_crop")], raw), most=3)
    proof = prove_batched(made, raw)
    refuse_unproven(made, proof)
    assert proof.largest < LARGEST


def test_merged_stages_take_batches() -> None:
    stages = [
        request(Package.load(PACKAGES / "care-beads"), "denoise"),
        request(Package.load(PACKAGES / "spots-beads"), "spots", reads="denoise"),
    ]
    raw = Raw((64, 96), "uint16")
    made = batched(compile_group(stages, raw), most=3)
    proof = prove_batched(made, raw)
    refuse_unproven(made, proof)
    assert [error.output for error in proof.errors] == [each.output for each in made.single.answers]


def test_what_a_proof_allows() -> None:
    assert BatchError("a", 9e-4, 0.5, False).passed
    assert not BatchError("a", 1.1e-3, 1.1e-3, False).passed
    assert not BatchError("a", float("nan"), 0.0, False).passed
