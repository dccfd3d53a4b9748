"""The bench by itself: how stages move, when light shines, what the SLM lights, what is remembered."""

from __future__ import annotations

import math
import threading
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onscope.drivers import specimen
from onscope.drivers.specimen._light import Switch
from onscope.drivers.specimen._motion import RESIDUAL_UM, Move
from onscope.drivers.specimen._projector import mask_of, mirrors_of, projected

from .specimens import QUICK, one_bead

WHOLE = specimen.Readout(0, 0, 64, 64)
XY = QUICK.xy
PLACES = st.floats(0.0, 100_000.0)


class Script:
    """A Scene that remembers what it is told of."""

    extent_um = (200.0, 400.0)

    def __init__(self) -> None:
        self.lit: list[specimen.Shot] = []

    def expose(self, shot: specimen.Shot, out: Any) -> None:
        raise AssertionError("nobody exposes here")

    def illuminate(self, shot: specimen.Shot) -> None:
        self.lit.append(shot)


@pytest.fixture
def clock() -> specimen.PatientClock:
    return specimen.PatientClock()


@pytest.fixture
def bench(clock: specimen.PatientClock) -> specimen.Bench:
    return specimen.Bench(Script(), QUICK, clock)


def wait(bench: specimen.Bench, seconds: float) -> float:
    """Let time pass; the time then."""
    bench.clock.wait_until(bench.clock.now_s() + seconds, threading.Event())
    return bench.clock.now_s()


def light(bench: specimen.Bench) -> None:
    """Blue light of 6 mW through an open shutter."""
    bench.set_power("LED 475", 6.0)
    bench.switch("LED 475", True)
    wait(bench, bench.open_shutter("Shutter", True) - bench.clock.now_s())


@settings(deadline=None)
@given(start=PLACES, target=PLACES)
def test_a_move_leads_steadily_to_its_target(start: float, target: float) -> None:
    move = Move(XY, start, target, 3.0)
    times = np.linspace(2.9, move.arrives_s + 0.1, 300)
    places = np.array([move.at(time) for time in times])
    assert places[0] == start
    assert places[-1] == target
    assert np.all(np.diff(places) * math.copysign(1.0, target - start) >= -1e-6)
    assert np.abs(np.diff(places)).max() <= XY.speed_um_s * (times[1] - times[0]) + 1e-6


@settings(deadline=None)
@given(start=PLACES, target=PLACES)
def test_a_move_does_not_jump(start: float, target: float) -> None:
    move = Move(XY, start, target, 0.0)
    for seam in (0.0, move.drive_s, move.drive_s + XY.settle_s):
        # Between two moments 1 us apart nothing goes further than at full speed; the last step ends the decay.
        step = abs(move.at(seam + 5e-7) - move.at(seam - 5e-7))
        assert step <= 1e-6 * XY.speed_um_s + RESIDUAL_UM * math.exp(-6)


def test_a_long_move_takes_its_way_over_its_speed() -> None:
    move = Move(XY, 0.0, 70_000.0, 0.0)
    # 70 mm at 7 mm/s, and once the ramp of 100 ms for speeding up and slowing down together.
    assert move.drive_s == pytest.approx(10.0 + 0.1, rel=1e-4)
    assert move.arrives_s == pytest.approx(move.drive_s + XY.settle_s)


def test_a_new_command_on_the_way_starts_from_where_the_stage_is(bench: specimen.Bench) -> None:
    bench.move_xy("XY", 300.0, 100.0)
    wait(bench, 0.03)
    there = bench.xyz_um()
    assert 200.0 < there[0] < 300.0
    bench.move_xy("XY", 200.0, 100.0)
    assert bench.xyz_um() == pytest.approx(there)
    wait(bench, 1.0)
    assert bench.xyz_um() == (200.0, 100.0, 0.0)


def test_halting_leaves_the_stage_where_it_is(bench: specimen.Bench) -> None:
    bench.move_xy("XY", 300.0, 100.0)
    there = wait(bench, 0.03)
    bench.halt("XY", z=False)
    x_um = bench.xyz_um()[0]
    wait(bench, 1.0)
    assert 200.0 < bench.xyz_um()[0] == x_um < 300.0
    assert bench.ready_s(z=False) <= there


@pytest.mark.parametrize(("x", "y"), [(-1.0, 5.0), (5.0, 201.0), (401.0, 5.0), (math.nan, 5.0), (math.inf, 5.0)])
def test_a_place_outside_the_limits_is_refused(bench: specimen.Bench, x: float, y: float) -> None:
    with pytest.raises(specimen.DeviceError, match=r"found [xy] = .* um for XY, expected 0 to [24]00: stay within"):
        bench.move_xy("XY", x, y)
    assert bench.xyz_um() == (200.0, 100.0, 0.0)
    assert bench.journal == ()


@settings(deadline=None)
@given(on=st.booleans(), before=st.booleans(), since=st.floats(-1, 3), begin=st.floats(0, 1), length=st.floats(0, 1))
def test_a_switch_is_on_as_long_as_it_says(on: bool, before: bool, since: float, begin: float, length: float) -> None:
    switch = Switch(on, since, before)
    low, high = switch.on_between(begin, begin + length)
    moments = begin + (np.arange(2000) + 0.5) / 2000 * length
    counted = np.where(moments < since, before, on).mean() * length
    if before and on:
        assert (low, high) == (begin, begin + length)
    assert high - low == pytest.approx(counted, abs=length / 1000 + 1e-12)


def test_a_shutter_that_opens_late_shortens_the_light(bench: specimen.Bench) -> None:
    bench.set_power("LED 475", 6.0)
    bench.switch("LED 475", True)
    begin = wait(bench, 1.0)
    bench.open_shutter("Shutter", True)
    (beam,) = bench.shot("Camera", begin, 0.02, WHOLE).beams
    assert beam.on_s == pytest.approx(0.02 - QUICK.shutter_s)
    closed = wait(bench, 1.0)
    bench.open_shutter("Shutter", False)
    (beam,) = bench.shot("Camera", closed, 0.02, WHOLE).beams
    assert beam.on_s == pytest.approx(QUICK.shutter_s)
    assert bench.shot("Camera", wait(bench, 1.0), 0.02, WHOLE).beams == ()


def test_irradiance_is_power_over_the_field(bench: specimen.Bench) -> None:
    light(bench)
    (beam,) = bench.shot("Camera", wait(bench, 1.0), 0.02, WHOLE).beams
    field_cm2 = math.pi * (22e-1 / 60 / 2) ** 2  # a field number of 22 mm, seen through 60x
    assert beam.irradiance_w_cm2 == pytest.approx(6e-3 / field_cm2)
    assert beam.fluence_j_cm2 == pytest.approx(0.02 * 6e-3 / field_cm2)


def test_light_between_exposures_is_accounted_for(bench: specimen.Bench) -> None:
    light(bench)
    begin = bench.clock.now_s()
    for k in range(40):  # 10 ms of every 30 ms are exposed
        bench.shot("Camera", begin + k * 0.03, 0.01, WHOLE)
    wait(bench, 40 * 0.03)
    bench.open_shutter("Shutter", False)
    wait(bench, 1.0)
    bench.switch("LED 475", False)
    lit_s = sum(beam.on_s for shot in bench.owed() for beam in shot.beams)
    # Two thirds of 1.2 s, and what passed while the shutter closed.
    assert lit_s == pytest.approx(40 * 0.02 + QUICK.shutter_s, abs=1e-6)
    assert bench.owed() == ()


def test_what_turns_lets_no_light_pass(bench: specimen.Bench) -> None:
    light(bench)
    now = wait(bench, 1.0)
    ready = bench.turn_wheel("Emission", 2)
    shot = bench.shot("Camera", now, 0.01, WHOLE)
    assert shot.emission is None
    assert shot.beams  # the sample is lit all the same
    assert bench.shot("Camera", ready, 0.01, WHOLE).emission == QUICK.filters[2]
    now = wait(bench, 1.0)
    ready = bench.turn_turret("Objective", 0)
    assert bench.shot("Camera", now, 0.01, WHOLE).beams == ()
    assert bench.shot("Camera", ready, 0.01, WHOLE).objective.magnification == 10.0


def test_a_roi_looks_beside_the_optical_axis(bench: specimen.Bench) -> None:
    pixel_um = 6.5 / 60
    whole = bench.shot("Camera", 0.0, 0.01, WHOLE).view
    assert whole.centre_um == (100.0, 200.0)
    part = bench.shot("Camera", 0.0, 0.01, specimen.Readout(8, 16, 20, 10)).view
    assert part.shape == (10, 20)
    # A point of the sample lies (16, 8) pixels earlier in the part than in the whole image.
    row, column = whole.pixels(np.array(101.0), np.array(199.0))
    assert part.pixels(np.array(101.0), np.array(199.0)) == pytest.approx((row - 16, column - 8))
    assert part.pixel_um == pytest.approx(pixel_um)


def test_the_focus_follows_the_cameras_line(bench: specimen.Bench) -> None:
    bench.arm_z("Focus", [1.0, 2.0, 4.0])
    begin, seen = wait(bench, 0.1), []
    for k in range(5):
        seen.append(bench.shot("Camera", begin + k * 0.1, 0.02, WHOLE).z_um)
        bench.trigger(begin + k * 0.1 + 0.02)
    assert seen == [1.0, 2.0, 4.0, 1.0, 2.0]
    bench.arm_z("Focus", [])
    bench.trigger(begin + 1.0)
    assert bench.shot("Camera", begin + 2.0, 0.02, WHOLE).z_um == 4.0


def test_the_sample_lives_faster_than_the_clock() -> None:
    bench = specimen.Bench(one_bead(), QUICK, specimen.PatientClock(), lapse=600.0)
    assert bench.shot("Camera", wait(bench, 2.0), 0.01, WHOLE).time_s == pytest.approx(1200.0)


@settings(deadline=None, max_examples=50)
@given(
    rotation=st.floats(-180, 180),
    off_y=st.floats(-500, 500),
    off_x=st.floats(-500, 500),
    row=st.integers(4, 27),
    column=st.integers(4, 43),
)
def test_the_alignment_leads_to_the_mirror_that_lights_a_pixel(
    rotation: float, off_y: float, off_x: float, row: int, column: int
) -> None:
    model = specimen.SlmModel(shape=(32, 48), rotation_deg=rotation, offset_um=(off_y, off_x))
    objective = QUICK.objectives[1]
    image = np.zeros(model.shape, np.uint8)
    image[row, column] = 255
    projection = projected(model, image, objective)
    seen = mask_of(projection, (400, 400), 0.2, (0.0, 0.0))
    there = mirrors_of(projection, (400, 400), 0.2, (0.0, 0.0))
    rows, columns = np.indices(seen.shape)
    mirrors = there @ np.stack([columns.ravel(), rows.ravel(), np.ones(columns.size)])
    far = np.abs(mirrors - np.array([[column], [row]])).max(axis=0).reshape(seen.shape)
    assert not seen[far > 1.1].any()
    assert (seen[far < 0.1] > 0.75).all()


def test_the_slm_goes_dark_after_its_exposure(bench: specimen.Bench) -> None:
    light(bench)
    now = wait(bench, 1.0)
    bench.project("SLM", np.full(QUICK.slm.shape, 255, np.uint8), 0.004)
    (beam,) = bench.shot("Camera", now, 0.01, WHOLE).beams
    assert beam.on_s == pytest.approx(0.004)
    assert bench.shot("Camera", wait(bench, 1.0), 0.01, WHOLE).beams == ()


def test_the_journal_keeps_the_order(bench: specimen.Bench) -> None:
    light(bench)
    bench.move_z("Focus", 3.0)
    bench.shot("Camera", wait(bench, 0.1), 0.01, WHOLE)
    told = [(one.device, one.verb, one.value) for one in bench.journal]
    assert told == [
        ("LED 475", "power_mw", 6.0),
        ("LED 475", "on", None),
        ("Shutter", "open", None),
        ("Focus", "move", 3.0),
        ("Camera", "expose", 0),
    ]
    times = [one.at_s for one in bench.journal]
    assert times == sorted(times)


def test_hardware_that_does_not_fit_together_is_refused() -> None:
    with pytest.raises(specimen.DeviceError, match="found the objective '100x', expected one of Plan Apo 10x"):
        specimen.Bench(one_bead(), replace(QUICK, start_objective="100x"))
    with pytest.raises(specimen.DeviceError, match="found the channel 'YFP', expected one of DAPI"):
        specimen.Bench(one_bead(), replace(QUICK, start_channel="YFP"))
