"""BioImage.IO packages become packages with ONNX weights that give the same test outputs."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from onscope.export import Choices, export_original
from onscope.export.routes import ROUTES, Asked, load, route_of
from onscope.runtime import ExportError, Package
from onscope.runtime.engines import open_session
from onscope.runtime.package import prove

from .packages import (
    BATCH,
    CODE,
    Net,
    about,
    answer_of,
    channel,
    counts,
    follows,
    onnx_weights,
    script,
    sha256,
    space,
    standardised,
    state_dict,
    tensor,
    torchscript,
    two_classes,
    write,
)

TRUST = Asked(trust_code=True)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ONSCOPE_CACHE", str(tmp_path / "cache"))


def exported(source: Path, asked: Asked | None = None, **more: Any) -> tuple[Any, Package]:
    """The report, and the package that was written, which gives the original's own test outputs."""
    report = export_original(load(source, asked), source.parent / "out", Choices(**more))
    package = Package.load(report.folder)
    before = load(source, asked).stated
    assert before.example is not None
    (raw,), found = package.load_test_inputs(), package.load_test_outputs()
    assert np.array_equal(raw, before.example)
    for want, have, tolerance in zip(before.answers, found, before.tolerances, strict=True):
        assert have.dtype == want.dtype
        assert np.abs(have - want).max() <= tolerance.absolute + tolerance.relative * np.abs(want).max()
    assert all(one.passed for one in prove(package, open_session(package.weights, "cpu", 1)))
    return report, package


def refused(source: Path, words: str, asked: Asked | None = None) -> str:
    with pytest.raises(ExportError, match=words) as caught:
        load(source, asked)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_torchscript_weights(tmp_path: Path) -> None:
    source = two_classes(tmp_path / "source", torchscript)
    assert route_of(source, Asked()) == "bioimageio"
    report, package = exported(source)
    assert "BioImage.IO package Two classes (test), the TorchScript file net.pt" in report.route
    assert [one.where for one in report.parity][-1] == "its own test output"
    assert (package.name, package.licence) == ("Two classes (test)", "CC-BY-4.0")
    (given,), (got,) = package.inputs, package.outputs
    assert (given.name, given.described[1].channels) == ("frame", ("light",))
    assert (given.sizes[2].minimum, given.sizes[2].step) == (16, 4)
    assert (got.name, got.described[1].channels, got.described[3].halo) == ("classes", ("cell", "border"), 2)
    assert (given.processing, got.processing[0]) == (
        ("ensure_dtype", "zero_mean_unit_variance", "ensure_dtype"),
        "sigmoid",
    )
    text = (package.folder / "README.md").read_text(encoding="utf-8")
    assert text.startswith("# What it is\n\nA network for tests.")
    rdf = (package.folder / "rdf.yaml").read_text(encoding="utf-8")
    assert all(words in rdf for words in ("0000-0002-1825-0097", "10.1234/abc", "- 2d", "Tells two classes apart."))


def test_onnx_weights_and_a_second_time(tmp_path: Path) -> None:
    pytest.importorskip("onscope.export.routes._onnx")
    source = two_classes(tmp_path / "source", onnx_weights)
    report, package = exported(source)
    assert any("its onnx weights were taken" in note for note in report.notes)
    again = export_original(load(package.folder), tmp_path / "again")
    text = (again.folder / "README.md").read_text(encoding="utf-8")
    assert text.count("## Validation of the export") == 1


def test_a_state_dict_runs_code_only_when_it_is_trusted(tmp_path: Path) -> None:
    source = two_classes(tmp_path / "source", state_dict)
    words = refused(source, r"no weights in Two classes \(test\) that can be exported \(there: pytorch_state_dict\)")
    assert "their architecture is code, which --trust-code runs" in words
    assert not (source / "ran").exists()
    report, _ = exported(source, TRUST)
    assert (source / "ran").exists()
    assert "the state dict state.pt with net.py:Net" in report.route


def test_a_changed_architecture_is_not_run(tmp_path: Path) -> None:
    source = two_classes(tmp_path / "source", state_dict)
    (source / "net.py").write_text(CODE + "\n", encoding="utf-8")
    refused(source, r"net.py with sha256 .* as stated for the architecture", TRUST)
    assert not (source / "ran").exists()


def test_which_weights_are_taken(tmp_path: Path) -> None:
    def both(folder: Path, network: nn.Module, raw: Any) -> dict[str, Any]:
        return {**state_dict(folder, network, raw), **torchscript(folder, network, raw)}

    source = two_classes(tmp_path / "source", both)
    notes = load(source).stated.notes
    assert (
        "its torchscript weights were taken, the first that can be opened (there are pytorch_state_dict too)" in notes
    )
    assert any("pytorch_state_dict weights were passed over" in note for note in notes)
    assert any("pytorch_state_dict weights were taken" in note for note in load(source, TRUST).stated.notes)


def test_a_library_s_architecture(tmp_path: Path) -> None:
    def installed(folder: Path, network: nn.Module, raw: Any) -> dict[str, Any]:
        weights = state_dict(folder, network, raw)
        named = {"import_from": Net.__module__, "callable": "Net", "kwargs": {"features": 3}}
        weights["pytorch_state_dict"]["architecture"] = named
        return weights

    exported(two_classes(tmp_path / "source", installed), TRUST)

    def of(named: dict[str, Any]) -> Callable[[dict[str, Any]], object]:
        return lambda rdf: rdf["weights"]["pytorch_state_dict"]["architecture"].update(named)

    wrong: list[tuple[dict[str, Any], str]] = [
        ({"import_from": "no_such_library_here"}, "no module for the architecture no_such_library_here:Net"),
        ({"callable": "Nothing"}, "found no Nothing in"),
        ({"kwargs": {"features": 4}}, r"are not those of .*:Net \(\d of another shape"),
        ({"kwargs": {"colour": 4}}, "cannot be built .*colour"),
        ({"callable": "counts", "kwargs": {}}, "gives ndarray, expected a torch.nn.Module"),
    ]
    for number, (named, words) in enumerate(wrong):
        refused(two_classes(tmp_path / f"source{number}", installed, of(named)), words, TRUST)


def test_zip_files(tmp_path: Path) -> None:
    source = two_classes(tmp_path / "source", torchscript)
    with zipfile.ZipFile(tmp_path / "packed.zip", "w") as archive:
        for path in source.iterdir():
            archive.write(path, path.name)
    assert route_of(tmp_path / "packed.zip", Asked()) == "bioimageio"
    assert load(tmp_path / "packed.zip").stated.name == "Two classes (test)"
    (source / "net.pt").write_bytes(b"x")
    refused(source, "net.pt with sha256")


class Valid(nn.Module):
    """Loses 2 pixels at either end, and gives a mean of it all besides."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(8)
        self.layers = nn.Sequential(nn.Conv2d(2, 3, 3), nn.ReLU(), nn.Conv2d(3, 1, 3))

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        image = self.layers(pixels)
        return image, image.mean((2, 3)), image.round()


def test_offsets_three_outputs_points_of_the_format(tmp_path: Path) -> None:
    folder = tmp_path / "source"
    folder.mkdir()
    raw = np.random.default_rng(1).random((1, 2, 33, 26), np.float32)
    with torch.no_grad():
        image, mean, whole = (each.numpy() for each in Valid()(torch.from_numpy(raw)))
    grid = {"min": 17, "step": 1}
    given = tensor(
        "raw", [BATCH, channel("a", "b"), space("y", size=grid), space("x", size=grid)], raw, folder,
        pad={"mode": "reflect"},
    )  # fmt: skip
    sides = [space(name, size=follows(name, offset=-4)) for name in "yx"]
    outputs = [
        tensor("image", [BATCH, channel("one"), *sides], image, folder),
        tensor("mean", [BATCH, channel("level")], mean, folder),
        tensor(
            "scaled", [BATCH, channel("one"), *sides],
            ((whole.astype(np.float64) - image.min()) * 0 + 2 * whole + 1).astype(np.float32), folder,
            postprocessing=[{"id": "scale_linear", "kwargs": {"axis": "channel", "gain": [2.0], "offset": [1.0]}}],
        ),
    ]  # fmt: skip
    weights = {"torchscript": script(Valid(), folder / "net.pt")}
    write(folder, about(inputs=[given], outputs=outputs, weights=weights))
    report, package = exported(folder)
    assert {one.size for one in report.parity} >= {(33, 26), (17, 18)}
    sizes = [axis.size.follows for axis in package.outputs[0].described[2:]]
    assert [(one.axis, one.offset) for one in sizes if one is not None] == [("y", -4), ("x", -4)]
    assert package.inputs[0].pad == "reflect"
    assert package.outputs[1].axes == ("batch", "channel")
    assert package.outputs[2].steps[0].arguments["axis"] == "channel"


def old(folder: Path, raw: Any, found: Any, weights: dict[str, Any], **more: Any) -> Path:
    np.save(folder / "in.npy", raw)
    np.save(folder / "out.npy", found)
    taken = {
        "name": "raw", "axes": "byxc", "data_type": "float32", "shape": {"min": [1, 32, 32, 1], "step": [0, 8, 8, 0]},
        "preprocessing": [{"name": "zero_mean_unit_variance", "kwargs": {"mode": "per_sample", "axes": "yxc"}}],
    }  # fmt: skip
    given = {
        "name": "image", "axes": "byxc", "data_type": "float32", "halo": [0, 4, 4, 0],
        "shape": {"reference_tensor": "raw", "scale": [1.0, 2.0, 2.0, 1.0], "offset": [0, 0, 0, 0]},
    }  # fmt: skip
    content = about(
        format_version="0.4.10", documentation="README.md", timestamp="2024-01-01T00:00:00", name="Old: twice/1",
        inputs=[taken | more.pop("taken", {})], outputs=[given | more.pop("given", {})],
        test_inputs=["in.npy"], test_outputs=["out.npy"], weights=weights,
        **more,
    )  # fmt: skip
    return write(folder, content)


class Twice(nn.Module):
    """Channels last, twice the pixels along y and x."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(9)
        self.layers = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.PixelShuffle(2))

    def forward(self, pixels: Tensor) -> Tensor:
        answer: Tensor = self.layers(pixels.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)
        return answer


def test_format_0_4_with_channels_last(tmp_path: Path) -> None:
    folder = tmp_path / "source"
    folder.mkdir()
    raw = counts((1, 32, 40, 1))
    found = answer_of(Twice(), standardised(raw))
    torch.save(Twice().state_dict(), folder / "state.pt")
    code = folder / "twice.py"
    code.write_text(f"from {Twice.__module__} import Twice\n", encoding="utf-8")
    weights = {
        "pytorch_state_dict": {
            "source": "state.pt",
            "sha256": sha256(folder / "state.pt"),
            "architecture": "twice.py:Twice",
            "architecture_sha256": sha256(code),
        }
    }
    old(folder, raw, found, weights, license="Unusual licence 3")
    report, package = exported(folder, TRUST)
    assert package.name == "Old- twice-1"
    assert any("the licence Unusual licence 3 has no SPDX name" in note for note in report.notes)
    assert package.inputs[0].axes == ("batch", "y", "x", "channel")
    assert (package.outputs[0].scale, package.outputs[0].described[1].halo) == (2.0, 4)
    assert {one.size for one in report.parity} >= {(32, 40)}


class Flat(nn.Module):
    """A stack of 5 planes, one fixed size."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(10)
        self.layer = nn.Conv3d(1, 1, 3, padding=1)

    def forward(self, stack: Tensor) -> Tensor:
        answer: Tensor = self.layer(stack) + 0.001 * self.layer(stack).reshape(1, 1, 5, 24, 20)
        return answer


def test_a_stack_of_one_size(tmp_path: Path) -> None:
    folder = tmp_path / "source"
    folder.mkdir()
    raw = counts((1, 1, 5, 24, 20))
    sizes = [BATCH, channel("a"), *(space(name, size=size) for name, size in zip("zyx", (5, 24, 20), strict=True))]
    cast = [{"id": "ensure_dtype", "kwargs": {"dtype": "float32"}}]
    network = Flat()
    content = about(
        inputs=[tensor("raw", sizes, raw, folder, preprocessing=cast)],
        outputs=[tensor("image", sizes, answer_of(network, raw), folder)],
        weights={"torchscript": script(network, folder / "net.pt")},
    )
    report, package = exported(write(folder, content))
    assert {axis.id: axis.size.fixed for axis in package.inputs[0].described if axis.kind == "space"} == {
        "z": 5,
        "y": 24,
        "x": 20,
    }
    assert {one.size for one in report.parity} == {(24, 20)}


def test_a_package_that_does_not_give_its_own_test_output(tmp_path: Path) -> None:
    source = two_classes(tmp_path / "source", torchscript)
    wrong = np.load(source / "classes.npy")
    wrong[0, 0, :8] += 0.05
    np.save(source / "classes.npy", wrong)
    rdf = (source / "rdf.yaml").read_text(encoding="utf-8")
    stated = load_words(rdf, "classes.npy")
    (source / "rdf.yaml").write_text(rdf.replace(stated, sha256(source / "classes.npy")), encoding="utf-8")
    words = r"does not give its own test output 'classes' \(largest error 0.05 .* 320 of 2560 values off by more than"
    with pytest.raises(ExportError, match=words):
        export_original(load(source), tmp_path / "out")
    assert not (tmp_path / "out").exists()
    report = export_original(load(source), tmp_path / "out", Choices(force=True))
    assert not report.passed
    assert "equal: false" in (tmp_path / "out" / "rdf.yaml").read_text(encoding="utf-8")
    # Other steps than the package's own give other answers; then there is nothing to compare.
    other = export_original(load(source), tmp_path / "other", Choices(pre=load(source).stated.pre))
    assert other.passed
    assert any("own test output was not compared" in note for note in other.notes)


def load_words(rdf: str, name: str) -> str:
    """The sha256 that a description states beside a file's name."""
    lines = rdf.splitlines()
    place = next(number for number, line in enumerate(lines) if name in line)
    near = [word for line in lines[max(0, place - 2) : place + 3] for word in line.replace("}", " ").split()]
    return next(word.strip(",") for word in near if len(word.strip(",")) == 64)


def step(id: str, **kwargs: Any) -> Callable[[dict[str, Any]], object]:
    return lambda rdf: rdf["outputs"][0].update(postprocessing=[{"id": id, **kwargs}])


def unknown(rdf: dict[str, Any]) -> None:
    rdf["outputs"][0]["axes"][2] = {"type": "index", "size": {"min": 1, "max": 40}}


def sized(side: str, axis: int, **size: Any) -> Callable[[dict[str, Any]], object]:
    return lambda rdf: rdf[side][0]["axes"][axis].update(size)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            step("custom", source="README.md", callable="answer", kwargs={}, sha256="0" * 64),
            r"the step custom \(answer of README.md\)",
        ),
        (unknown, "the size of index in 'classes' to be known after the run only"),
        (sized("outputs", 3, size=follows("y", "frame")), r"x in 'classes' that follows frame.y"),
        (lambda rdf: rdf["weights"].clear(), "no weights|breaks the BioImage.IO format"),
        (lambda rdf: rdf["weights"]["torchscript"].update(source="https://example.org/net.pt"), "they are a link"),
        (lambda rdf: rdf["weights"]["torchscript"].update(source="../net.pt"), "expected one inside the package"),
        (lambda rdf: rdf.update(format_version="0.3.6"), "format 0.3.6, expected 0.4 or 0.5"),
        (
            lambda rdf: rdf.update(weights={"tensorflow_js": {"source": "README.md", "tensorflow_version": "2.9"}}),
            r"\(there: tensorflow_js\), expected one of pytorch_state_dict",
        ),
    ],
)
def test_what_an_export_cannot_say(tmp_path: Path, change: Any, words: str) -> None:
    refused(two_classes(tmp_path / "source", torchscript, change), words)


def test_optional_inputs_are_left_out(tmp_path: Path) -> None:
    def optional(rdf: dict[str, Any]) -> None:
        rdf["inputs"].append({**rdf["inputs"][0], "id": "other", "optional": True})

    source = two_classes(tmp_path / "optional", torchscript, optional)
    assert any("optional inputs other were left out" in note for note in load(source).stated.notes)


def test_folders_that_are_none(tmp_path: Path) -> None:
    source = two_classes(tmp_path / "source", torchscript)
    (source / "rdf.yaml").write_text("type: [", encoding="utf-8")
    refused(source, "rdf.yaml that is not YAML")
    shutil.rmtree(source)
    assert "rdf.yaml" in ROUTES["bioimageio"]
