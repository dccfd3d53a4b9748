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
def runtime(pipeline: Pipeline, events: list[Event]) -> Iterator[Callable[..., Runtime]]:
    """Makes prepared runtimes, and closes them."""
    with ExitStack() as stack:

        def make(over: Pipeline = pipeline, spec: Any = models.SPEC, **more: Any) -> Runtime:
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
