"""Frames of steered acquisitions as they reach a runtime: where they stand, what they are called, what they are of."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from onscope.drivers import specimen
from onscope.drivers.micromanager.acquisition import AcquisitionController, MdaController, Routine, plain
from onscope.drivers.micromanager.control import CoreController, calibration_of
from onscope.runtime import Frame, Pipeline, Runtime, Stage, block
from onscope.runtime.feedback import Action, Burst, MoveStage, SetExposure, Stack, Visit
from tests.drivers.specimens import QUICK, one_bead
from tests.models import plus_one

ASKED: list[Action] = [
    Burst(3),
    Stack(3, 1.0),
    Visit(((40.0, 40.0), (45.0, 40.0)), channel="DAPI"),
    MoveStage(60.0, 55.0),
    SetExposure(6.0),
]
ROUTINE = plain(channels=["FITC"], exposure_ms=4.0, rounds=5)
HERE, THERE = (50.0, 50.0, 0.0), (60.0, 55.0, 0.0)
EXPECTED = [
    ("stack 2", {"t": 0, "c": 0, "z": 0}, (50.0, 50.0, -1.0), "FITC", 4.0),
    ("stack 2", {"t": 0, "c": 0, "z": 1}, (50.0, 50.0, 0.0), "FITC", 4.0),
    ("stack 2", {"t": 0, "c": 0, "z": 2}, (50.0, 50.0, 1.0), "FITC", 4.0),
    ("visit 3 tile 0", {"t": 0, "c": 1}, (40.0, 40.0, 0.0), "DAPI", 4.0),
    ("visit 3 tile 1", {"t": 0, "c": 1}, (45.0, 40.0, 0.0), "DAPI", 4.0),
]


@pytest.fixture
def scope() -> Iterator[specimen.SpecimenScope]:
    with specimen.open(one_bead(), hardware=QUICK, buffer_mb=16, clock=specimen.PatientClock()) as scope:
        yield scope


def hands(scope: specimen.SpecimenScope) -> CoreController:
    return CoreController(scope, calibration_of(scope), clock=scope.bench.clock)


def by_pymmcore_plus(scope: specimen.SpecimenScope, runtime: Runtime, folder: Path, routine: Routine) -> None:
    controller = MdaController(scope.mmc, routine, hands=hands(scope))
    first = True

    def seen(*_: object) -> None:
        nonlocal first
        if first:
            first = False
            for action in ASKED:
                controller.apply(action)

    scope.mmc.mda.events.frameReady.connect(seen)
    with runtime.attach(scope.mmc):
        controller.run()
    scope.mmc.mda.events.frameReady.disconnect(seen)


def by_pycro_manager(scope: specimen.SpecimenScope, runtime: Runtime, folder: Path, routine: Routine) -> None:
    from pycromanager import Acquisition

    controller = AcquisitionController(scope.core, routine, hands=hands(scope), depth=1)
    first = True

    def seen(image: Any, tags: Any) -> Any:
        nonlocal first
        if first:
            first = False
            for action in ASKED:
                controller.apply(action)
        return runtime.image_process_fn(image, tags)

    with Acquisition(
        str(folder), "a", image_process_fn=seen, notification_callback_fn=controller.notified
    ) as acquisition:
        controller.run(acquisition)


@pytest.mark.parametrize("acquire", [by_pymmcore_plus, by_pycro_manager])
def test_frames_of_actions_say_what_they_are_of(scope: specimen.SpecimenScope, tmp_path: Path, acquire: Any) -> None:
    pipeline = Pipeline([Stage("plus", plus_one(tmp_path / "model"))])
    with Runtime(pipeline, admission=block(20)) as runtime:
        results = runtime.subscribe(block(20))
        acquire(scope, runtime, tmp_path / "data", ROUTINE)
        assert runtime.drain(60)
        taken = [result for _ in range(13) if (result := results.take(10))]
    assert runtime.ledger.counts["done"] == 13
    assert all(np.array_equal(result["plus"], result.frame.pixels + 1) for result in taken)
    frames = [result.frame for result in taken]
    routine = [frame for frame in frames if "p" not in frame.labels]
    assert [frame.index["t"] for frame in routine] == [0, 1, 2, 3, 4]
    assert [told(frame)[2:] for frame in routine] == [(HERE, "FITC", 4.0), *[(THERE, "FITC", 6.0)] * 4]
    others = [told(frame) for frame in frames if "p" in frame.labels]
    burst = [("burst 1", {"t": t, "c": 0}, HERE, "FITC", 4.0) for t in range(3)]
    assert others == burst + EXPECTED
    places = [frame.index["p"] for frame in frames if "p" in frame.labels]
    assert places == [0, 0, 0, 1, 1, 1, 2, 3]


def told(frame: Frame) -> tuple[str, dict[str, int], tuple[float, ...] | None, str, float | None]:
    """Name of its place, its index without the place, stage, channel, exposure."""
    index = {axis: number for axis, number in frame.index.items() if axis != "p"}
    return frame.labels.get("p", ""), index, frame.stage_um, frame.labels["c"], frame.exposure_ms
