"""fp16 and int8 variants: made of real networks, held against the float weights, written, read back and run live."""

from __future__ import annotations

import json
import os
import pickle
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto

from onscope.export import export_torch
from onscope.export.precision import VariantReport, reduce_package
from onscope.export.precision._speed import _timed
from onscope.runtime import (
    ExportError,
    Frame,
    FrameId,
    FrameSpec,
    Package,
    PackageError,
    Pipeline,
    PipelineError,
    Runtime,
    Stage,
    block,
    now_ns,
)
from onscope.runtime.engines import open_session

from .precision_networks import Residual, Spots

SIZE = (48, 41)


def frames(count: int, size: tuple[int, int] = SIZE, seed: int = 0) -> list[Any]:
    """Noisy uint16 frames (y, x) with bright spots, no two alike."""
    random = np.random.default_rng(seed)
    made = []
    for _ in range(count):
        level = np.full(size, 200.0)
        for y, x in zip(random.integers(4, size[0] - 4, 14), random.integers(4, size[1] - 4, 14), strict=True):
            level[y - 1 : y + 2, x - 1 : x + 2] += random.uniform(300, 1500)
        made.append(random.poisson(level).astype(np.uint16))
    return made


def packaged(folder: Path) -> Path:
    """The residual network as a package without variants."""
    export_torch(
        Residual(), frames(1)[0][None, None], folder, name="a residual network", description="For a test.",
        license="MIT", minimum=16,
    )  # fmt: skip
    return folder


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return packaged(tmp_path_factory.mktemp("whole") / "residual")


@pytest.fixture(scope="module")
def reduced(whole: Path) -> tuple[Path, tuple[VariantReport, ...]]:
    """The same with an fp16 and an int8 variant, calibrated on frames."""
    target = whole.with_name("reduced")
    reports = reduce_package(Package.load(whole), ["int8", "fp16"], target, frames(6), rounds=2, threads=1)
    return target, reports


@pytest.mark.long
def test_both_variants_pass_and_are_what_their_names_say(reduced: tuple[Path, tuple[VariantReport, ...]]) -> None:
    folder, reports = reduced
    package = Package.load(folder)
    assert [report.precision for report in reports] == ["int8", "fp16"]
    assert list(package.variants) == ["fp16", "int8"]
    for report in reports:
        variant = package.variants[report.precision]
        assert report.passes
        assert variant.passes
        assert variant.sha256 == report.weights_sha256
        (measured,) = report.measured
        assert (measured.output, measured.kind) == (package.outputs[0].name, "image")
        assert 0 < measured.error <= 0.05
        assert report.calibrated == 4
        assert report.measured_on == 2
        model = onnx.load(variant.weights)
        assert {entry.domain for entry in model.opset_import} <= {"", "ai.onnx"}
        kinds = {node.op_type for node in model.graph.node}
        assert ("QuantizeLinear" in kinds) == (report.precision == "int8")
        dtypes = {tensor.data_type for tensor in model.graph.initializer}
        assert (TensorProto.INT8 if report.precision == "int8" else TensorProto.FLOAT16) in dtypes
    # The int8 scales of weights are one per channel.
    quantised = onnx.load(package.variants["int8"].weights)
    scales = [tensor for tensor in quantised.graph.initializer if tensor.name.endswith("_scale") and tensor.dims]
    assert max(tensor.dims[0] for tensor in scales) >= 8


def test_the_stated_error_is_that_of_the_written_file(
    whole: Path, reduced: tuple[Path, tuple[VariantReport, ...]]
) -> None:
    """Measured again here, on the frames that the report was measured on: every third, from the second on."""
    package = Package.load(reduced[0])
    sessions = [open_session(path, "cpu", 1) for path in (package.weights, package.variants["int8"].weights)]
    off = change = 0.0
    for frame in frames(6)[1::3]:
        given = frame[None, None]
        want, have = (session.run([given])[0].astype(np.float64) for session in sessions)
        off += float(((have - want) ** 2).sum())
        change += float(((want - given) ** 2).sum())
    (int8, _) = reduced[1]
    assert int8.measured[0].error == pytest.approx(np.sqrt(off / change), rel=1e-6)


def test_statistics_and_ends_of_the_network_stay_as_they_are(reduced: tuple[Path, tuple[VariantReport, ...]]) -> None:
    package = Package.load(reduced[0])
    for variant in package.variants.values():
        model = onnx.load(variant.weights)
        makers = {output: node for node in model.graph.node for output in node.output}
        (mean,) = (node for node in model.graph.node if node.op_type == "ReduceMean")
        assert makers[mean.input[0]].op_type == "Cast"  # the counts, whole
        assert model.graph.input[0].type.tensor_type.elem_type == TensorProto.UINT16
        assert model.graph.output[0].type.tensor_type.elem_type == TensorProto.UINT16
        clipped = makers[makers[model.graph.output[0].name].input[0]]
        assert clipped.op_type in ("Clip", "Min", "Max")
    for report in reduced[1]:
        weights = {node.name: node.input[1] for node in onnx.load(package.weights).graph.node if node.op_type == "Conv"}
        assert "last.weight" in {weights[name] for name in report.small}


def test_the_report_lies_in_the_package(reduced: tuple[Path, tuple[VariantReport, ...]]) -> None:
    folder, reports = reduced
    text = (folder / "README.md").read_text()
    assert text.count("## Variants") == 1
    assert "## Validation of the export" in text
    assert "of what the network changes" in text
    content = json.loads((folder / "variants.json").read_text())
    assert content["variants"]["int8"] == json.loads(json.dumps(reports[0].to_json()))
    entry = Package.load(folder).variants["int8"].report
    assert entry["calibration"]["frames"] == 4
    assert len(entry["calibration"]["sha256"]) == 64
    assert entry["errors"][Package.load(folder).outputs[0].name]["error"] <= 0.05
    assert entry["speed"]["cpu"]["ratio"] > 0
    assert "variants" not in Package.load(folder).settings


def test_a_package_with_variants_is_still_one_of_bioimage_io(reduced: tuple[Path, tuple[VariantReport, ...]]) -> None:
    from bioimageio.spec import InvalidDescr, ValidationContext, load_description

    with ValidationContext(perform_io_checks=False):
        described = load_description(reduced[0] / "rdf.yaml")
    assert not isinstance(described, InvalidDescr)


def test_what_else_lies_in_a_package_is_taken_along_or_left_out(whole: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(whole, tmp_path / "odd")
    rdf, documentation = (folder / "rdf.yaml").read_text(), (folder / "README.md").read_bytes()
    (folder / "README.md").write_bytes(b"\xb5m of Latin 1\n\n" + documentation)
    (folder / "rdf.yaml").write_text(rdf.replace("      largest_error", "      equal: false\n      largest_error"))
    (folder / "variants.json").write_text('{"variants": ' + "[" * 100_000)
    (folder / "notes").mkdir()
    (folder / "notes" / "mine.txt").write_text("kept")
    if hasattr(os, "mkfifo"):
        os.mkfifo(folder / "pipe")
        (folder / "link").symlink_to(tmp_path)
    (report,) = reduce_package(Package.load(folder), ["fp16"], tmp_path / "new", frames(3), rounds=1, threads=1)
    new = tmp_path / "new"
    assert (new / "notes" / "mine.txt").read_text() == "kept"
    assert not (new / "pipe").exists()
    assert not (new / "link").exists()
    assert (new / "README.md").read_bytes().startswith(b"\xb5m of Latin 1\n")
    assert list(json.loads((new / "variants.json").read_text())["variants"]) == ["fp16"]
    assert any("it was forced" in note for note in report.notes)


def test_a_second_time_replaces_the_section_and_keeps_other_variants(
    reduced: tuple[Path, tuple[VariantReport, ...]], tmp_path: Path
) -> None:
    folder = shutil.copytree(reduced[0], tmp_path / "package")
    before = Package.load(folder).variants["fp16"].sha256
    (report,) = reduce_package(Package.load(folder), ["int8"], None, frames(3, seed=9), rounds=1, threads=1)
    package = Package.load(folder)
    assert package.variants["fp16"].sha256 == before
    assert package.variants["int8"].sha256 == report.weights_sha256 != reduced[1][0].weights_sha256
    text = (folder / "README.md").read_text()
    assert text.count("## Variants") == 1
    assert text.count("## Validation of the export") == 1
    told = json.loads((folder / "variants.json").read_text())["variants"]
    assert told == json.loads(json.dumps({"fp16": reduced[1][1].to_json(), "int8": report.to_json()}))
    assert text.count("| fp16 |") == text.count("| int8 |") >= 2


def test_without_frames_the_test_input_is_taken_with_a_warning(whole: Path, tmp_path: Path) -> None:
    (report,) = reduce_package(Package.load(whole), ["int8"], tmp_path / "own", rounds=1, threads=1)
    assert (report.calibrated, report.measured_on) == (1, 1)
    assert any("single frame" in note for note in report.notes)


def test_points_are_counted(tmp_path: Path) -> None:
    export_torch(
        Spots(), frames(1)[0][None, None], tmp_path / "spots", name="some spots", description="For a test.",
        settings={"decode": "points", "columns": ["y", "x", "score"], "threshold": 0.3},
    )  # fmt: skip
    reports = reduce_package(Package.load(tmp_path / "spots"), ["int8", "fp16"], None, frames(6), rounds=1, threads=1)
    for report in reports:
        (measured,) = report.measured
        assert measured.kind == "points"
        assert measured.numbers["points"] > 10
        assert measured.numbers["f1"] >= 0.99
        assert report.passes


@pytest.mark.parametrize("worker", ["thread", "process"])
def test_a_variant_runs_live(reduced: tuple[Path, tuple[VariantReport, ...]], worker: Any) -> None:
    package = Package.load(reduced[0])
    variant = package.variants["int8"]
    pipeline = Pipeline([Stage("whole", package), Stage("small", package, precision="int8")], merge=False)
    shots = frames(3, seed=3)
    bare = [open_session(path, "cpu", 1) for path in (package.weights, variant.weights)]
    with Runtime(pipeline, worker=worker, provider="cpu", threads=1, admission=block()) as runtime:
        runtime.prepare(FrameSpec(SIZE, "uint16"))
        results = runtime.subscribe(block())
        for number, pixels in enumerate(shots):
            runtime.submit(Frame(FrameId("run", "camera", 0, number), pixels, received_ns=now_ns()))
        for pixels, result in zip(shots, results, strict=False):
            for name, session in zip(("whole", "small"), bare, strict=True):
                (expected,) = session.run([pixels[None, None]])
                np.testing.assert_array_equal(np.squeeze(result[name]), expected[0, 0])
            assert result.provenance["whole"].graph_sha256 != result.provenance["small"].graph_sha256
            assert result.provenance["whole"].package == result.provenance["small"].package
            assert [result.provenance[name].precision for name in ("whole", "small")] == ["float32", "int8"]


def test_a_pipeline_file_names_the_precision(reduced: tuple[Path, tuple[VariantReport, ...]], tmp_path: Path) -> None:
    shutil.copytree(reduced[0], tmp_path / "net")
    path = tmp_path / "pipeline.yaml"
    path.write_text("schema: 1\nstages:\n  a: {package: net, precision: int8}\n  b: {package: net}\n")
    first, second = Pipeline.load(path).networks
    assert first.request.weights.name == "weights-int8.onnx"
    assert first.request.weights_sha256 == first.package.variants["int8"].sha256
    assert second.request.weights_sha256 == second.package.weights_sha256
    assert first.message()["weights_sha256"] == first.request.weights_sha256
    path.write_text("schema: 1\nstages:\n  a: {package: net, precision: int4}\n")
    with pytest.raises(PipelineError, match="precision"):
        Pipeline.load(path)


def test_a_variant_that_is_not_there_or_did_not_pass_is_refused(whole: Path, reduced: Any, tmp_path: Path) -> None:
    with pytest.raises(PipelineError, match=r"found no int8 weights in 'a residual network' \(variants there: none\)"):
        Stage("a", whole, precision="int8")
    with pytest.raises(PipelineError, match="found the precision 'int2'"):
        Stage("a", whole, precision="int2")  # type: ignore[arg-type]
    folder = shutil.copytree(reduced[0], tmp_path / "failed")
    restate(folder, "passes: true", "passes: false")
    for precision in ("int8", "fp16"):
        with pytest.raises(PipelineError, match="differ too much"):
            Stage("a", folder, precision=precision)
    assert Stage("a", folder, precision="auto").on("cpu").precision == "float32"


def test_auto_takes_what_passed_and_is_faster_on_this_machine(reduced: Any, tmp_path: Path) -> None:
    folder = shutil.copytree(reduced[0], tmp_path / "auto")
    speeds = Package.load(folder).variants["int8"].report["speed"]["cpu"]["ratio"]
    restate(folder, f"ratio: {speeds}\n", "ratio: 2.5\n")
    package = Package.load(folder)
    stage = Stage("a", package, precision="auto")
    assert stage.request.weights_sha256 == package.weights_sha256  # not settled yet
    assert stage.on("cpu").precision == "int8"
    assert stage.on("auto").precision == "int8"
    assert stage.on("null:1").precision == "float32"  # nothing was measured there
    settled = Pipeline([stage]).opening(FrameSpec(SIZE, "uint16"), "cpu", 1)
    assert settled["stages"][0]["weights_sha256"] == package.variants["int8"].sha256
    restate(folder, "cpu: ", "cpu: another ")
    assert Stage("a", folder, precision="auto").on("cpu").precision == "float32"


def restate(folder: Path, text: str, new: str) -> None:
    rdf = folder / "rdf.yaml"
    content = rdf.read_text()
    assert text in content
    rdf.write_text(content.replace(text, new))


def test_a_changed_variant_is_refused(reduced: Any, tmp_path: Path) -> None:
    folder = shutil.copytree(reduced[0], tmp_path / "changed")
    path = folder / "weights-int8.onnx"
    path.write_bytes(path.read_bytes() + b"\0")
    with pytest.raises(PackageError, match=r"weights-int8.onnx with sha256 .* as stated for the int8 weights"):
        Package.load(folder)


@pytest.mark.parametrize(
    ("text", "new", "sentence"),
    [
        ("source: weights-int8.onnx", "source: ../weights-int8.onnx", "inside the package's folder"),
        ("source: weights-int8.onnx", "source: https://example.com/a.onnx", "found the URL"),
        ("source: weights-int8.onnx", "source: lost.onnx", "found no file 'lost.onnx'"),
        ("      int8:\n", "      int2:\n", "expected some of fp16, int8"),
        ("passes: true", "passes: 'yes'", ""),
    ],
)
def test_what_is_wrong_with_a_stated_variant_is_said(
    reduced: Any, tmp_path: Path, text: str, new: str, sentence: str
) -> None:
    folder = shutil.copytree(reduced[0], tmp_path / "wrong")
    restate(folder, text, new)
    if not sentence:  # only true itself passes
        assert not Package.load(folder).variants["int8"].passes
        return
    with pytest.raises(PackageError, match=sentence):
        Package.load(folder)


def test_a_variant_with_other_outputs_is_refused(reduced: Any, tmp_path: Path) -> None:
    import hashlib

    folder = shutil.copytree(reduced[0], tmp_path / "other")
    path = folder / "weights-int8.onnx"
    before = hashlib.sha256(path.read_bytes()).hexdigest()
    model = onnx.load(path)
    (last,) = (node for node in model.graph.node if model.graph.output[0].name in node.output)
    last.attribute[0].i = TensorProto.UINT8
    model.graph.output[0].type.tensor_type.elem_type = TensorProto.UINT8
    onnx.save(model, path)
    restate(folder, before, hashlib.sha256(path.read_bytes()).hexdigest())
    with pytest.raises(PackageError, match="other inputs or outputs than the float weights"):
        Package.load(folder)


def test_packages_with_variants_can_be_pickled(reduced: Any) -> None:
    package = Package.load(reduced[0])
    again = pickle.loads(pickle.dumps(package))  # noqa: S301
    assert again == package
    with pytest.raises(TypeError):
        again.variants["int8"].report["passes"] = True


def test_refusals(whole: Path, tmp_path: Path) -> None:
    package = Package.load(whole)
    with pytest.raises(ExportError, match="found the precisions int4"):
        reduce_package(package, ["int4"], tmp_path / "new")
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "file").touch()
    with pytest.raises(ExportError, match="found a folder at"):
        reduce_package(package, ["int8"], tmp_path / "taken")
    with pytest.raises(ExportError, match="found nothing at"):
        reduce_package(package, ["int8"], tmp_path / "new", ["nowhere"])
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    ("whole", "variant", "ratio"),
    [
        ((20.0, 20.0, 20.0), (10.0, 10.0, 10.0), 2.0),
        ((10.0, 30.0, 30.0), (10.0, 10.0, 10.0), 1.0),  # others had the machine in two of its rounds
        ((30.0, 20.0, 20.0), (10.0, 20.0, 20.0), 1.0),
        ((25.0, 20.0, 80.0, 20.0, 22.0), (20.0, 10.0, 40.0, 22.0, 21.0), 1.048),  # the median of the ratios is 1.25
    ],
)
def test_a_busy_machine_makes_no_variant_faster(
    whole: tuple[float, ...], variant: tuple[float, ...], ratio: float
) -> None:
    assert _timed(whole, variant, (1, 1, 8, 8), 0.0).ratio == ratio
