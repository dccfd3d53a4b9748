"""A core of pymmcore-plus with the demo devices, whose stage, turret and exposures can be sequenced."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from mm_test_adapters import device_adapter_path
from pymmcore_plus import CMMCorePlus

from onscope.runtime import Event, Gather, Pipeline, Runtime, Stage, block
from tests import models

SEQUENCED = (("Camera", "UseExposureSequences", "Yes"), ("Z", "UseSequences", "Yes"))


class Core(CMMCorePlus):
    """pymmcore-plus asks for images, then whether the sequence runs, and gives up one that came in between; this one
    runs until all were taken."""

    def isSequenceRunning(self, *camera: str) -> bool:
        return super().isSequenceRunning(*camera) or (not camera and self.getRemainingImageCount() > 0)


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("packages")


@pytest.fixture
def events() -> list[Event]:
    return []


@pytest.fixture
def core() -> Iterator[CMMCorePlus]:
    made = Core()
    made.loadSystemConfiguration(Path(device_adapter_path(), "MMConfig_demo.cfg"))
    made.setProperty("Camera", "Mode", "Noise")  # no two images are equal
    made.setProperty("Camera", "PixelType", "16bit")
    for device, name, value in SEQUENCED:
        made.setProperty(device, name, value)
    # The turret of the objectives is to be no more than a device with a sequence.
    for config in made.getAvailablePixelSizeConfigs():
        made.deletePixelSizeConfig(config)
    made.setROI(0, 0, 64, 48)
    made.setExposure(2)
    yield made
    made.unloadAllDevices()


@pytest.fixture
def runtime(folder: Path, events: list[Event]) -> Iterator[Callable[..., Runtime]]:
    """Makes runtimes, and closes them: images with 1 added, or means of windows along an axis."""
    with ExitStack() as stack:

        def make(along: Any = None, length: int = 3, **more: Any) -> Runtime:
            if along is None:
                pipeline = Pipeline([Stage("plus", models.plus_one(folder / "plus"))])
            else:
                mean = models.window_mean(folder / f"mean{length}", length)
                pipeline = Pipeline([Stage("mean", mean)], Gather(length, along=along))
            options = {"worker": "thread", "admission": block(8), "on_event": events.append, **more}
            return stack.enter_context(Runtime(pipeline, **options))

        yield make
