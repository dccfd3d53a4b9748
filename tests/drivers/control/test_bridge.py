"""The same controller over the bridge of a Java Micro-Manager: casts, vectors and arrays are its differences."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from onscope.drivers import micromanager
from onscope.drivers.micromanager._java_core import plain
from onscope.drivers.micromanager.control import Calibration, CoreController, Line, Stages
from onscope.runtime.feedback import Burst, MoveFocus, MoveStage, Pulse, SetExposure, SetPreset, Stack

from ..test_java_core import Studio
from .rigs import Taker


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    studio = Studio(tmp_path_factory.mktemp("studio"))
    yield studio
    studio.kill()


def test_actions_go_over_the_bridge(studio: Studio, tmp_path: Path) -> None:
    lines = {"led": Line("White Light Shutter", "State", most_ms=100.0)}
    calibration = Calibration(stages=Stages((-500.0, 500.0), (-500.0, 500.0), (-50.0, 50.0)), lines=lines)
    with micromanager.connect(studio.port) as scope:
        controller = CoreController(scope, calibration)
        assert "FITC" in controller.limits().presets["Channel"]
        taker = Taker(controller.live(exposure_ms=30.0))
        taker.until(2)
        controller.apply(MoveStage(np.float64(120.0), np.float32(-40.0)))  # type: ignore[arg-type]
        controller.apply(MoveFocus(np.float64(3.0)))
        controller.apply(SetPreset("Channel", "FITC"))
        controller.apply(SetExposure(7.0))
        controller.apply(Pulse("led", 5.0))
        controller.apply(Burst(3))
        controller.apply(Stack(3, 1.0))
        taker.more(2)
        assert (scope.core.get_x_position(), scope.core.get_y_position()) == pytest.approx((120.0, -40.0), abs=0.1)
        assert scope.core.get_position() == pytest.approx(3.0, abs=0.1)
        setting = controller.setting()
        assert (setting.channel, setting.exposure_ms, setting.shape) == ("FITC", 7.0, (128, 128))
        controller.safe()
        taker.joined()
        assert not scope.core.is_sequence_running()
        # Routine frames may be lost over the bridge of a busy machine, which their numbers tell; those of actions not.
        told = [(frame.labels["action"], *frame.id[2:]) for frame in taker.frames if "action" in frame.labels]
        burst, stack = told[0][1], told[-1][1]
        assert told == [*(("burst", burst, number) for number in range(3)), *(("stack", stack, n) for n in range(3))]
        segments = [frame.id.segment for frame in taker.frames]
        assert segments == sorted(segments)
        assert segments[0] < burst < stack < segments[-1]


def test_images_of_an_slm_stay_arrays_and_are_flat() -> None:
    image = np.zeros((3, 4), np.uint8)
    assert plain(image).shape == (12,)
    assert plain(np.bool_(True)) is True
    assert isinstance(plain(np.float32(1.5)), float)
