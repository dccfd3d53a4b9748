"""The order of hardware commands, and the stage that walks between frames."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from onscope.drivers import micromanager


@pytest.fixture
def scope() -> Iterator[micromanager.Scope]:
    with micromanager.demo(size=128, buffer_mb=4) as scope:
        yield scope


class Spy:
    """The real core, with the commands that were sent to it in the order they were sent."""

    WATCHED = ("set_", "start_", "stop_", "pop_")

    def __init__(self, core: Any) -> None:
        self.sent: list[str] = []
        self._core = core

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._core, name)
        if not name.startswith(self.WATCHED):
            return method

        def command(*args: Any) -> Any:
            self.sent.append(name)
            return method(*args)

        return command


def test_commands_of_an_endless_sequence_are_in_order(scope: micromanager.Scope) -> None:
    spy = Spy(scope.core)
    frames = micromanager.Scope(spy).live(exposure_ms=2.0, buffer_mb=8).frames()
    assert spy.sent == []
    next(frames)
    next(frames)
    frames.close()
    assert spy.sent == [
        "set_circular_buffer_memory_footprint",
        "set_exposure",
        "start_continuous_sequence_acquisition",
        "pop_next_tagged_image",
        "pop_next_tagged_image",
        "stop_sequence_acquisition",
    ]
    assert not scope.core.is_sequence_running()


def test_commands_of_a_finite_sequence_are_in_order(scope: micromanager.Scope) -> None:
    spy = Spy(scope.core)
    list(micromanager.Scope(spy).live(exposure_ms=2.0).frames(2))
    assert spy.sent == [
        "set_exposure",
        "start_sequence_acquisition",
        "pop_next_tagged_image",
        "pop_next_tagged_image",
        "stop_sequence_acquisition",
    ]


def test_the_stage_walks_between_frames_and_goes_back(scope: micromanager.Scope) -> None:
    spy = Spy(scope.core)
    spied = micromanager.Scope(spy)
    walk = micromanager.StageWalk(spied.live(exposure_ms=2.0), spied, seed=3, step_um=1.0)

    def walked() -> list[Any]:
        places = []
        for frame in walk.frames(3):
            places.append(frame.stage_um)
            scope.wait_stage()  # a stage on its way would keep its next step waiting
        return places

    places = walked()
    assert spy.sent == [
        "set_exposure",
        "start_sequence_acquisition",
        "pop_next_tagged_image",
        "set_relative_xy_position",
        "pop_next_tagged_image",
        "set_relative_xy_position",
        "pop_next_tagged_image",
        "set_relative_xy_position",
        "stop_sequence_acquisition",
        "set_relative_xy_position",
    ]
    assert len(set(places)) == 3
    x, y, _ = scope.read_stage() or (None, None, None)
    assert (x, y) == pytest.approx((0.0, 0.0), abs=0.02)  # the demo stage knows multiples of 0.015 um
    np.testing.assert_allclose(np.array(walked()), np.array(places), atol=0.02)  # seeded


def test_a_walk_stays_in_its_range(scope: micromanager.Scope) -> None:
    walk = micromanager.StageWalk(scope.live(exposure_ms=1.0), scope, step_um=1.0, range_um=1.5)
    places = np.array([frame.stage_um for frame in walk.frames(60)])
    assert np.abs(places).max() <= 1.5 + 1e-6
    assert np.abs(np.diff(places, axis=0)).max() <= 1.0 + 1e-6
    assert places[:, 0].std() > 0.1
