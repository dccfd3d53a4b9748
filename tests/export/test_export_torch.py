"""Networks in memory become packages that the runtime reads and that answer as the network does."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch

from onscope.export import Report, export_torch
from onscope.runtime import ExportError, Package
from onscope.runtime.engines import open_session
from onscope.runtime.package import prove

from .networks import OneSize, Peaks, Remainder, Smooth, Twice, Unknown, Valid

POINTS = {"decode": "points", "columns": ["y", "x", "score"], "threshold": 0.5}


def answers(package: Package, array: Any) -> Any:
    return open_session(package.weights, "cpu", 1).run([array])[0]


@pytest.fixture(scope="module")
def smooth(tmp_path_factory: pytest.TempPathFactory) -> Report:
    """One export that several tests look at."""
    frame = np.random.default_rng(0).integers(100, 2000, (1, 1, 40, 36)).astype(np.uint16)
    return export_torch(
        Smooth(),
        frame,
        tmp_path_factory.mktemp("exported") / "package",
        name="a network",
        description="For a test.",
        documentation="# Smooth\n\nMade for a test.",
        authors=["A. Author", {"name": "B. Author", "affiliation": "Somewhere"}],
        cite=[{"text": "Nobody", "url": "https://example.org/paper"}],
        sizes=[(17, 31), (64, 21)],
        source_sha256="0" * 64,
    )


def test_counts_in_counts_out_at_any_size(smooth: Report) -> None:
    package = Package.load(smooth.folder)
    assert smooth.passed
    assert [(one.where, one.size) for one in smooth.parity] == [
        ("test tensor", (40, 36)),
        ("darker", (17, 31)),
        ("brighter", (64, 21)),
        ("two at once", (40, 36)),
    ]
    assert (package.inputs[0].dtype, package.outputs[0].dtype) == ("uint16", "uint16")
    assert package.outputs[0].scale == 1.0
    odd = np.random.default_rng(1).integers(0, 65536, (1, 1, 51, 19)).astype(np.uint16)
    with torch.no_grad():
        expected = Smooth()(torch.from_numpy(odd)).numpy()
    assert np.abs(answers(package, odd).astype(int) - expected).max() <= 1
    assert [one.passed for one in prove(package, open_session(package.weights, "cpu", 1))] == [True]


def test_a_magnified_output_states_its_scale(make: Any) -> None:
    frame = np.random.default_rng(0).random((1, 1, 24, 24), np.float32)
    report = make(Twice(), frame, settings={"scale": 2}, output_names=["big"])
    package = Package.load(report.folder)
    assert package.outputs[0].scale == 2.0
    assert package.settings["scale"] == 2
    assert answers(package, frame).shape == (1, 1, 48, 48)
    assert max(one.max_relative for one in report.parity) < 1e-4


def test_the_pixels_of_the_training(make: Any) -> None:
    frame = np.random.default_rng(0).random((1, 1, 24, 24), np.float32)
    package = Package.load(make(Twice(), frame, settings={"scale": 2}, pixel_um=0.325).folder)
    told = [(axis.scale, axis.unit) for axis in package.inputs[0].described if axis.id in ("y", "x")]
    assert told == [(0.325, "micrometer")] * 2
    assert package.outputs[0].scale == 2.0
    with pytest.raises(ExportError, match="found pixels of 0 um"):
        make(Twice(), frame, pixel_um=0, overwrite=True)


def test_one_size_alone(make: Any) -> None:
    frame = np.random.default_rng(0).random((1, 1, 32, 32), np.float32)
    with pytest.raises(ExportError, match="fails on a"):
        make(OneSize(), frame)
    package = Package.load(make(OneSize(), frame, fixed=True).folder)
    assert {axis.id: axis.size.fixed for axis in package.inputs[0].described if axis.kind == "space"} == {
        "y": 32,
        "x": 32,
    }
    assert np.array_equal(answers(package, frame), 2 * frame)


def test_an_output_whose_size_is_no_multiple_of_the_one_input_s(make: Any) -> None:
    frame = np.random.default_rng(0).random((1, 1, 24, 32), np.float32)
    network = torch.nn.AdaptiveAvgPool2d((12, 8))
    with pytest.raises(ExportError):
        make(network, frame, minimum=8, step=8)
    package = Package.load(make(network, frame, fixed=True).folder)
    assert [axis.size.fixed for axis in package.outputs[0].described] == [1, 1, 12, 8]
    assert package.outputs[0].scale is None
    assert answers(package, frame).shape == (1, 1, 12, 8)


def test_a_list_of_points(make: Any, counts: Any) -> None:
    report = make(Peaks(), counts, settings=POINTS)
    package = Package.load(report.folder)
    assert package.outputs[0].axes == ("index", "channel")
    assert package.settings["columns"] == ("y", "x", "score")
    assert report.parity[0].rows
    assert report.parity[0].unpaired == 0
    assert package.tolerances[0].absolute <= 1e-3  # of a score from 0 to 1, not of coordinates


def test_where_one_exporter_fails_the_other_has_its_turn(make: Any) -> None:
    frame = np.random.default_rng(0).random((1, 1, 24, 24), np.float32)
    report = make(Remainder(), frame, settings={"decode": "points", "columns": ["y", "x", "score"]})
    assert report.exporter == "TorchScript exporter"
    assert report.notes[0].startswith("torch.export failed (")
    assert "- torch.export failed" in (report.folder / "README.md").read_text(encoding="utf-8")


def test_the_onnx_file_is_tidy(smooth: Report) -> None:
    model = onnx.load(smooth.folder / "weights.onnx")
    assert [(entry.domain, entry.version) for entry in model.opset_import] == [("", 20)]
    assert model.ir_version == 10
    assert [dim.dim_param for dim in model.graph.input[0].type.tensor_type.shape.dim] == ["batch", "", "y", "x"]
    assert str(Path(__file__).parent).encode() not in model.SerializeToString()
    assert not any(node.metadata_props or node.doc_string for node in model.graph.node)


@pytest.mark.long
def test_the_same_network_gives_the_same_bytes(make: Any, counts: Any) -> None:
    first = make(Smooth(), counts)
    files = {path.name: path.read_bytes() for path in first.folder.iterdir()}
    again = make(Smooth(), counts, overwrite=True)
    assert {path.name: path.read_bytes() for path in again.folder.iterdir()} == files


def test_what_the_package_says_of_itself(smooth: Report) -> None:
    package = Package.load(smooth.folder)
    assert package.documentation is not None
    readme = package.documentation.read_text(encoding="utf-8")
    assert "Made for a test." in readme
    assert "## Validation" in readme
    assert "| image | test tensor | 40 x 36 |" in readme
    assert package.citations == "Nobody https://example.org/paper"
    stored = json.loads((smooth.folder / "export.json").read_text(encoding="utf-8"))
    assert stored == json.loads(smooth.to_json())
    assert stored["passed"] is True
    assert stored["versions"]["torch"] == torch.__version__
    assert stored["source_sha256"] == "0" * 64
    assert "export" not in package.settings


def test_bioimageio_itself_reads_and_passes_the_package(smooth: Report) -> None:
    from bioimageio.core import test_description

    summary = test_description(smooth.folder / "rdf.yaml", weight_format="onnx", devices=["cpu"])
    assert summary.status == "passed", summary.format()


def test_nothing_of_the_exporters_reaches_the_terminal(make: Any, capfd: Any) -> None:
    frame = np.random.default_rng(0).random((1, 1, 24, 24), np.float32)
    network = Twice().train()
    make(network, frame)
    assert network.training  # as it was before
    with pytest.raises(ExportError):
        make(Unknown(), frame, overwrite=True)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("network", "options", "words"),
    [
        (OneSize(), {}, "the network itself fails on a 1x1x16x17 float32 input"),
        (Valid(), {}, "found an output 'image' of|expected .* times the input's size"),
        (Unknown(), {}, "cannot be exported .*bessel_j0.* rewrite the operation"),
        (Twice(), {"axes": "byx"}, "found 4 axes in the example 1x1x32x32, expected 3"),
        (Twice(), {"axes": "bcqx"}, "expected different letters"),
        (Twice(), {"settings": {"decode": "points"}}, "points without columns"),
        (Twice(), {"minimum": 10, "step": 8}, "found an example of 32 pixels along y, expected 10"),
        (Twice(), {"output_names": ["a", "b"]}, "found 1 outputs, expected a name and axes for each"),
        (Twice(), {"name": "x"}, "found the name 'x', expected 5 to 128 letters"),
        (Twice(), {"license": "my own"}, "found the licence 'my own', expected an SPDX name"),
        (Twice(), {"cite": [{"text": "no source"}]}, r"BioImage.IO does not take \(cite"),
    ],
)
def test_what_cannot_be_exported(make: Any, tmp_path: Path, network: Any, options: Any, words: str) -> None:
    frame = np.random.default_rng(0).random((1, 1, 32, 32), np.float32)
    with pytest.raises(ExportError, match=words) as caught:
        make(network, frame, **options)
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", ["float64", "int32"])
def test_pixels_that_no_frame_has(make: Any, kind: str) -> None:
    with pytest.raises(ExportError, match=f"an example of {kind}, expected one of uint8, uint16, float32"):
        make(Twice(), np.zeros((1, 1, 32, 32), kind))


def test_a_taken_folder_is_left_alone(make: Any, counts: Any, tmp_path: Path) -> None:
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "thesis.txt").write_text("dear", encoding="ascii")
    with pytest.raises(ExportError, match="expected a free name"):
        make(Smooth(), counts)
    with pytest.raises(ExportError, match="which holds no package"):
        make(Smooth(), counts, overwrite=True)
    assert [path.name for path in (tmp_path / "package").iterdir()] == ["thesis.txt"]


def test_importing_the_export_does_not_import_torch() -> None:
    code = "import sys, onscope.export.cli, onscope.export; print({'torch', 'onnx', 'scipy'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_without_torch_one_sentence_names_the_extra(tmp_path: Path) -> None:
    # A process of its own in which torch cannot be found, as where it is not installed.
    source = tmp_path / "weights.pt"
    source.touch()
    code = (
        "import sys\n"
        "class Hidden:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name == 'torch': raise ModuleNotFoundError(name='torch')\n"
        "import importlib.util\n"
        "real = importlib.util.find_spec\n"
        "importlib.util.find_spec = lambda name, *rest: None if name == 'torch' else real(name, *rest)\n"
        "sys.meta_path.insert(0, Hidden())\n"
        "from onscope.cli import main\n"
        f"main(['export', {str(source)!r}, '-o', {str(tmp_path / 'out')!r}])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 1
    assert "found no torch, which exporting from PyTorch needs: pip install 'onscope[export]'" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_torch_tensor_is_an_example_too(make: Any) -> None:
    assert make(Twice(), torch.rand(1, 1, 20, 20)).passed
