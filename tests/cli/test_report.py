"""`onscope report`: a page is written, and what is wrong is said in one sentence."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from onscope.cli._report import report

from .conftest import Call


def said_by(*words: object) -> Result:
    app = typer.Typer(add_completion=False)
    app.command("report")(report)
    return CliRunner().invoke(app, [str(word) for word in words])


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("report") / "run"


@pytest.mark.long
def test_the_page_of_a_run(call: Call, recorded: Path, pipeline_file: Path, stack: Path, tmp_path: Path) -> None:
    ran = call("run", pipeline_file, "--source", f"replay:{stack}", "--worker", "thread", "--out", recorded)
    assert ran.code == 0, ran.err
    said = said_by(recorded)
    assert said.exit_code == 0, said.output
    page = recorded.with_name("run-report.html")
    assert f"{page}: the report, " in said.output
    text = page.read_text(encoding="utf-8")
    assert text.startswith("<!doctype html>")
    assert "double, 2x as many pixels" in text
    assert "found: 8, on plus" in text

    damaged = tmp_path / "damaged"
    shutil.copytree(recorded, damaged)
    (damaged / "ledger.csv").write_text("nonsense")
    said = said_by(damaged / "raw.ome.zarr", "--out", tmp_path / "page.html")
    assert said.exit_code == 0, said.output
    assert "faults in its files: onscope verify tells all" in said.output
    assert (tmp_path / "page.html").exists()
    assert "The files were not checked" in _text(damaged, tmp_path / "unchecked.html")


def _text(folder: Path, out: Path) -> str:
    assert said_by(folder, "--out", out, "--no-check").exit_code == 0
    return out.read_text(encoding="utf-8")


def test_no_recording_is_exit_code_2(tmp_path: Path) -> None:
    said = said_by(tmp_path, "--out", tmp_path / "page.html")
    assert said.exit_code == 2
    assert not (tmp_path / "page.html").exists()


def test_a_page_that_cannot_be_written_is_exit_code_1(
    call: Call, pipeline_file: Path, stack: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "run"
    assert call("run", pipeline_file, "--source", f"replay:{stack}", "--worker", "thread", "--out", folder).code == 0
    assert said_by(folder, "--out", tmp_path / "page.txt").exit_code == 1
