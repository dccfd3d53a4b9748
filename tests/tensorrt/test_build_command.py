"""`onscope build`, as its user calls it, and a run on what it built."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import tifffile

from onscope.runtime import Package
from onscope.runtime.record import RecordedRun

from .conftest import GENERATIONS, Build, Onscope


@pytest.mark.long
@pytest.mark.parametrize("version", GENERATIONS)
def test_build_then_run(onscope: Onscope, package: Package, version: str, tmp_path: Path) -> None:
    built = onscope("build", package.folder, "--shape", "24x40", STANDIN_TENSORRT=version, STANDIN_DRIVER="580.95.05")
    assert built.returncode == 0, built.stderr
    for words in ("built in", "Stand-in GPU", "580.95.05, CUDA 13.0", version, "frame_0 24x40 uint16", "0.0e+00"):
        assert words in built.stdout
    again = onscope("build", package.folder, "--shape", "24x40", STANDIN_TENSORRT=version, STANDIN_DRIVER="580.95.05")
    assert "was built before" in again.stdout

    frames = np.arange(6 * 24 * 40).reshape(6, 24, 40).astype(np.uint16)
    tifffile.imwrite(tmp_path / "frames.tif", frames)
    (tmp_path / "pipeline.yaml").write_text(
        f"schema: 1\nstages:\n  plus: {{package: {package.folder}}}\n", encoding="utf-8"
    )
    ran = onscope(
        "run", tmp_path / "pipeline.yaml", "--source", f"replay:{tmp_path / 'frames.tif'}", "--provider", "tensorrt",
        "--admission", "block", "--out", tmp_path / "run", STANDIN_TENSORRT=version, STANDIN_DRIVER="580.95.05",
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr + ran.stdout
    recorded = RecordedRun(tmp_path / "run")
    (plus,) = [images for images in recorded.images.values() if images.stage == "plus"]
    np.testing.assert_array_equal(np.array([plus[row] for row in range(6)]).reshape(frames.shape), frames + 1)
    assert '"provider": "tensorrt"' in (tmp_path / "run" / "recording.json").read_text(encoding="utf-8")


@pytest.mark.long
def test_a_run_builds_nothing(onscope: Onscope, package: Package, tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "frames.tif", np.zeros((3, 24, 40), np.uint16))
    (tmp_path / "pipeline.yaml").write_text(
        f"schema: 1\nstages:\n  plus: {{package: {package.folder}}}\n", encoding="utf-8"
    )
    ran = onscope(
        "run", tmp_path / "pipeline.yaml", "--source", f"replay:{tmp_path / 'frames.tif'}", "--provider", "tensorrt",
        "--out", tmp_path / "run",
    )  # fmt: skip
    assert ran.returncode == 1
    assert "found no engine for frame_0 24x40 uint16 in float32 on Stand-in GPU" in ran.stderr
    assert "onscope build PACKAGE --provider tensorrt --shape HxW --precision float32" in ran.stderr


def test_engines_that_answer_something_else_are_removed(
    tensorrt10: str, build: Build, package: Package, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STANDIN_WRONG_BY", "9")
    engines = tmp_path / "cache" / "engines"
    code, _, said = build(package.folder, "--shape", "24x40")
    assert code == 1
    assert "found engines that answer something else than the CPU (plus: " in said
    assert not list(engines.glob("*.engine"))
    code, told, _ = build(package.folder, "--shape", "24x40", "--force")
    assert code == 0
    assert "warning: kept engines" in told
    assert len(list(engines.glob("*.engine"))) == 1


@pytest.fixture(scope="module")
def reduced(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shipped denoiser, with both variants."""
    from onscope.cli import main
    from onscope.export.zoo import PACKAGES

    folder = tmp_path_factory.mktemp("reduced") / "care"
    shutil.copytree(Path(str(PACKAGES)) / "care-beads", folder)
    with pytest.raises(SystemExit) as end:
        main(["reduce", str(folder), "--precision", "fp16", "--precision", "int8"])
    assert end.value.code in (None, 0)
    return folder


@pytest.mark.parametrize("precision", ["float32", "fp16", "int8"])
def test_one_file_for_both_generations_in_every_precision(
    tensorrt: str, build: Build, reduced: Path, precision: str
) -> None:
    """Strongly typed: the file says what is computed in which precision; scales are made symmetric on the way."""
    code, told, said = build(reduced, "--shape", "96x128", "--precision", precision)
    assert code == 0, said
    assert f"precision   {precision}" in told
    assert tensorrt in told


def test_a_precision_that_the_package_lacks_is_refused(tensorrt10: str, build: Build, package: Package) -> None:
    code, _, said = build(package.folder, "--precision", "fp16")
    assert code == 1
    assert "onscope reduce PACKAGE --precision fp16" in said


def test_on_this_machine_one_sentence_says_what_is_missing(package: Package) -> None:
    """Without stand-ins: whichever of GPU, driver and packages is not here."""
    import subprocess
    import sys

    words = [sys.executable, "-m", "onscope.cli", "build", str(package.folder), "--provider", "tensorrt"]
    answer = subprocess.run(words, capture_output=True, text=True, timeout=60)
    if answer.returncode == 0:
        pytest.skip("this machine has all of it")
    assert answer.stdout.strip() == ""
    assert answer.stderr.startswith("error: found ")
    assert answer.stderr.strip().count("\n") == 0


@pytest.mark.long
def test_all_sizes_of_a_pipeline_are_built_and_no_other_is_run(
    onscope: Onscope, package: Package, tmp_path: Path
) -> None:
    pipeline = tmp_path / "pipeline.yaml"
    pipeline.write_text(
        f"schema: 1\nstages:\n  plus: {{package: {package.folder}}}\nshapes: [24x40, 48x40]\n", encoding="utf-8"
    )
    built = onscope("build", pipeline)
    assert built.returncode == 0, built.stderr
    assert built.stdout.count("1 engine ready") == 2
    again = onscope("build", pipeline, "--shape", "24x40", "--shape", "48x40")
    assert again.stdout.count("was built before") == 2
    for size, code in (((3, 48, 40), 0), ((3, 16, 40), 1)):
        tifffile.imwrite(tmp_path / "frames.tif", np.zeros(size, np.uint16))
        ran = onscope(
            "run", pipeline, "--source", f"replay:{tmp_path / 'frames.tif'}", "--provider", "tensorrt",
            "--out", tmp_path / "run", "--overwrite",
        )  # fmt: skip
        assert ran.returncode == code, ran.stderr
    assert "found frames of 16x40, expected one of the sizes 24x40, 48x40" in ran.stderr
