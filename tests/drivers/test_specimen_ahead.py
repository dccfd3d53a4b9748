"""Frames that are rendered ahead: the camera foresees its next shot, and nobody can tell from the frames."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onscope.drivers import specimen
from onscope.specimen import View
from onscope.specimen.optics import Drift
from onscope.specimen.sample import Cells, CellSettings

from .specimens import mounted, popped, snapped

SHAPE = (48, 64)
OBJECTIVE = specimen.Objective("20x", 20.0, 0.75)
PIXEL_UM = 6.5 / 20
GREEN = specimen.LightSource("LED 555", 555.0, 120.0)
RED = specimen.Filter("ET605/52", 579.0, 631.0)
READOUT = specimen.Readout(8, 16, SHAPE[1], SHAPE[0], chip=(128, 128))


def living(**options: Any) -> specimen.Living:
    sample = Cells(CellSettings(count=12, extent_um=(120.0, 120.0)), seed=2)
    return specimen.Living(sample, dyes={RED.label: "nucleus"}, seed=3, **options)


def shot(number: int, time_s: float, place_um: float = 60.0, power_mw: float = 6.0, binning: int = 1) -> specimen.Shot:
    """An exposure of 50 ms."""
    beam = specimen.Beam(GREEN, power_mw, OBJECTIVE.field_um2, 0.05)
    view = View((place_um, 60.0), SHAPE, PIXEL_UM)
    readout = replace(READOUT, binning=binning)
    return specimen.Shot(number, time_s, 0.05, view, view.centre_um, 2.0, OBJECTIVE, RED, (beam,), readout)


def frame(scene: specimen.Living, taken: specimen.Shot) -> Any:
    out = np.zeros(taken.readout.shape, np.uint16)
    scene.expose(taken, out)
    return out


STEPS = st.tuples(
    st.sampled_from([0.05, 0.2, 4.0, 11.0]),  # seconds to the next exposure: a step of the cells is 10 s
    st.sampled_from([60.0, 60.0, 60.0, 63.7]),
    st.sampled_from([6.0, 6.0, 100.0]),
    st.sampled_from([1, 1, 2]),
    st.booleans(),  # light falls between the exposures
    st.sampled_from(["right", "wrong", "none"]),
)


@settings(max_examples=12, deadline=None)
@given(st.lists(STEPS, min_size=4, max_size=10), st.sampled_from([0, 3]))
def test_frames_are_the_same_bits_whether_rendered_ahead_or_not(steps: list[Any], remember: int) -> None:
    blind, foreseeing = living(), living(remember=remember)
    time_s = 0.0
    for number, (after_s, place_um, power_mw, binning, between, foresight) in enumerate(steps):
        time_s += after_s
        taken = shot(number, time_s, place_um, power_mw, binning)
        if foresight != "none":
            foreseeing.ahead(taken if foresight == "right" else shot(number, time_s, 61.0))
        for scene in (blind, foreseeing):
            if between:
                scene.illuminate(shot(number, time_s - 0.05, 60.0))
        assert np.array_equal(frame(blind, taken), frame(foreseeing, taken))
    ours, theirs = (scene.sample.truth(View((60.0, 60.0), SHAPE, PIXEL_UM)).objects for scene in (blind, foreseeing))
    assert ours.tobytes() == theirs.tobytes()


class Watched(specimen.FieldOfBeads):
    """Beads that keep which shots came, and which were foreseen before each."""

    def __init__(self) -> None:
        super().__init__(extent_um=(100.0, 100.0))
        self.taken: list[specimen.Shot] = []
        self.foreseen: list[specimen.Shot] = []

    def expose(self, shot: specimen.Shot, out: Any) -> None:
        super().expose(shot, out)
        self.taken.append(shot)

    def ahead(self, shot: specimen.Shot) -> None:
        assert len(self.foreseen) == len(self.taken) - 1
        self.foreseen.append(shot)


@pytest.mark.parametrize("steps_um", [(), (0.0, 1.0, 2.5)])
def test_the_camera_foresees_the_shots_of_a_sequence(steps_um: tuple[float, ...]) -> None:
    scene = Watched()
    mmc = mounted(scene, lapse=60.0)
    mmc.setExposure(10.0)
    if steps_um:
        mmc.loadStageSequence("Focus", steps_um)
        mmc.startStageSequence("Focus")
    mmc.startSequenceAcquisition(6, 25.0, True)
    popped(mmc, 6)
    assert len(scene.taken) == 6
    assert len(scene.foreseen) == 5  # none after the last
    for seen, came in zip(scene.foreseen, scene.taken[1:], strict=True):
        assert (seen.number, seen.readout, seen.view, seen.emission) == (
            came.number,
            came.readout,
            came.view,
            came.emission,
        )
        assert (seen.time_s, seen.z_um, seen.exposure_s) == (came.time_s, came.z_um, came.exposure_s)
        assert [(one.source, one.power_mw, one.on_s) for one in seen.beams] == [
            (one.source, one.power_mw, one.on_s) for one in came.beams
        ]
    mmc.unloadAllDevices()


def test_nothing_is_foreseen_of_snaps() -> None:
    scene = Watched()
    mmc = mounted(scene)
    snapped(mmc)
    assert scene.foreseen == []
    mmc.unloadAllDevices()


def test_what_fails_in_the_second_thread_is_told_with_the_next_exposure() -> None:
    class Hurt(Cells):
        def expose(self, *_: Any) -> None:
            raise ValueError("no light here")

    scene = specimen.Living(Hurt(CellSettings(count=3, extent_um=(120.0, 120.0))), dyes={RED.label: "nucleus"})
    for number in range(2):  # two exposures of 50 ms are booked together
        frame(scene, shot(number, 0.05 * number))
    with pytest.raises(ValueError, match="no light here"):
        frame(scene, shot(2, 0.1))


def test_a_sample_waits_for_the_light_of_the_last_exposure() -> None:
    scene = living()
    for number in range(2):
        frame(scene, shot(number, 0.05 * number))
    assert scene.sample.truth(View((60.0, 60.0), SHAPE, PIXEL_UM)).objects["dose_j_cm2"].max() > 0


def test_drift_below_a_step_renders_nothing_anew() -> None:
    scene = living(stand=specimen.Stand(drift=Drift(velocity_um_h=(0.0, 36.0, 0.0))), remember=5)  # 10 nm in a second
    for number, time_s in enumerate((0.0, 0.05, 0.1, 1.1)):
        frame(scene, shot(number, time_s))
    views = [scene.seen(number).view for number in range(4)]
    assert views[0] == views[1] == views[2]
    assert views[3].centre_um[0] == pytest.approx(60.01)
