"""`onscope export` and `onscope validate` as they are typed."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from onscope.cli._app import app
from onscope.export import export_torch
from onscope.runtime import Package

from .networks import Peaks, Smooth, TwoFaced


def run(*words: object) -> Any:
    return CliRunner().invoke(app, [str(word) for word in words], env={"COLUMNS": "120", "TERM": "dumb"})


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    torch.save(Smooth().state_dict(), tmp_path / "smooth.pt")
    return tmp_path / "smooth.pt"


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    frame = np.random.default_rng(0).integers(100, 2000, (1, 1, 40, 36)).astype(np.uint16)
    folder = tmp_path_factory.mktemp("exported") / "package"
    return export_torch(Smooth(), frame, folder, name="a network", description="For a test.").folder


@pytest.fixture
def package(exported: Path, tmp_path: Path) -> Path:
    return shutil.copytree(exported, tmp_path / "package")


@pytest.mark.long
def test_export_then_validate(weights: Path, tmp_path: Path) -> None:
    out = tmp_path / "smooth-test"
    network = f"{Smooth.__module__}:Smooth(features=2)"
    done = run("export", weights, "-o", out, "--network", network, "--example-shape", "1x1x48x40", "--license", "MIT")
    assert done.exit_code == 0, done.output
    assert "test tensor" in done.stdout
    assert str(out) in done.stdout.replace("\n", "")
    for step in ("loading the network", "converting to ONNX", "proving parity", "writing the package"):
        assert step in done.stderr
    assert Package.load(out).licence == "MIT"
    checked = run("validate", out, "--size", "32x48", "--runs", "5", "--provider", "cpu", "--threads", "1")
    assert checked.exit_code == 0, checked.output
    assert "answers image on cpu: largest error" in checked.stdout
    assert re.search(r"speed +32x48 on cpu, 5 runs: p50 [\d.]+ ms, p95 [\d.]+ ms, p99 [\d.]+ ms", checked.stdout)
    assert re.search(r"holds +[\d.]+ frames/s", checked.stdout)


def test_export_of_torchscript_as_json(tmp_path: Path, counts: Any) -> None:
    np.save(tmp_path / "frame.npy", counts)
    torch.jit.save(torch.jit.script(torch.nn.Identity()), tmp_path / "same.pt")
    words = ("export", tmp_path / "same.pt", "-o", tmp_path / "same-test", "--json")
    done = run(*words, "--example", tmp_path / "frame.npy")
    assert done.exit_code == 0, done.output
    assert any("UInt16" in note for note in json.loads(done.stdout)["notes"])
    done = run(*words, "--overwrite", "--dtype", "float32", "--example-shape", "1x1x24x24")
    assert done.exit_code == 0, done.output
    report = json.loads(done.stdout)
    assert (report["passed"], report["package"]) == (True, "same-test")
    assert report["parity"][0]["max_abs"] == 0


def test_export_of_points(tmp_path: Path, counts: Any) -> None:
    np.save(tmp_path / "frame.npy", counts)
    torch.save(Peaks().state_dict(), tmp_path / "peaks.pt")
    words = ("--example", tmp_path / "frame.npy", "--decode", "points", "--threshold", "0.4")
    out = tmp_path / "peaks-test"
    done = run("export", tmp_path / "peaks.pt", "-o", out, "--network", f"{Smooth.__module__}:Peaks", *words)
    assert done.exit_code == 0, done.output
    settings = Package.load(out).settings
    assert dict(settings) == {"decode": "points", "columns": ("y", "x", "score"), "threshold": 0.4}
    checked = run("validate", out, "--size", "24x24", "--runs", "3", "--provider", "cpu")
    assert checked.exit_code == 0, checked.output
    assert "answers points on cpu" in checked.stdout
    points = np.load(out / "test_points.npy")
    points[0, :2] += 5
    np.save(out / "test_points.npy", points)
    restate(out, "test_points.npy")
    checked = run("validate", out, "--provider", "cpu")
    assert checked.exit_code == 1
    assert "does not give its own test outputs on cpu: largest error" in checked.stderr


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("nowhere.pt",), "found nothing at nowhere.pt, expected a trained network"),
        (("smooth.pt",), "no TorchScript file"),
        (("smooth.pt", "--network", "os:system('true')"), "found no class 'system'"),
        (("smooth.pt", "--network", "tests:X", "--code", "."), "--trust-code"),
        (("smooth.pt", "--network", "NET", "--example-shape", "1x1xbig"), "found the example shape '1x1xbig'"),
        (("smooth.pt", "--network", "NET", "--example-shape", "99x8192x8192"), "expected at most 67108864"),
        (("smooth.pt", "--network", "NET", "--example", "smooth.pt"), "smooth.pt, which is"),
        (("smooth.pt", "--network", "NET", "--documentation", "no.md"), "expected Markdown"),
        (("smooth.pt", "--network", "NET", "--axes", "byx"), "the network itself fails on a 1x256x256 uint16 input"),
        (("smooth.pt", "--network", "NET", "--normalise", "percentiles:9"), "found 'percentiles:9' as normalisation"),
    ],
)
def test_export_says_in_one_sentence_what_is_wrong(
    weights: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], sentence: str
) -> None:
    monkeypatch.chdir(weights.parent)
    network = f"{Smooth.__module__}:Smooth"
    done = run("export", *(network if word == "NET" else word for word in words), "-o", "out-package")
    assert done.exit_code == 1
    assert sentence in done.stderr
    assert "Traceback" not in done.output
    assert not Path("out-package").exists()


def test_a_parity_that_fails_ends_with_1(tmp_path: Path) -> None:
    torch.save(TwoFaced(0.1).state_dict(), tmp_path / "lie.pt")
    network = f"{Smooth.__module__}:TwoFaced(lie=0.1)"
    done = run(
        *("export", tmp_path / "lie.pt", "-o", tmp_path / "lies", "--network", network),
        *("--dtype", "float32", "--example-shape", "1x1x24x24"),
    )
    assert done.exit_code == 1
    assert "is not equal to the network" in done.stderr
    assert not (tmp_path / "lies").exists()


def restate(package: Path, name: str) -> None:
    """Write the hash of a changed file into the description."""
    digest = hashlib.sha256((package / name).read_bytes()).hexdigest()
    text = (package / "rdf.yaml").read_text(encoding="utf-8")
    changed = re.sub(rf"({re.escape(name)}\s+sha256: )\w+", rf"\g<1>{digest}", text)
    assert changed != text
    (package / "rdf.yaml").write_text(changed, encoding="utf-8")


def spoil(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize("name", ["weights.onnx", "test_raw.npy", "test_image.npy"])
def test_validate_notices_a_changed_file(package: Path, name: str) -> None:
    spoil(package / name)
    done = run("validate", package)
    assert done.exit_code == 1
    assert re.search(rf"found {name} with sha256 \w+…, expected \w+…", done.stderr)


def test_validate_notices_answers_that_are_not_the_stated_ones(package: Path) -> None:
    answers = np.load(package / "test_image.npy")
    answers[0, 0, :5] += 7
    np.save(package / "test_image.npy", answers)
    restate(package, "test_image.npy")
    done = run("validate", package, "--provider", "cpu")
    assert done.exit_code == 1
    assert "does not give its own test outputs on cpu: largest error 7" in done.stderr


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--size", "big"), "found the size 'big', expected HEIGHTxWIDTH"),
        (("--size", "8x64"), "found 8 pixels along y, expected 16 + n * 1"),
        (("--provider", "abacus"), "abacus"),
    ],
)
def test_validate_says_what_is_wrong(package: Path, words: tuple[str, ...], sentence: str) -> None:
    done = run("validate", package, *words)
    assert done.exit_code == 1
    assert sentence in done.stderr


def test_validate_on_another_engine(package: Path) -> None:
    done = run("validate", package, "--provider", "oracle", "--size", "16x17", "--runs", "3")
    assert done.exit_code == 0, done.output
    assert "answers image on oracle: largest error" in done.stdout


def test_validate_without_test_tensors_says_so(package: Path) -> None:
    rdf = package / "rdf.yaml"
    text = rdf.read_text(encoding="utf-8")
    rdf.write_text(re.sub(r"    test_tensor:\n      source: .*\n      sha256: .*\n", "", text), encoding="utf-8")
    done = run("validate", package, "--size", "20x20", "--runs", "3")
    assert done.exit_code == 0, done.output
    assert "answers not checked: the package has no test tensors" in done.stdout
