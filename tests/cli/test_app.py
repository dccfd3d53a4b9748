"""The command line itself: help without waiting, errors in one sentence, exit codes that tell."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from importlib.metadata import entry_points, version
from pathlib import Path

import pytest

from onscope.cli._app import SUMMARIES

from .conftest import Call

IMPORTS = """
import sys
from onscope.cli import main
try:
    main(["--help"])
finally:
    heavy = {"numpy", "onnx", "onnxruntime", "tensorstore", "pyarrow", "torch", "cv2", "pydantic"} & set(sys.modules)
    print("heavy:", sorted(heavy))
"""


def test_help_lists_every_command_and_imports_nothing_heavy() -> None:
    said = subprocess.run([sys.executable, "-c", IMPORTS], capture_output=True, text=True, check=False)
    assert said.returncode == 0, said.stderr
    for point in entry_points(group="onscope.commands"):
        assert re.search(rf"\b{point.name}\b", said.stdout)
    assert "heavy: []" in said.stdout


def test_every_shipped_command_has_its_line() -> None:
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())
    assert set(project["project"]["entry-points"]["onscope.commands"]) <= set(SUMMARIES)


def test_version(call: Call) -> None:
    assert call("--version") == (0, f"onscope {version('onscope')}\n", "")


@pytest.mark.parametrize("command", ["demo", "run", "doctor"])
def test_each_command_explains_itself(call: Call, command: str) -> None:
    said = call(command, "--help")
    assert said.code == 0
    assert "Exit code" in said.out


def test_a_misspelt_command_is_usage(call: Call) -> None:
    said = call("demmo")
    assert said.code == 2
    assert "Did you mean 'demo'" in said.err


def test_an_option_that_is_none_is_usage(call: Call) -> None:
    assert call("run", "--nonsense").code == 2


def test_every_error_is_one_sentence_on_stderr(call: Call, pipeline_file: Path, stack: Path, tmp_path: Path) -> None:
    good = ("run", pipeline_file, "--source", f"replay:{stack}", "--worker", "thread")
    busy = tmp_path / "busy"
    busy.mkdir()
    (busy / "notes.txt").write_text("mine")
    wrong = [
        ("run", tmp_path / "missing.yaml", "--source", f"replay:{stack}"),
        ("run", pipeline_file, "--source", "telescope:big"),
        ("run", pipeline_file, "--source", f"replay:{tmp_path / 'missing.tif'}"),
        (*good, "--out", busy),
        (*good, "--admission", "maybe:2", "--out", tmp_path / "a"),
        (*good, "--admission", "block:0", "--out", tmp_path / "b"),
        (*good, "--provider", "abacus", "--out", tmp_path / "c"),
        (*good, "--fps", "fast", "--out", tmp_path / "d"),
        ("run", pipeline_file, "--source", f"micromanager:{tmp_path / 'none.cfg'}", "--out", tmp_path / "e"),
    ]
    for words in wrong:
        said = call(*words)
        assert said.code == 1, words
        assert said.err.startswith("error: "), words
        assert said.err.count("\n") == 1, said.err
        assert "Traceback" not in said.out + said.err
    assert [path.name for path in tmp_path.iterdir()] == ["busy"], "what cannot run leaves nothing behind"


@pytest.mark.parametrize("place", ["front", "end"])
def test_debug_shows_the_traceback(pipeline_file: Path, place: str) -> None:
    words = ["run", str(pipeline_file), "--source", "telescope:big"]
    words = ["--debug", *words] if place == "front" else [*words, "--debug"]
    said = subprocess.run([sys.executable, "-m", "onscope.cli", *words], capture_output=True, text=True, check=False)
    assert said.returncode == 1
    assert "Traceback" in said.stderr
    assert "SourceError: found no driver named 'telescope'" in said.stderr
