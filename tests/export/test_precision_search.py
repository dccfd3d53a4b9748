"""Which layers stay in float, and why: found by measuring, on networks whose difficulty is known."""

from __future__ import annotations

import shutil
from fractions import Fraction
from pathlib import Path
from typing import Any
from weakref import WeakSet

import numpy as np
import onnx
import pytest
import torch

from onscope.export import FurtherInput, export_torch
from onscope.export._agreement import near_pairs, objects, overlaps
from onscope.export.precision import reduce_package, speeds
from onscope.export.precision._half import halved, rounded, too_large
from onscope.export.precision._judge import Judge, Measured
from onscope.export.precision._network import floats, observe, read_network
from onscope.export.precision._points import count_points
from onscope.export.precision._restores import as_large, restores
from onscope.export.precision._sensitive import Search
from onscope.export.precision._zone import Layer, Zone, find_zone
from onscope.runtime import ExportError, Package
from onscope.runtime.engines import open_session
from tests.live.test_labels import circles

from .precision_networks import Beside, Carried, Huge, Transposed


def images(count: int, seed: int = 0) -> list[Any]:
    """float32 frames (y, x) of 0 to 1 with structure at several scales."""
    random = np.random.default_rng(seed)
    made = []
    for _ in range(count):
        coarse = np.kron(random.random((6, 5)), np.ones((8, 8)))
        made.append((0.8 * coarse + 0.2 * random.random((48, 40))).astype(np.float32))
    return made


@pytest.fixture(scope="module")
def carried_whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return package(Carried(), tmp_path_factory.mktemp("whole") / "carried").folder


@pytest.fixture
def carried(carried_whole: Path, tmp_path: Path) -> Package:
    """A package of the network whose image goes through two layers."""
    return Package.load(shutil.copytree(carried_whole, tmp_path / "carried"))


def package(network: torch.nn.Module, folder: Path) -> Package:
    export_torch(network, images(1)[0][None, None], folder, name="a network", description="For a test.")
    return Package.load(folder)


def named(opened: Package) -> dict[str, str]:
    """Nodes by the name of their weights, without its ending."""
    nodes = onnx.load(opened.weights).graph.node
    return {node.input[1].removesuffix(".weight"): node.name for node in nodes if node.op_type == "Conv"}


def test_the_search_finds_the_layers_that_carry_the_image(carried: Package) -> None:
    told: list[tuple[str, int, int]] = []
    (report,) = reduce_package(
        carried, ["int8"], None, images(6), rounds=1, threads=1, tell=lambda *what: told.append(what)
    )
    layers = named(carried)
    assert not report.wholly[0].passed
    assert report.passes
    assert {layers["carry"], layers["last"]} <= set(report.kept)
    assert len(report.kept) < report.layers
    errors = {names[0]: error for names, error in report.alone}
    assert min(errors[layers["carry"]], errors[layers["last"]]) > max(errors[layers["two"]], errors[layers["three"]])
    quantised = onnx.load(Package.load(carried.folder).variants["int8"].weights)
    kinds = {output: node.op_type for node in quantised.graph.node for output in node.output}
    for node in quantised.graph.node:
        if node.op_type == "Conv":
            assert (kinds.get(node.input[0]) == "DequantizeLinear") == (node.name not in report.kept)
    assert {"running the float weights", "int8: reducing layers one at a time", "measuring speeds on cpu"} <= {
        step for step, _, _ in told
    }
    assert all(0 <= done <= total for _, done, total in told)


def test_what_cannot_pass_is_written_marked(carried: Package) -> None:
    (report,) = reduce_package(carried, ["int8"], None, images(3), limit=1e-6, rounds=1, threads=1)
    assert not report.passes
    assert report.measured[0].limit == 1e-6
    assert len(report.kept) < report.layers  # something is in 8 bits all the same
    assert not Package.load(carried.folder).variants["int8"].passes


def test_more_layers_stay_in_float_for_a_stricter_limit(carried: Package, tmp_path: Path) -> None:
    found = [
        reduce_package(carried, ["int8"], tmp_path / str(limit), images(6), limit=limit, rounds=1, threads=1)[0]
        for limit in (0.1, 0.004)
    ]
    assert all(report.passes for report in found)
    assert set(found[0].kept) < set(found[1].kept)


def test_without_time_only_what_was_measured_is_reduced(carried: Package) -> None:
    (report,) = reduce_package(carried, ["int8"], None, images(3), limit_s=0.0, rounds=1, threads=1)
    assert report.alone == ()
    assert report.trials >= 2


def test_numbers_beyond_half_precision_are_found_and_stay_in_float(tmp_path: Path) -> None:
    opened = package(Huge(), tmp_path / "huge")
    layers = named(opened)
    (report,) = reduce_package(opened, ["fp16"], None, images(4), rounds=1, threads=1)
    assert {layers["three"], layers["four"]} <= set(report.overflow)
    assert max(report.overflow.values()) > 65504
    assert report.passes
    variant = Package.load(opened.folder).variants["fp16"]
    halves = {t.name for t in onnx.load(variant.weights).graph.initializer if t.data_type == onnx.TensorProto.FLOAT16}
    assert {name.partition(".")[0] for name in halves} & set(layers) == {"one", "two"} | (
        {"last"} if layers["last"] not in report.small else set()
    )
    frame = images(1, seed=4)[0][None, None]
    (answer,) = open_session(variant.weights, "oracle").run([frame])
    assert np.isfinite(answer).all()
    # The same without looking first: not a number, or all there is, wherever half precision is really used.
    model = read_network(opened.weights)
    zone = zone_of(model, frame)
    wrong = tmp_path / "wrong.onnx"
    onnx.save(halved(model, zone), wrong)
    (answer,) = open_session(wrong, "oracle").run([frame])
    assert not np.isfinite(answer).all()
    onnx.save(rounded(model, zone), wrong)
    (answer,) = open_session(wrong, "cpu").run([frame])
    assert not np.isfinite(answer).all()


def zone_of(model: onnx.ModelProto, frame: Any) -> Zone:
    seen = observe(model, floats(model), [{model.graph.input[0].name: frame}])
    return find_zone(model, {name: each.shape for name, each in seen.items()})


def test_rounded_networks_answer_as_half_precision_does(carried: Package, tmp_path: Path) -> None:
    """Held against the ONNX reference, which computes in NumPy's float16."""
    model, frame = read_network(carried.weights), images(1)[0][None, None]
    zone = zone_of(model, frame)
    assert not too_large(model, zone, observe(model, floats(model), [{model.graph.input[0].name: frame}]))
    answers = {}
    for name, made, engine in (
        ("float", model, "cpu"),
        ("half", halved(model, zone), "oracle"),
        ("rounded", rounded(model, zone), "cpu"),
        ("rounded there", rounded(model, zone), "oracle"),
    ):
        path = tmp_path / f"{name}.onnx"
        onnx.save(made, path)
        answers[name] = open_session(path, engine, 1).run([frame])[0].astype(np.float64)
    off = {name: float(np.sqrt(np.mean((each - answers["float"]) ** 2))) for name, each in answers.items()}
    assert 0 < off["rounded"] < 1e-3
    assert off["rounded"] == pytest.approx(off["rounded there"], rel=0.05)
    assert 0.4 < off["half"] / off["rounded"] < 2.5


def test_a_search_keeps_as_few_layers_as_it_must() -> None:
    """Errors that add up in squares, as rounding does: two layers of twenty must stay."""
    layers = [Layer(f"l{number}", "Conv", 100, (f"l{number}",)) for number in range(12)]
    errors = {layer.name: 0.01 for layer in layers} | {"l3": 0.2, "l7": 0.3}

    def measure(model: Any) -> tuple[Measured, ...]:
        total = float(np.sqrt(sum(error**2 for name, error in errors.items() if name not in model)))
        return (Measured("out", "values", total, 0.1),)

    found = Search(lambda kept: kept, measure, lambda *told: None).run(layers)  # type: ignore[arg-type, return-value]
    assert found.kept == {"l3", "l7"}
    assert found.passed
    assert found.wholly[0].error == pytest.approx(np.hypot(0.3606, 0.0316), rel=1e-3)
    assert dict(found.alone)[("l7",)] == pytest.approx(3.0)


def test_a_search_holds_one_model_at_a_time() -> None:
    layers = [Layer(f"l{number}", "Conv", 1, ()) for number in range(12)]
    alive: WeakSet[Any] = WeakSet()

    class Model:
        def __init__(self, kept: frozenset[str]) -> None:
            self.kept = kept
            alive.add(self)

    def measure(model: Any) -> tuple[Measured, ...]:
        assert len(alive) == 1
        return (Measured("out", "values", 0.0 if {"l3", "l7"} <= model.kept else 1.0, 0.1),)

    found = Search(Model, measure, lambda *told: None).run(layers)  # type: ignore[arg-type]
    assert found.trials > 12
    assert found.model.kept == found.kept


def test_a_slow_network_is_measured_in_fewer_rounds(carried: Package) -> None:
    model, told = read_network(carried.weights), []
    fed = [np.zeros((1, 1, 32, 32), np.float32)]
    timed = speeds(
        model, {"int8": model}, fed, 1, rounds=5, engines=["cpu"], limit_s=0, tell=lambda *words: told.append(words)
    )
    assert timed["int8"]["cpu"].ratio > 0
    step = "measuring speeds on cpu"
    assert told == [(step, 0, 5), (step, 0, 5), (step, 1, 5), (step, 5, 5)]


@pytest.mark.long
def test_transposed_convolutions_are_quantised_too(tmp_path: Path) -> None:
    export_torch(
        Transposed(), images(1)[0][None, None], tmp_path / "up", name="a network", description="For a test.",
        license="MIT", step=2, settings={"scale": 2},
    )  # fmt: skip
    package = Package.load(tmp_path / "up")
    (report,) = reduce_package(package, ["int8"], None, images(6), rounds=1, threads=1)
    assert report.passes
    model = onnx.load(Package.load(package.folder).variants["int8"].weights)
    makers = {output: node for node in model.graph.node for output in node.output}
    sizes = {tensor.name: tuple(tensor.dims) for tensor in model.graph.initializer}
    scales = []
    for node in model.graph.node:
        if node.op_type == "ConvTranspose" and node.name not in report.kept + report.small:
            assert makers[node.input[0]].op_type == "DequantizeLinear"
            scales.append(sizes[makers[node.input[1]].input[1]])
    assert (8,) in scales  # one for each channel of the output
    frame = images(7)[6][None, None]
    whole = open_session(package.weights, "cpu", 1).run([frame])[0].copy()
    for engine in ("cpu", "openvino"):
        found = open_session(Package.load(package.folder).variants["int8"].weights, engine, 1).run([frame])[0]
        assert np.sqrt(np.mean((found - whole) ** 2)) < 0.02 * np.ptp(whole), engine


def test_large_networks_are_searched_in_groups_of_neighbours() -> None:
    layers = [Layer(f"l{number}", "Conv", 1, ()) for number in range(100)]

    def measure(model: Any) -> tuple[Measured, ...]:
        return (Measured("out", "values", 0.0 if "l50" in model else float("nan"), 0.1),)

    found = Search(lambda kept: kept, measure, lambda *told: None).run(layers)  # type: ignore[arg-type, return-value]
    assert "l50" in found.kept
    assert len(found.kept) == 7
    assert found.trials < 40


def test_a_network_without_layers_is_refused(tmp_path: Path) -> None:
    class Doubled(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x * 2 + 1

    opened = package(Doubled(), tmp_path / "doubled")
    with pytest.raises(ExportError, match="there is nothing to reduce"):
        reduce_package(opened, ["int8"], None, images(1))


def test_only_what_restores_its_input_is_measured_by_its_change() -> None:
    random = np.random.default_rng(0)
    truth = np.kron(random.random((1, 1, 8, 8)), np.ones((4, 4))) * 1000
    noisy, axes = truth + random.normal(0, 300, truth.shape), ("batch", "channel", "y", "x")
    assert restores([noisy], [truth], axes)
    assert restores([noisy], [np.kron(truth, np.ones((2, 2)))], axes)
    assert not restores([noisy], [(truth > 500).astype(np.float32)], axes)
    assert not restores([noisy], [1000 - truth], axes)
    assert not restores([noisy], [truth[..., :-1, :]], axes)
    assert not restores([noisy], [np.concatenate([truth, truth], axis=1)], axes)
    assert not restores([noisy], [np.zeros_like(truth)], axes)
    assert as_large(truth, (1, 1, 64, 64), axes).shape == (1, 1, 64, 64)


def test_points_and_objects_are_paired_once() -> None:
    columns = ("y", "x", "score")
    want = np.array([[10.0, 10, 0.9], [20, 20, 0.8], [30, 30, 0.2]])
    have = np.array([[10.6, 10.8, 0.9], [20, 22, 0.8], [5, 5, 0.95]])
    counts = count_points(want, have, columns, 0.5)
    assert (counts.expected, counts.found, counts.paired) == (2, 3, 1)
    assert counts.f1 == pytest.approx(2 / 5)
    assert counts.rms_px == pytest.approx(1.0)
    assert count_points(want, want, columns, 0.99).f1 == 1.0
    labels = np.zeros((10, 10), np.int32)
    labels[:4, :4], labels[6:, 6:] = 1, 2
    other = np.zeros_like(labels)
    other[:4, :3], other[6:, 8:] = 7, 9
    assert overlaps(labels, labels * 3).tolist() == [1.0, 1.0]
    assert overlaps(labels, other).tolist() == [0.75]  # half of an object is no partner
    assert overlaps(np.zeros_like(labels), np.zeros_like(labels)).size == 0
    assert (objects(labels), objects(np.zeros_like(labels))) == (2, 0)


def test_as_many_points_as_possible_have_a_partner_however_far() -> None:
    """One pair of no distance and a lonely point each would have the smaller sum of distances."""
    first, second = np.array([[0.0, 0.0], [0, 1.4]]), np.array([[0.0, 1.4], [0, 2.8]])
    left, right, distance = near_pairs(first, second, 1.5)
    assert (left.tolist(), right.tolist()) == ([0, 1], [0, 1])
    assert distance.tolist() == pytest.approx([1.4, 1.4])


def test_a_judge_finds_no_difference_in_the_float_weights_themselves(carried: Package) -> None:
    session = open_session(carried.weights, "cpu", 1)
    judge = Judge(carried, [[frame[None, None]] for frame in images(2)], session)
    (measured,) = judge.measure(session)
    assert (measured.kind, measured.error, measured.passed) == ("image", 0.0, True)


def test_a_network_of_several_inputs_is_measured_by_what_it_changes_of_the_frame(tmp_path: Path) -> None:
    memory = FurtherInput("memory", "bcyx", (1, 4, Fraction(1), Fraction(1)))
    frame = images(1)[0][None, None]
    told: dict[str, Any] = {"name": "a network", "description": "For a test.", "license": "MIT"}
    export_torch(Beside(), frame, tmp_path / "two", further=[memory], **told)
    package = Package.load(tmp_path / "two")
    (report,) = reduce_package(package, ["int8"], None, rounds=1, threads=1)
    (measured,) = report.measured
    given = package.load_test_inputs()
    paths = (package.weights, Package.load(package.folder).variants["int8"].weights)
    want, have = (open_session(path, "cpu", 1).run(list(given))[0].copy() for path in paths)
    assert measured.kind == "image"
    assert measured.error == pytest.approx(np.sqrt(np.mean((have - want) ** 2) / np.mean((want - given[0]) ** 2)), 1e-3)


def test_labels_are_compared_as_objects(tmp_path: Path) -> None:
    """Circles of 11 and 14 pixels: three quarters of the radius is 9/16 of the area, and no circle is none of it."""
    opened = Package.load(circles(tmp_path / "circles"))
    pixels = np.zeros((1, 1, 72, 96), np.float32)
    pixels[0, 0, 20, 24], pixels[0, 0, 50, 70] = 11, 14
    session = open_session(opened.weights, "cpu", 1)
    judge = Judge(opened, [[pixels]], session)
    (same,) = judge.measure(session)
    assert (same.kind, same.error, same.passed) == ("labels", 0.0, True)
    assert same.numbers["objects"] == 2
    for factor, expected in ((0.75, 9 / 16), (0.0, 0.0)):
        model = onnx.load(opened.weights)
        model.graph.node[0].output[0] = "whole"
        model.graph.node.insert(1, onnx.helper.make_node("Mul", ["whole", "factor"], ["radius"]))
        model.graph.initializer.append(onnx.numpy_helper.from_array(np.array(factor, np.float32), "factor"))
        onnx.save(model, tmp_path / "smaller.onnx")
        (measured,) = judge.measure(open_session(tmp_path / "smaller.onnx", "cpu", 1))
        assert not measured.passed
        assert measured.numbers["mean_iou"] == pytest.approx(expected, abs=0.06)
