"""Rounds of exposures on real cores: what is commanded in which order, and what frames say of themselves."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from onscope.drivers import micromanager, specimen
from onscope.drivers.micromanager._rounds import Rounds, Step
from onscope.runtime import Source, SourceError

from .source_tests import SourceTests
from .specimens import QUICK, one_bead

STACK = tuple(Step(2.0, {"z": z}, z_um=z_um) for z, z_um in enumerate((-1.0, 0.0, 1.0)))
TWO = (
    Step(2.0, {"c": 0, "z": 0}, "FITC", "green", -0.5),
    Step(2.0, {"c": 0, "z": 1}, "FITC", "green", 0.5),
    Step(3.0, {"c": 1, "z": 1}, "TRITC", "red", 0.5),
)


@contextmanager
def scope(**options: Any) -> Iterator[specimen.SpecimenScope]:
    options.setdefault("clock", specimen.PatientClock())
    with specimen.open(one_bead(), hardware=QUICK, buffer_mb=16, **options) as opened:
        yield opened


class TestRounds(SourceTests):
    """Rounds are a source like any other."""

    def make_source(self) -> AbstractContextManager[Source]:
        return self._stack(STACK)

    def make_unknown(self) -> AbstractContextManager[Source]:
        return self._stack(())

    @contextmanager
    def _stack(self, steps: tuple[Step, ...]) -> Iterator[Source]:
        with scope(clock=specimen.RealClock()) as opened:
            yield Rounds(opened, steps)


def test_everything_is_commanded_and_waited_for_before_an_exposure() -> None:
    """Pass: channel, then focus, then light and exposure; nothing that stands already is commanded again."""
    with scope() as opened:
        before = len(opened.bench.journal)
        frames = list(Rounds(opened, TWO).frames(6))
        told = opened.bench.journal[before:]
    seen = [(one.device, one.verb) for one in told if one.device in ("Focus", "Emission", "Camera", "Shutter")]
    shoot = [("Shutter", "open"), ("Camera", "expose"), ("Shutter", "close")]
    move, turn = ("Focus", "move"), ("Emission", "turn")
    a_round = [move, *shoot, move, *shoot, turn, *shoot]
    assert seen == [*a_round, turn, *a_round, turn, move]
    assert [one.value for one in told if one.verb == "move"] == [-0.5, 0.5, -0.5, 0.5, 0.0]
    ready_s = {"Focus": QUICK.z.settle_s, "Emission": QUICK.wheel_s, "Shutter": QUICK.shutter_s}
    for number, one in enumerate(told):
        if one.device in ready_s and one.verb != "close":  # in the devices' own time: nothing is exposed on the way
            exposed_s = [later.at_s for later in told[number:] if later.verb == "expose"][:1]
            assert all(at_s >= one.at_s + ready_s[one.device] - 1e-9 for at_s in exposed_s)
    assert [dict(frame.index) for frame in frames] == [{"t": t, **step.index} for t in (0, 1) for step in TWO]
    assert [frame.labels["c"] for frame in frames] == ["green", "green", "red"] * 2
    assert [frame.exposure_ms for frame in frames] == [2.0, 2.0, 3.0] * 2
    assert [frame.stage_um for frame in frames] == [(50.0, 50.0, step.z_um) for step in TWO] * 2
    assert [frame.id[2:] for frame in frames] == [(0, seq) for seq in range(6)]


def test_frames_are_exposed_where_they_say() -> None:
    """Pass: the camera's own tags have the plane and the exposure; the bead is brightest in its plane."""
    with scope() as opened:
        rounds, tags = Rounds(opened, STACK), []
        rounds.tell = lambda who, told: tags.append((who, dict(told)))
        frames = list(rounds.frames(3))
    assert [float(told["ViewZ_um"]) for _, told in tags] == [-1.0, 0.0, 1.0]
    assert [who for who, _ in tags] == [frame.id for frame in frames]
    peaks = [int(frame.pixels.max()) for frame in frames]
    assert peaks[1] > 1.5 * max(peaks[0], peaks[2])


def test_the_microscope_stands_as_before_whatever_ends_it() -> None:
    with scope() as opened:
        opened.mmc.setConfig("Channel", "DAPI")
        opened.mmc.setPosition(7.0)
        rounds = Rounds(opened, TWO)
        frames = rounds.frames()
        for _ in range(3):
            next(frames)
        with pytest.raises(SourceError, match=r"found frames\(\) in use"):
            next(rounds.frames(1))
        frames.close()
        assert opened.mmc.getCurrentConfig("Channel") == "DAPI"
        assert opened.core.get_position() == 7.0
        assert not opened.core.is_sequence_running()


def test_what_is_called_between_rounds_is_called_once_a_round() -> None:
    with scope() as opened:
        called: list[int] = []
        rounds = Rounds(opened, STACK, between=lambda: called.append(len(opened.bench.journal)))
        assert [frame.index["t"] for frame in rounds.frames(7)] == [0, 0, 0, 1, 1, 1, 2]
        assert len(called) == 2


def test_a_change_of_the_camera_opens_a_segment() -> None:
    with scope() as opened:
        frames = Rounds(opened, STACK).frames(5)
        first = [next(frames) for _ in range(2)]
        opened.set_roi(8, 8, 32, 16)
        rest = list(frames)
    assert [frame.pixels.shape for frame in [*first, *rest]] == [(64, 64)] * 2 + [(16, 32)] * 3
    assert [frame.id[2:] for frame in [*first, *rest]] == [(0, 0), (0, 1), (1, 0), (1, 1), (1, 2)]
    assert len({frame.id.run for frame in [*first, *rest]}) == 1


@pytest.mark.parametrize(
    ("step", "said"),
    [
        (Step(2.0, preset="Ultraviolet"), "found that Channel refused preset Ultraviolet"),
        (Step(2.0, z_um=9_000.0), "found that Focus refused move 9000"),
        (Step(99_000.0), "found an exposure of 99000 ms"),
    ],
)
def test_what_the_hardware_refuses_is_said(step: Step, said: str) -> None:
    with scope() as opened:
        with pytest.raises(SourceError, match=said):
            list(Rounds(opened, (STACK[1], step)).frames(4))
        assert len(list(Rounds(opened, STACK).frames(3))) == 3  # and it goes on with what it can


def test_a_camera_that_someone_else_runs_is_left_alone() -> None:
    with scope() as opened:
        opened.core.start_continuous_sequence_acquisition(0.0)
        with pytest.raises(SourceError, match="already running a sequence"):
            next(Rounds(opened, STACK).frames(1))
        opened.core.stop_sequence_acquisition()
        rounds = Rounds(opened, STACK)
    with pytest.raises(SourceError, match="found the scope closed"):
        next(rounds.frames(1))


def test_a_stack_of_micro_managers_own_demo_devices() -> None:
    """Pass: on the C++ core and its demo stage and channels, each exposure stands where it should."""
    steps = (
        Step(2.0, {"c": 0, "z": 0}, "FITC", "FITC", -3.0),
        Step(2.0, {"c": 0, "z": 1}, "FITC", "FITC", 3.0),
        Step(4.0, {"c": 1, "z": 1}, "Rhodamine", "Rhodamine", 3.0),
    )
    with micromanager.demo(size=64, buffer_mb=4) as opened:
        core: Any = opened.core
        stood: list[tuple[float, str, float]] = []
        rounds = Rounds(opened, steps)
        rounds.tell = lambda who, tags: stood.append(
            (core.get_position(), core.get_current_config("Channel"), core.get_exposure())
        )
        frames = list(rounds.frames(6))
        after = opened.core.get_position()
    assert [(frame.index["c"], frame.index["z"], frame.index["t"]) for frame in frames] == [
        (0, 0, 0), (0, 1, 0), (1, 1, 0), (0, 0, 1), (0, 1, 1), (1, 1, 1),
    ]  # fmt: skip
    expected = [(-3.0, "FITC", 2.0), (3.0, "FITC", 2.0), (3.0, "Rhodamine", 4.0)] * 2
    assert [(round(z_um, 3), channel, ms) for z_um, channel, ms in stood] == expected
    assert [frame.stage_um for frame in frames] == [(0.0, 0.0, z_um) for z_um, _, _ in expected]
    assert after == 0.0


def test_light_is_none_while_a_last_picture_is_drawn() -> None:
    """Pass: a picture that takes 0.4 s to draw costs the sample its exposure, not the drawing."""

    class Slow(specimen.FieldOfBeads):
        lit_s = 0.0

        def expose(self, shot: specimen.Shot, out: Any) -> None:
            threading.Event().wait(0.4)
            super().expose(shot, out)

        def illuminate(self, shot: specimen.Shot) -> None:
            self.lit_s += sum(beam.on_s for beam in shot.beams)
            super().illuminate(shot)

    scene = Slow(np.array([(0.0, 50.0, 50.0)]), extent_um=(100.0, 100.0))
    with specimen.open(scene, hardware=replace(QUICK, shutter_s=0.001), buffer_mb=16) as opened:
        assert len(list(Rounds(opened, STACK).frames(4))) == 4
    assert scene.lit_s < 0.2  # four times 0.4 s are drawn
