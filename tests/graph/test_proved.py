"""A compiled graph is held against the package's own test tensors, its test input as the frame."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, event, given, settings

from onscope.runtime import Package
from onscope.runtime.graph import HostScalars
from onscope.runtime.package import refuse_mismatch
from onscope.runtime.worker import _proof, prove_compiled

from . import oracle
from .generated import Recipe, reproducible, write
from .recipes import recipes
from .run import request

SCALED = Recipe(described="uint16", pre=(("scale_range", {"axes": ["y", "x"], "max_percentile": 99.8}),))


def made(folder: Path, recipe: Recipe) -> Package:
    """A package that gives its own test outputs."""
    write(folder, recipe)
    answers = oracle.staged(folder, {"frame": np.load(folder / "input0.npy")})
    reproducible(folder, recipe, list(answers.values()))
    return Package.load(folder)


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ONSCOPE_CACHE", str(tmp_path_factory.mktemp("cache")))


@settings(max_examples=15, deadline=None)
@given(recipe=recipes())
def test_compiled_graphs_give_the_test_outputs(recipe: Recipe) -> None:
    assume(recipe.network != "instance_norm")
    with tempfile.TemporaryDirectory() as there:
        package = made(Path(there) / "package", recipe)
        proof, unchecked = prove_compiled(package, request(package), "cpu", 1)
        event(unchecked or "compared")
        refuse_mismatch(package, proof, "cpu")
        assert proof or unchecked


@pytest.mark.parametrize("name", ["care-beads", "spots-beads", "espcn-beads"])
def test_shipped_packages_do(name: str) -> None:
    package = Package.load(f"zoo/{name}")
    proof, unchecked = prove_compiled(package, request(package), "cpu", 1)
    assert not unchecked
    assert all(one.passed for one in proof)


def test_a_graph_that_does_not_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The network is right, and what is around it is not: no proof of the bare network would tell."""

    class Brighter(HostScalars):
        def values(self, window: Sequence[Any], keys: Any = None) -> list[Any]:
            return [np.asarray(each * np.float32(1.05)) for each in super().values(window, keys)]

    package = made(tmp_path / "package", SCALED)
    ((right,), _) = prove_compiled(package, request(package), "cpu", 1)
    assert right.passed
    assert right.max_relative < 1e-5
    monkeypatch.setattr(_proof, "HostScalars", Brighter)
    ((wrong,), _) = prove_compiled(package, request(package), "cpu", 1)
    assert not wrong.passed


def test_what_is_no_frame_is_said(tmp_path: Path) -> None:
    package = made(tmp_path / "halo", replace(SCALED, inner_halo=1))
    assert prove_compiled(package, request(package), "cpu", 1)[1].startswith("frames are padded for the halo")
    bare = replace(package, test_outputs=())
    assert prove_compiled(bare, request(bare), "cpu", 1) == ((), "it has no test tensors")
