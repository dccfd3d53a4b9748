"""`--provider auto` where there is a GPU, or what looks like one: what is taken, and what is said of it."""

from __future__ import annotations

import importlib.util
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from onscope.runtime import Event, FrameSpec, Package, Pipeline, Runtime, Stage
from onscope.runtime.engines import has_driver, providers_of
from tests import models

from .conftest import Onscope, child

SPEC = FrameSpec((24, 40), "uint16", camera="camera")
Auto = Callable[..., tuple[Runtime, list[Event]]]

pytestmark = pytest.mark.skipif(os.name != "posix", reason="the stand-in of a driver's library is one of Linux")


@pytest.fixture
def driver(tmp_path: Path) -> dict[str, str]:
    """What has worker processes find a driver: a library of its name, which nobody calls."""
    library = importlib.util.find_spec("_elementtree")
    assert library is not None
    assert library.origin is not None
    (tmp_path / "driver").mkdir()
    shutil.copy(library.origin, tmp_path / "driver" / "libcuda.so.1")
    return {"LD_LIBRARY_PATH": str(tmp_path / "driver")}


@pytest.fixture
def auto(tmp_path: Path, package: Package, driver: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Auto:
    """A runtime on `auto` in a worker process that has the stand-ins, prepared; and what it told."""

    def make(**environment: str) -> tuple[Runtime, list[Event]]:
        for name, value in child(tmp_path, driver | environment).items():
            monkeypatch.setenv(name, value)
        events: list[Event] = []
        made = Runtime(Pipeline([Stage("plus", package)]), on_event=events.append)
        with made:
            made.prepare(SPEC)
            made.submit(models.frame(0, spec=SPEC))
        return made, events

    return make


def taken(made: Runtime) -> str:
    return made.providers["plus"]


def test_a_gpu_for_which_nothing_was_built(auto: Auto) -> None:
    made, events = auto()
    assert taken(made) == "cpu"
    (words,) = [event.message for event in events if event.kind == "warning"]
    assert words.startswith("there is a GPU, and the CPU runs the networks: tensorrt: found no engine for")
    assert "`onscope build PACKAGE --provider tensorrt" in words


@pytest.mark.long
def test_what_was_built_is_taken(auto: Auto, onscope: Onscope, package: Package) -> None:
    assert onscope("build", package.folder, "--shape", "24x40").returncode == 0
    made, events = auto(STANDIN_WRONG_BY="")
    assert taken(made) == "tensorrt"
    assert made.report[0].endswith("as was measured before"), "by `onscope build`"
    assert not [event for event in events if event.bad]
    # Another driver: what was built does not fit any more.
    made, _ = auto(STANDIN_DRIVER="999.1")
    assert taken(made) == "cpu"


@pytest.mark.long
def test_what_answers_something_else_is_left_out(auto: Auto, onscope: Onscope, package: Package) -> None:
    built = onscope("build", package.folder, "--shape", "24x40", "--force", STANDIN_WRONG_BY="9")
    assert "answer something else" in built.stdout
    made, events = auto(STANDIN_WRONG_BY="9")
    assert taken(made) == "cpu"
    (words,) = [event.message for event in events if event.kind == "warning"]
    assert "tensorrt: found answers other than the CPU's, expected the same: plus is wrong by" in words


@pytest.mark.long
def test_what_nobody_has_measured_is_measured_once(
    auto: Auto, onscope: Onscope, package: Package, tmp_path: Path
) -> None:
    assert onscope("build", package.folder, "--shape", "24x40").returncode == 0
    shutil.rmtree(tmp_path / "cache" / "verdicts")
    made, events = auto()
    assert taken(made) == "tensorrt"
    assert any("comparing tensorrt with the CPU" in event.message for event in events)
    made, events = auto()
    assert taken(made) == "tensorrt"
    assert not any("comparing" in event.message for event in events)


def test_without_a_driver_nothing_of_a_gpu_is_looked_for() -> None:
    if has_driver():
        pytest.skip("this machine has a driver")
    assert providers_of("auto") == ("cpu",)
    assert np.all([name == "cpu" for name in providers_of("auto,cpu")])
