"""The stand-ins for `tensorrt` and cuda-bindings, put where Python finds them, in this process or in a child."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from onscope.runtime import Package
from onscope.runtime.engines import _select

from .. import models

STANDIN = Path(__file__).with_name("standin")
GENERATIONS = ("10.16.1.11", "11.4.0.106")
Onscope = Callable[..., subprocess.CompletedProcess[str]]
Build = Callable[..., tuple[int, str, str]]
"""Exit code, and what went to standard output and to standard error."""


@pytest.fixture(params=GENERATIONS)
def tensorrt(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Both generations of the stand-in, one after the other; the version."""
    yield from standing_in(request.param, monkeypatch)


@pytest.fixture
def tensorrt10(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The stand-in of one generation, for what does not depend on it."""
    yield from standing_in(GENERATIONS[0], monkeypatch)


def standing_in(version: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("STANDIN_TENSORRT", version)
    monkeypatch.syspath_prepend(str(STANDIN))
    _forget()
    yield version
    _forget()


def _forget() -> None:
    for name in [name for name in sys.modules if name.split(".")[0] in ("tensorrt", "cuda")]:
        del sys.modules[name]
    _select.probe.cache_clear()


@pytest.fixture
def build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Build:
    """`onscope build` in this process, where one of the stand-ins is, with a cache of its own."""
    from onscope.cli import main

    def run(*words: object) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as end:
            main(["build", *map(str, words)])
        return int(end.value.code or 0), *capfd.readouterr()

    monkeypatch.setenv("ONSCOPE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("COLUMNS", "300")
    return run


@pytest.fixture
def onscope(tmp_path: Path) -> Onscope:
    """The command line in a process of its own, with the stand-ins and a cache of its own."""

    def run(*words: object, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command(*words), capture_output=True, text=True, timeout=120, env=child(tmp_path, environment)
        )

    return run


def command(*words: object) -> list[str]:
    return [sys.executable, "-m", "onscope.cli", *map(str, words)]


def child(folder: Path, environment: dict[str, Any]) -> dict[str, str]:
    path = os.pathsep.join(filter(None, (str(STANDIN), os.environ.get("PYTHONPATH"))))
    return {**os.environ, "PYTHONPATH": path, "ONSCOPE_CACHE": str(folder / "cache"), "COLUMNS": "300", **environment}


@pytest.fixture
def package(tmp_path: Path) -> Package:
    """image = frame + 1, in uint16."""
    return models.plus_one(tmp_path / "plus")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """For the packages of the engines' suite."""
    return tmp_path
