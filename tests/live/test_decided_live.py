"""Classes and peaks through a whole runtime: decided inside the graph, or behind tiles on the host, with one answer."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from ruamel.yaml import YAML

from onscope.runtime import Frame, FrameId, FrameSpec, Package, Pipeline, PipelineError, Runtime, Stage, block
from onscope.runtime.record import open_recording
from onscope.runtime.worker import prove_compiled
from tests import models

Make = Callable[..., Runtime]
SPEC = FrameSpec((48, 64), "float32", camera="cam")


def classified(folder: Path, **more: Any) -> Path:
    """Three scores per pixel: 0, the frame less 1, twice the frame less 4: class 1 above 1, class 2 above 3."""
    nodes = [
        helper.make_node("Mul", ["frame", "zero"], ["rest"]),
        helper.make_node("Sub", ["frame", "one"], ["first"]),
        helper.make_node("Add", ["frame", "frame"], ["twice"]),
        helper.make_node("Sub", ["twice", "four"], ["second"]),
        helper.make_node("Concat", ["rest", "first", "second"], ["image"], axis=1),
    ]
    constants = {"zero": np.float32(0), "one": np.float32(1), "four": np.float32(4)}
    output = ("image", "float32", models.image_axes(3, reference=True))
    models.write(folder, nodes, constants, "float32", output, settings={"decode": "classes", **more})
    return folder


def heated(folder: Path, scale: int = 1, **more: Any) -> Path:
    """Two heat maps, the frame and what it is below 0, every pixel of it `scale` x `scale` ones."""
    nodes = [
        helper.make_node("Neg", ["frame"], ["below"]),
        helper.make_node("Concat", ["frame", "below"], ["both"], axis=1),
        helper.make_node(
            "Resize", ["both", "", "scales"], ["image"], mode="nearest",
            coordinate_transformation_mode="asymmetric", nearest_mode="floor",
        ),
    ]  # fmt: skip
    constants = {"scales": np.array([1, 1, scale, scale], np.float32)}
    output = ("image", "float32", models.image_axes(2, reference=True, scale=scale))
    models.write(folder, nodes, constants, "float32", output, settings={"decode": "peaks", **more})
    return folder


def spread_out(folder: Path, **more: Any) -> Path:
    """Two channels: the frame, and a quarter of it; of which the second may be an output of its own, `sigma`."""
    nodes = [
        helper.make_node("Mul", ["frame", "quarter"], ["sigma"]),
        helper.make_node("Concat", ["frame", "sigma"], ["image"], axis=1),
    ]
    output = ("image", "float32", models.image_axes(2, reference=True))
    given = {"decode": "distribution", "family": "gauss", **more}
    models.write(folder, nodes, {"quarter": np.float32(0.25)}, "float32", output, settings=given)
    return folder


def in_two_outputs(folder: Path) -> Path:
    """The same network with the frame as the first output, and the quarter as the second."""
    model = onnx.load(folder / "weights.onnx")
    model.graph.node[1].CopyFrom(helper.make_node("Identity", ["frame"], ["image"]))
    del model.graph.output[:]
    for name in ("image", "sigma"):
        model.graph.output.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 1, None, None]))
    onnx.save(model, folder / "weights.onnx")
    np.save(folder / "output.npy", np.zeros((1, 1, 16, 16), np.float32))
    yaml = YAML(typ="safe", pure=True)
    content = yaml.load((folder / "rdf.yaml").read_text(encoding="utf-8"))
    hashes = {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in ("weights.onnx", "output.npy")}
    first = content["outputs"][0]
    first["axes"][1]["channel_names"] = ["c0"]
    first["test_tensor"]["sha256"] = hashes["output.npy"]
    content["outputs"].append({**copy.deepcopy(first), "id": "sigma"})
    content["weights"]["onnx"]["sha256"] = hashes["weights.onnx"]
    with (folder / "rdf.yaml").open("w", encoding="utf-8") as file:
        yaml.dump(content, file)
    return folder


def answers(it: Runtime, frames: list[np.ndarray], **more: Any) -> list[np.ndarray]:
    results = it.subscribe(block(len(frames)))
    for seq, pixels in enumerate(frames):
        it.submit(Frame(FrameId("run", "cam", 0, seq), pixels.astype(np.float32), **more))
        assert it.drain(60)
    it.close()
    return [result[next(iter(result))].copy() for result in results]


def spots() -> np.ndarray:
    pixels = np.zeros(SPEC.shape)
    pixels[10, 12], pixels[10, 13], pixels[40, 63], pixels[30, 20] = 0.9, 0.9, 0.8, -0.7
    return pixels


@pytest.mark.parametrize(("worker", "tile"), [("thread", None), ("thread", 32), ("process", None)])
def test_classes_of_pixels(runtime: Make, tmp_path: Path, worker: str, tile: int | None) -> None:
    pixels = np.random.default_rng(0).uniform(-1, 5, SPEC.shape).round(1)
    it = runtime(Pipeline([Stage("kinds", classified(tmp_path / "kinds"), tile=tile)]), SPEC, worker=worker)
    assert any("fused decode: classes" in line for line in it.report) == (tile is None)
    found, empty = answers(it, [pixels, np.zeros(SPEC.shape)])
    assert (found.dtype.name, found.shape) == ("int32", SPEC.shape)
    single = pixels.astype(np.float32)
    scores = np.stack([np.zeros_like(single), single - 1, single + single - np.float32(4)])
    assert np.array_equal(found, scores.argmax(axis=0))
    assert not empty.any()


@pytest.mark.parametrize(
    ("scale", "tile", "worker"), [(1, None, "thread"), (2, None, "process"), (2, 32, "thread"), (1, 32, "thread")]
)
def test_peaks_are_in_pixels_of_the_frame(
    runtime: Make, tmp_path: Path, scale: int, tile: int | None, worker: str
) -> None:
    stage = Stage("spots", heated(tmp_path / "spots", scale, min_distance=2 * scale), tile=tile)
    found, empty = answers(runtime(Pipeline([stage]), SPEC, worker=worker), [spots(), np.zeros(SPEC.shape)])
    assert found.dtype.names == ("y", "x", "class", "score")
    assert [tuple(row) for row in found.tolist()] == [
        pytest.approx((10, 12.5 if scale == 1 else 12, 0, 0.9)),  # the middle of two pixels, and no more of four
        pytest.approx((40, 63, 0, 0.8), abs=0.26),  # the border's pixels stay whole
        pytest.approx((30, 20, 1, 0.7)),
    ]
    assert len(empty) == 0


@pytest.mark.parametrize("tile", [None, 32])
@pytest.mark.parametrize("kind", ["classes", "peaks", "distribution", "depth"])
def test_a_frame_with_nan_fails_and_the_next_one_does_not(
    runtime: Make, tmp_path: Path, kind: str, tile: int | None
) -> None:
    make = {"classes": classified, "peaks": heated, "distribution": spread_out, "depth": classified}[kind]
    settings = {"decode": "depth", "planes_um": [0, 1, 2]} if kind == "depth" else None
    it = runtime(Pipeline([Stage("stage", make(tmp_path / kind), settings=settings, tile=tile)]), SPEC)
    broken = spots()
    broken[5, 6] = np.nan
    assert len(answers(it, [spots(), broken, spots()])) == 2
    rows = it.ledger.table()
    assert [row.state for row in rows] == ["done", "failed", "done"]
    assert "NaN" in rows[1].reason


def trained_at(folder: Path, pixel_um: float) -> Path:
    """The package with a pixel size of its input."""
    yaml = YAML(typ="safe", pure=True)
    content = yaml.load((folder / "rdf.yaml").read_text(encoding="utf-8"))
    for axis in content["inputs"][0]["axes"][2:]:
        axis |= {"unit": "micrometer", "scale": pixel_um}
    for axis in content["outputs"][0]["axes"][2:]:
        axis |= {"unit": "micrometer", "scale": pixel_um}
    with (folder / "rdf.yaml").open("w", encoding="utf-8") as file:
        yaml.dump(content, file)
    return folder


def test_scores_and_heat_maps_are_rescaled_and_what_is_made_of_them_is_not(runtime: Make, tmp_path: Path) -> None:
    """Between class 0 and class 2 there is no class 1 by the mean of their numbers."""
    y, x = np.mgrid[: SPEC.shape[0], : SPEC.shape[1]]
    pixels = np.exp(-((y - 20.5) ** 2 + (x - 30.5) ** 2) / 50)
    spec = FrameSpec(SPEC.shape, "float32", camera="cam", pixel_size_um=0.5)
    spots = Stage("spots", trained_at(heated(tmp_path / "spots"), 1.0), rescale=True)
    (found,) = answers(runtime(Pipeline([spots]), spec), [pixels], pixel_size_um=0.5)
    assert found[["y", "x"]].tolist() == [pytest.approx((20.5, 30.5), abs=0.3)]
    kinds = Stage("kinds", trained_at(classified(tmp_path / "kinds"), 1.0), rescale=True)
    (image,) = answers(runtime(Pipeline([kinds]), spec), [4 * pixels], pixel_size_um=0.5)
    assert image.shape == SPEC.shape
    assert np.mean(image == np.digitize(4 * pixels, [1, 3])) > 0.97


@pytest.mark.parametrize(("tile", "outputs"), [(None, 1), (None, 2), (32, 2)])
def test_a_distribution_is_one_image(runtime: Make, tmp_path: Path, tile: int | None, outputs: int) -> None:
    package = spread_out(tmp_path / "values", **({"width_output": "sigma"} if outputs == 2 else {}))
    if outputs == 2:
        in_two_outputs(package)
        proof, why = prove_compiled(Package.load(package), Stage("values", package).request, "cpu")
        assert [one.output for one in proof if one.passed] == ["image", "sigma"], why
    pixels = np.random.default_rng(0).uniform(1, 5, SPEC.shape).astype(np.float32)
    it = runtime(Pipeline([Stage("values", package, tile=tile)]), SPEC)
    assert not any("first output" in line for line in it.report)
    (found,) = answers(it, [pixels])
    assert found.shape == (*SPEC.shape, 2)
    assert np.array_equal(found[..., 0], pixels)
    assert found[..., 1] == pytest.approx(pixels / 4)


def test_other_outputs_of_widths_are_refused(runtime: Make, tmp_path: Path) -> None:
    package = in_two_outputs(spread_out(tmp_path / "values", width_output="sigma"))
    with pytest.raises(PipelineError, match=r"found width_output 'width'.*of sigma"):
        runtime(Pipeline([Stage("values", package, settings={"width_output": "width"})]), SPEC)


def test_a_median_is_read_by_a_later_stage(runtime: Make, tmp_path: Path) -> None:
    median = Stage("values", spread_out(tmp_path / "values"), settings={"answer": "median"})
    pipeline = Pipeline([median, Stage("plus", models.plus_one(tmp_path / "plus", "float32"), reads="values")])
    it = runtime(pipeline, SPEC)
    results = it.subscribe(block(1))
    it.submit(Frame(FrameId("run", "cam", 0, 0), np.full(SPEC.shape, 4, np.float32)))
    assert it.drain(60)
    it.close()
    (result,) = results
    assert np.all(result["values"] == 4)
    assert np.all(result["plus"] == 5)


@pytest.mark.parametrize("choose", ["best", "mean"])
def test_depth_is_told_in_micrometres(runtime: Make, tmp_path: Path, choose: str) -> None:
    settings = {"decode": "depth", "planes_um": [1, 3, 7], "choose": choose}
    pixels = np.full(SPEC.shape, 3, np.float32)  # scores 0, 2 and 2
    pixels[10:20] = 4  # scores 0, 3 and 4
    stage = Stage("depth", classified(tmp_path / "depth"), settings=settings)
    (found,) = answers(runtime(Pipeline([stage]), SPEC), [pixels])
    assert found[0, 0] == (3 if choose == "best" else 5)
    assert found[15, 15] == pytest.approx(7 if choose == "best" else (3 * 3 + 7 * 4) / 7)


@pytest.mark.parametrize("merge", [True, False])
def test_places_in_a_larger_image_are_told_in_pixels_of_the_frame(runtime: Make, tmp_path: Path, merge: bool) -> None:
    spec = FrameSpec((48, 64), "uint16", camera="cam")
    pixels = np.zeros(spec.shape, np.uint16)
    pixels[10, 20] = 2000
    found = models.brightest(tmp_path / "found")  # y 0, and x the number of the pixel
    pipeline = Pipeline(
        [Stage("double", models.double(tmp_path / "double")), Stage("found", found, reads="double")], merge=merge
    )
    it = runtime(pipeline, spec)
    results = it.subscribe(block(1))
    it.submit(Frame(FrameId("run", "cam", 0, 0), pixels))
    assert it.drain(60)
    it.close()
    (result,) = results
    first = (20 * 128 + 40 + 0.5) / 2 - 0.5
    assert result["found"]["x"].tolist() == [first, first + 0.5, first + 64, first + 64.5]
    assert result["found"]["y"].tolist() == [-0.25] * 4


def test_peaks_are_recorded_as_a_table(runtime: Make, tmp_path: Path) -> None:
    it = runtime(Pipeline([Stage("spots", heated(tmp_path / "spots"))]), SPEC, record=tmp_path / "run")
    (found,) = answers(it, [spots()])
    stored = open_recording(tmp_path / "run").table("spots")
    assert np.allclose(stored["y"], found["y"])
    assert stored["class"].to_pylist() == found["class"].tolist()


def test_a_table_of_classes_of_the_whole_frame(runtime: Make) -> None:
    package = Stage("phase", "zoo/mitosis-cells").package
    crop = package.load_test_inputs()[0][0, 0]
    spec = FrameSpec(crop.shape, "uint16", camera="cam")
    it = runtime(Pipeline([Stage("phase", package)]), spec)
    results = it.subscribe(block(1))
    it.submit(Frame(FrameId("run", "cam", 0, 0), crop))
    assert it.drain(60)
    it.close()
    (result,) = results
    expected = package.load_test_outputs()[0][0]
    (row,) = result["phase"]
    assert row["class"] == expected.argmax()
    assert row["score_metaphase"] == pytest.approx(expected[2], abs=1e-4)
