"""Pipelines and runtimes for tests of the live path."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from mm_test_adapters import device_adapter_path
from pymmcore_plus import CMMCorePlus

from onscope.runtime import Event, Pipeline, Runtime
from tests import models

WORKERS = ["process", "thread", pytest.param("box", marks=pytest.mark.slow)]


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("packages")


@pytest.fixture
def pipeline(folder: Path) -> Pipeline:
    return models.pipeline(folder)


@pytest.fixture
def events() -> list[Event]:
    return []


@pytest.fixture
def runtime(
    pipeline: Pipeline, events: list[Event], request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., Runtime]]:
    """Makes prepared runtimes, and closes them. `worker="box"`: in a process that a box keeps."""
    with ExitStack() as stack:

        def make(over: Pipeline = pipeline, spec: Any = models.SPEC, **more: Any) -> Runtime:
            if more.get("worker") == "box":
                provider, _, folder = more.get("provider", "cpu").partition(",state=")
                more |= {"worker": request.getfixturevalue("box_address"), "provider": provider}
                monkeypatch.setenv("ONSCOPE_SCRIPTED_STATE", folder)
            made = stack.enter_context(Runtime(over, on_event=events.append, **{"worker": "thread", **more}))
            if spec is not None:
                made.prepare(spec)
            return made

        yield make


@pytest.fixture
def core() -> Iterator[CMMCorePlus]:
    """pymmcore-plus with the demo devices, and small frames."""
    made = CMMCorePlus()
    made.loadSystemConfiguration(Path(device_adapter_path(), "MMConfig_demo.cfg"))
    made.setROI(0, 0, 64, 48)
    yield made
    made.unloadAllDevices()
