"""`onscope engines`: what was built is listed, and removed by age, size and fit."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onscope.runtime import Package
from onscope.runtime.engines import KeptEngine, to_prune

from .conftest import Onscope, child

Engines = Callable[..., subprocess.CompletedProcess[str]]
CALL = "from onscope.cli._app import _as_command; from onscope.cli._engines import engines; _as_command('e', engines)()"


@pytest.fixture
def engines(tmp_path: Path) -> Engines:
    """`onscope engines` in a process of its own, with the stand-ins."""

    def run(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        line = [sys.executable, "-c", CALL, *words]
        return subprocess.run(line, capture_output=True, text=True, timeout=120, env=child(tmp_path, environment))

    return run


@pytest.fixture
def two(onscope: Onscope, package: Package, engines: Engines) -> list[dict[str, Any]]:
    """Engines for two frame sizes, as the list tells them; the smaller frames' was used longest ago."""
    for size in ("24x40", "48x40"):
        assert onscope("build", package.folder, "--shape", size).returncode == 0
    found = listed(engines("list", "--json"))
    old = next(Path(each["path"]) for each in found if "24x40" in each["made_for"]["inputs"])
    os.utime(old.with_suffix(".json"), (1e9, 1e9))
    return found


def listed(done: subprocess.CompletedProcess[str]) -> list[dict[str, Any]]:
    assert done.returncode == 0, done.stderr
    made: list[dict[str, Any]] = json.loads(done.stdout)
    return made


@pytest.mark.long
def test_what_was_built_is_listed(two: list[dict[str, Any]], engines: Engines) -> None:
    assert [each["stages"] for each in two] == [["plus"], ["plus"]]
    assert [each["why_not"] for each in two] == ["", ""]
    told = engines("list").stdout
    for words in ("engines: 2", "plus", "24x40 uint16", "Stand-in GPU", "days ago", "fits", "yes"):
        assert words in told


@pytest.mark.long
def test_what_fits_no_more_is_said_and_goes(two: list[dict[str, Any]], engines: Engines) -> None:
    (first, _) = listed(engines("list", "--json", STANDIN_DRIVER="999.1"))
    assert first["why_not"].startswith("it is for the driver CUDA 13.0, here is 999.1, CUDA 13.0")
    assert not listed(engines("prune", "--unfit", "--json"))
    assert len(listed(engines("prune", "--unfit", "--dry-run", "--json", STANDIN_DRIVER="999.1"))) == 2
    assert all(Path(each["path"]).exists() for each in two)
    assert "removed: 2" in engines("prune", "--unfit", STANDIN_DRIVER="999.1").stdout
    assert not listed(engines("list", "--json"))


@pytest.mark.long
def test_old_ones_and_what_is_too_much_goes(two: list[dict[str, Any]], engines: Engines) -> None:
    (old,) = listed(engines("prune", "--older-than", "1", "--dry-run", "--json"))
    assert "24x40" in old["made_for"]["inputs"]
    both = sum(each["size_bytes"] for each in two) / 1e6
    assert not listed(engines("prune", "--largest", str(both + 1), "--json"))
    (gone,) = listed(engines("prune", "--largest", str(both - 1e-6), "--json"))
    assert gone == old
    assert not Path(gone["path"]).exists()
    (left,) = listed(engines("list", "--json"))
    assert "48x40" in left["made_for"]["inputs"]


def test_one_must_say_which(engines: Engines) -> None:
    done = engines("prune")
    assert done.returncode != 0
    assert "--older-than, --largest or --unfit" in done.stderr


KEPT = st.builds(
    KeptEngine,
    path=st.integers(0, 10**6).map(lambda n: Path(f"{n}.engine")),
    made_for=st.just({}),
    size_bytes=st.integers(0, 10**9),
    used_s=st.floats(0, 1e9),
    stages=st.just(()),
    why_not=st.sampled_from(["", "it is for another"]),
)


@given(st.lists(KEPT, max_size=8, unique_by=lambda engine: engine.path), st.integers(0, 10**9), st.booleans())
def test_what_is_left_is_small_enough_and_the_newest(engines: Sequence[KeptEngine], most: int, unfit: bool) -> None:
    goes = to_prune(engines, older_than_s=None, largest_bytes=most, unfit=unfit)
    left = [engine for engine in engines if engine not in goes]
    assert sum(engine.size_bytes for engine in left) <= most
    assert not (unfit and any(engine.why_not for engine in left))
    oldest = min((engine.used_s for engine in left), default=0)
    assert all(engine.used_s <= oldest or (unfit and engine.why_not) for engine in goes) or not left
