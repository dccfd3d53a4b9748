"""`onscope reduce` as it is typed, and what other commands say of variants."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
import typer
from typer.testing import CliRunner

from onscope.cli._app import app
from onscope.cli._checks import _packages
from onscope.export.precision.cli import reduce
from onscope.runtime import ExportError, Package

from .test_precision import frames, packaged

ENVIRONMENT = {"COLUMNS": "160", "TERM": "dumb"}
command = typer.Typer()
command.command("reduce")(reduce)


def run(*words: object) -> Any:
    return CliRunner().invoke(command, [str(word) for word in words], env=ENVIRONMENT)


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return packaged(tmp_path_factory.mktemp("typed") / "residual")


@pytest.fixture(scope="module")
def reduced(package: Path) -> tuple[Path, Any]:
    """A package with an int8 variant, from a stack of frames, and what was printed."""
    stack, out = package.with_name("stack.tif"), package.with_name("reduced")
    tifffile.imwrite(stack, np.stack(frames(6)), photometric="minisblack", metadata={"axes": "TYX"})
    return out, run(package, "--precision", "int8", "--frames", stack, "-o", out)


def test_the_command_is_registered() -> None:
    project = tomllib.loads(Path(__file__).parents[2].joinpath("pyproject.toml").read_text())
    assert project["project"]["entry-points"]["onscope.commands"]["reduce"] == f"{reduce.__module__}:reduce"


@pytest.mark.long
def test_it_shows_what_it_does_and_what_came_of_it(reduced: tuple[Path, Any]) -> None:
    out, done = reduced
    assert done.exit_code == 0, done.output
    assert "of what the network changes" in done.stdout
    assert "times as fast" in done.stdout
    assert str(out) in done.stdout.replace("\n", "")
    for step in ("reading the frames", "running the float weights", "int8: reducing all layers", "measuring speeds"):
        assert step in done.stderr
    variant = Package.load(out).variants["int8"]
    assert variant.passes
    chosen = "int8" if variant.speeds["cpu"].ratio >= 1.05 else "float32"
    assert f"a stage with `precision: auto` runs {chosen} on cpu here" in done.stdout
    assert variant.report["calibration"]["source"] == "stack.tif"


def test_json_and_a_failure_that_is_told_by_the_exit_code(package: Path, tmp_path: Path) -> None:
    words = ("--limit", "1e-4", "--search-s", "1", "-o", tmp_path / "failed", "--json")
    done = run(package, "--precision", "int8", *words)
    assert done.exit_code == 1
    report = json.loads(done.stdout)["variants"]["int8"]
    assert report["passes"] is False
    assert report["errors"][0]["limit"] == 1e-4
    assert not Package.load(tmp_path / "failed").variants["int8"].passes


def test_shipped_packages_are_not_written_into() -> None:
    done = run("zoo/care-beads", "--precision", "int8")
    assert isinstance(done.exception, ExportError)
    assert "add -o FOLDER" in str(done.exception)


def test_other_commands_name_the_precision(
    reduced: tuple[Path, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline = reduced[0].with_name("pipeline.yaml")
    pipeline.write_text("schema: 1\nstages:\n  clean: {package: reduced, precision: int8}\n")
    monkeypatch.setenv("ONSCOPE_CACHE", str(tmp_path))
    done = CliRunner().invoke(
        app, ["compile", str(pipeline), "--size", "48x41", "--provider", "cpu", "--threads", "1"], env=ENVIRONMENT
    )
    assert done.exit_code == 0, done.output
    sha256 = Package.load(reduced[0]).variants["int8"].sha256
    assert f"clean: int8, weights with the sha256 {sha256[:12]}" in done.stdout
    done = CliRunner().invoke(
        app, ["validate", str(reduced[0]), "--size", "48x41", "--runs", "3", "--provider", "cpu"], env=ENVIRONMENT
    )
    assert done.exit_code == 0, done.output
    variant = Package.load(reduced[0]).variants["int8"]
    ratio = variant.speeds["cpu"].ratio
    assert f"int8    passed; {ratio:.2f} times as fast on cpu" in done.stdout
    chosen = "int8" if ratio >= 1.05 else "float32"
    assert f"a stage with `precision: auto` runs {chosen} here" in done.stdout
    monkeypatch.setattr("onscope.export.zoo.PACKAGES", reduced[0].parent)
    (zoo,) = (finding for finding in _packages() if finding.name == "packages zoo")
    assert "reduced (int8)" in zoo.found
