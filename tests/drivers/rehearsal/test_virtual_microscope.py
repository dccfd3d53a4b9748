"""The virtual microscope: its time, the order of its commands, and what light does to its specimen."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from onscope.drivers.rehearsal import DeviceTimes, VirtualMicroscope, specimen
from onscope.runtime import ControlError, SourceError
from onscope.runtime.feedback import (
    Autofocus,
    Burst,
    Mark,
    MoveFocus,
    MoveStage,
    Pause,
    Project,
    Pulse,
    Resume,
    SetExposure,
    SetInterval,
    SetPower,
    SetPreset,
    Stack,
    Stop,
    Visit,
)
from onscope.runtime.feedback.rehearse import Rehearsal
from onscope.specimen.scenarios import Scenario, read_scenario

SIDE = 160


def small(**cells: object) -> Scenario:
    """Rare-event on a plate of 120 um, that is quick to live."""
    told = read_scenario("rare-event")
    assert told.sample.cells is not None
    settings = replace(told.sample.cells, count=24, extent_um=(120.0, 120.0), **cells)  # type: ignore[arg-type]
    place = replace(told.acquisition, stage_um=(60.0, 60.0), shape=(SIDE, SIDE))
    return replace(told, sample=replace(told.sample, cells=settings, age_s=0.0), acquisition=place)


def mounted(**options: object) -> VirtualMicroscope:
    return VirtualMicroscope(small(), **{"seed": 1, "hours": 0.1, **options})  # type: ignore[arg-type]


def verbs(microscope: VirtualMicroscope, action: object) -> list[tuple[str, str]]:
    done = microscope.apply(action)  # type: ignore[arg-type]
    times = [command.at_ns for command in done.commands]
    assert times == sorted(times)
    assert done.began_ns <= min(times, default=done.began_ns)
    assert max(times, default=0) <= done.done_ns
    return [(command.verb, command.device) for command in done.commands]


def test_routine_frames_come_at_their_times_and_are_the_same_each_time() -> None:
    def run() -> list[tuple[int, np.ndarray]]:
        microscope = mounted(interval_s=60.0)
        found = []
        while (shot := microscope.next()) is not None:
            assert shot.routine
            assert shot.truth is not None
            assert shot.frame.received_ns == microscope.now_ns
            found.append((shot.frame.received_ns, shot.frame.pixels))
        assert microscope.now_ns == pytest.approx(360e9)
        return found

    one, other = run(), run()
    begins_s = [at / 1e9 for at, _ in one]
    late_s = DeviceTimes().shutter_s + 0.05 + DeviceTimes().readout_s(SIDE)
    assert begins_s == pytest.approx([60 * n + late_s for n in range(6)])
    assert all(a == b and np.array_equal(x, y) for (a, x), (b, y) in zip(one, other, strict=True))
    assert one[0][1].shape == (SIDE, SIDE)
    assert one[0][1].dtype == np.uint16


def test_it_is_a_rehearsal_whose_setting_and_limits_name_what_there_is() -> None:
    microscope = mounted()
    assert isinstance(microscope, Rehearsal)
    setting, limits = microscope.setting(), microscope.limits()
    assert (setting.x_um, setting.y_um, setting.channel) == (60.0, 60.0, "nuclei")
    assert setting.channels["nuclei"]["Laser 561"].power_mw == 8
    assert setting.lights["Laser 561"].area_um2 == 700.0**2
    assert setting.shape == (SIDE, SIDE)
    assert setting.pixel_um == microscope.spec().pixel_size_um == 0.325
    assert limits.x_um == (0.0, 120.0)
    assert limits.presets["Channel"] == {"nuclei"}


def test_pixels_lie_to_the_stage_as_the_truth_says() -> None:
    microscope = mounted(interval_s=1.0)
    first = microscope.next()
    assert first is not None
    assert first.truth is not None
    objects = first.truth.objects
    row = objects[np.hypot(objects["y"] - SIDE / 2, objects["x"] - SIDE / 2).argmin()]
    dy, dx = ((row[axis] - (SIDE - 1) / 2) * 0.325 for axis in ("y", "x"))
    microscope.apply(MoveStage(60.0 + dx, 60.0 + dy))
    second = microscope.next()
    assert second is not None
    assert second.truth is not None
    assert second.frame.stage_um is not None
    assert second.frame.stage_um[:2] == pytest.approx((60.0 + dx, 60.0 + dy))
    same = second.truth.objects[second.truth.objects["id"] == row["id"]][0]
    assert (same["y"], same["x"]) == pytest.approx(((SIDE - 1) / 2,) * 2, abs=1.0)
    assert second.truth.labels()[round(same["y"]), round(same["x"])] == row["id"]


def test_commands_are_sent_in_order_and_take_the_devices_time() -> None:
    microscope = mounted()
    assert verbs(microscope, MoveStage(70.0, 60.0)) == [("move", "XY")]
    assert microscope.now_ns / 1e9 == pytest.approx(2 * np.sqrt(10 / 70_000) + 0.03)
    begun = microscope.now_ns
    expose = ("expose", "virtual")
    assert verbs(microscope, Burst(3, interval_ms=500.0)) == [expose] * 3
    assert 1.0 < (microscope.now_ns - begun) / 1e9 < 1.1
    assert verbs(microscope, Stack(3, 1.0)) == [("move", "Z"), expose] * 3 + [("move", "Z")]
    assert verbs(microscope, Visit(((50.0, 50.0), (60.0, 50.0)))) == [("move", "XY"), expose] * 2 + [("move", "XY")]
    shots = microscope.taken()
    assert len(shots) == 8
    assert not any(shot.routine for shot in shots)
    assert [shot.frame.stage_um[2] - 3.0 for shot in shots[3:6] if shot.frame.stage_um] == [-1.0, 0.0, 1.0]
    setting = microscope.setting()
    assert (setting.x_um, setting.y_um, setting.z_um) == (70.0, 60.0, 3.0)
    assert verbs(microscope, Visit(((50.0, 50.0),), stay=True)) == [("move", "XY"), expose]
    assert microscope.setting().x_um == 50.0
    assert verbs(microscope, Mark("here")) == []
    assert microscope.taken()
    assert not microscope.taken()


def test_the_routine_follows_what_is_set() -> None:
    microscope = mounted(interval_s=100.0, look=False)

    def due_s() -> float:
        shot = microscope.next()
        assert shot is not None
        return round(shot.frame.received_ns / 1e9, 0)

    assert due_s() == 0
    microscope.apply(SetInterval(20.0))
    assert due_s() == 20
    microscope.apply(Burst(2, interval_ms=30_000.0))
    assert due_s() == 50  # the burst held it up by ten seconds
    microscope.apply(Pause(60.0))
    assert microscope.setting().paused
    assert due_s() == 110
    microscope.apply(Pause())
    microscope.apply(Resume())
    assert due_s() == 130
    microscope.apply(SetExposure(200.0))
    microscope.apply(SetPower("Laser 561", 2.0))
    setting = microscope.setting()
    assert setting.exposure_ms == 200.0
    assert setting.channels["nuclei"]["Laser 561"].power_mw == 2.0
    microscope.apply(Pause())
    assert microscope.next() is None
    other = mounted(look=False)
    other.apply(Stop("enough"))
    assert other.next() is None
    assert other.now_ns == 0
    ended = mounted(look=False)
    assert [command.verb for command in ended.safe()] == ["stop"]
    assert ended.next() is None


@pytest.mark.parametrize(
    "action", [SetPreset("Channel", "green"), SetPreset("Lens", "nuclei"), SetPower("Laser 488", 1.0), Pulse("TTL", 5)]
)
def test_what_there_is_not_is_refused_and_nothing_changes(action: object) -> None:
    microscope = mounted(look=False)
    before = microscope.setting()
    with pytest.raises(ControlError, match="found the"):
        microscope.apply(action)  # type: ignore[arg-type]
    assert microscope.setting() == before
    assert microscope.now_ns == 0


def test_light_has_its_consequences_with_and_without_looking() -> None:
    doses, counts = [], []
    for look in (True, False):
        microscope = VirtualMicroscope(small(sensitivity=5000.0), seed=1, hours=0.5, interval_s=600.0, look=look)
        microscope.next()
        microscope.apply(Burst(60, exposure_ms=100.0))
        first = microscope.taken()
        microscope.next()
        story = microscope.story()
        assert story is not None
        doses.append(np.median(list(story.doses.values())))
        counts.append(sum(story.died.values()))
        if look:
            assert first[-1].frame.pixels.mean() < first[0].frame.pixels.mean()  # it has bleached
    assert doses[0] == pytest.approx(60 * 0.1 * 8e-3 / 0.07**2, rel=0.3)
    assert doses[1] == pytest.approx(doses[0], rel=1e-3)
    assert counts[0] == counts[1] >= 5


def test_the_story_tells_every_division_and_no_more() -> None:
    microscope = VirtualMicroscope(
        small(cycle_h=3.0, mitotic_fraction=0.4, deaths_per_hour=0.0), seed=2, hours=1.0, interval_s=3600.0, look=False
    )
    while microscope.next() is not None:
        pass
    story = microscope.story()
    assert story is not None
    anaphases = [span for span in story.spans if span.kind == "anaphase" and span.whole]
    assert anaphases
    assert all(480 <= span.to_s - span.from_s <= 490 for span in anaphases)
    parents = microscope.stand.specimen.sample.parents  # type: ignore[attr-defined]
    assert {span.id for span in anaphases} <= set(parents.values())
    assert not story.died


def test_projected_light_meets_the_pixels_of_its_mask_alone() -> None:
    microscope = mounted(interval_s=120.0)
    shot = microscope.next()
    assert shot is not None
    assert shot.truth is not None
    before = {int(row["id"]): float(row["dose_j_cm2"]) for row in shot.truth.objects}
    labels = shot.truth.labels()
    whole = set(np.unique(labels[30:-30, 30:-30]).tolist()) - {0}
    chosen = min(who for who in whole if np.count_nonzero(labels == who) > 200)
    mask = np.where(labels == chosen, 255, 0).astype(np.uint8)
    microscope.apply(Project(mask, 0.325, 60.0, 60.0, "Laser 561", 20.0, 500.0))
    second = microscope.next()
    assert second is not None
    assert second.truth is not None
    gained = {int(row["id"]): float(row["dose_j_cm2"]) - before.get(int(row["id"]), 0) for row in second.truth.objects}
    assert max(gained, key=lambda who: gained[who]) == chosen
    others = sorted((dose for who, dose in gained.items() if who != chosen), reverse=True)
    assert gained[chosen] > 3 * others[0]
    assert microscope.setting().lights["Laser 561"].power_mw == 8


def test_autofocus_finds_the_plane_again() -> None:
    microscope = mounted()
    microscope.apply(MoveFocus(9.0))
    microscope.apply(Autofocus(16.0, 1.0))
    assert abs((microscope.setting().z_um or 0.0) - 3.0) <= 2.0
    assert not microscope.taken()


def test_scenarios_are_opened_by_name_and_channel(tmp_path: object) -> None:
    microscope = specimen("photo-toxicity@phase", seed=4, hours=0.01, size=64, look=False)
    assert microscope.setting().channel == "phase"
    assert microscope.setting().exposure_ms == 20
    assert microscope.spec().shape == (64, 64)
    with pytest.raises(SourceError, match="expected one of bodies, phase"):
        specimen("photo-toxicity@red")
    with pytest.raises(SourceError, match="found scenario"):
        specimen("no-such-thing")
