"""`onscope doctor` on this machine, which can run networks."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from onscope.cli import _checks
from onscope.cli._checks import Finding, can_run

from .conftest import Call


def test_it_finds_what_the_tests_need(call: Call) -> None:
    said = call("doctor")
    assert said.code == 0, said.out
    for words in ("engine cpu", "ran a 3x3 mean", "DemoCamera", "onnxruntime"):
        assert words in said.out


@pytest.mark.long
def test_two_onnxruntimes_are_noticed(tmp_path: Path) -> None:
    wheel = tmp_path / "onnxruntime_gpu-1.31.1.dist-info"
    wheel.mkdir()
    (wheel / "METADATA").write_text("Metadata-Version: 2.1\nName: onnxruntime-gpu\nVersion: 1.31.1\n")
    said = subprocess.run(
        [sys.executable, "-m", "onscope.cli", "doctor"],
        env={**os.environ, "PYTHONPATH": str(tmp_path), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "onnxruntime and onnxruntime-gpu, which overwrite each other" in said.stdout


def test_an_engine_for_tests_alone_is_not_enough() -> None:
    assert not can_run([Finding("engine cpu", "missing", "no"), Finding("engines for tests", "good", "null, oracle")])
    assert can_run([Finding("engine cpu", "good", "ran")])


@pytest.mark.parametrize(
    ("module", "state", "words"),
    [
        ("onscope.drivers.specimen", "good", "can be mounted"),
        ("onscope.drivers.nowhere", "missing", "No module named 'onscope.drivers.nowhere'"),
    ],
)
def test_the_specimens_driver_says_itself_what_it_lacks(
    monkeypatch: pytest.MonkeyPatch, module: str, state: str, words: str
) -> None:
    point = EntryPoint("specimen", f"{module}:source", "onscope.drivers")
    monkeypatch.setattr(_checks, "entry_points", lambda **_: [point])
    (finding,) = _checks._specimen()
    assert (finding.name, finding.state) == ("specimen", state)
    assert words in finding.found
