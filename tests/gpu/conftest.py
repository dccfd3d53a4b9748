"""The stand-in for cuda-bindings, sessions on it whose kernels are NumPy, and engines as pyproject.toml names them."""

from __future__ import annotations

import gc
import tomllib
from collections.abc import Iterator
from importlib.metadata import EntryPoint, EntryPoints
from pathlib import Path

import pytest

from onscope.runtime import _plugins

from ..tensorrt.conftest import GENERATIONS, standing_in

PROJECT = Path(__file__).parents[2] / "pyproject.toml"


@pytest.fixture
def cuda(monkeypatch: pytest.MonkeyPatch) -> Iterator[object]:
    """The stand-in's runtime. At the end nothing may be left of what was taken, nor anything written that was given
    back."""
    for _ in standing_in(GENERATIONS[0], monkeypatch):
        from cuda.bindings import _memory, _work, runtime

        yield runtime
        gc.collect()
        assert not _memory.disturbed()
        assert not _memory.blocks, "memory that was not given back"
        left = {"streams": _work.streams, "events": _work.events, "graphs": _work.graphs, "ready": _work.ready}
        assert not {name: table for name, table in left.items() if table}


@pytest.fixture
def engines(monkeypatch: pytest.MonkeyPatch) -> None:
    """Engines by this checkout's entry points, whichever was installed."""
    group = "onscope.engines"
    named = tomllib.loads(PROJECT.read_text(encoding="utf-8"))["project"]["entry-points"][group]
    points = EntryPoints(EntryPoint(name, value, group) for name, value in named.items())
    real = _plugins._installed
    monkeypatch.setattr(_plugins, "_installed", lambda asked: points if asked == group else real(asked))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """For the packages of the engines' suite."""
    return tmp_path
