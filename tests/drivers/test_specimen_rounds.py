"""Stacks, phases and channels of a scenario's specimen, live, with what is true of them and what is to be found."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onscope.drivers.specimen import SpecimenSource, source
from onscope.drivers.specimen._choice import Choice, parsed
from onscope.runtime import ControlError, Source, SourceError, open_source
from onscope.specimen.optics import Stripes
from onscope.specimen.scenarios import read_scenario

from .source_tests import SourceTests

MINE = """schema: 1
name: mine
description: Cells.
seed: 3
sample:
  cells: {count: 60, extent_um: [120, 120]}
  age_s: 60
microscope:
  objective: {magnification: 40, na: 0.95, immersion_index: 1.0}
channels:
  phase: {dye: null, wavelength_nm: 546, power_mw: 0.0006, exposure_ms: 4, z_um: 5}
  nuclei: {dye: nucleus, wavelength_nm: 561, power_mw: 8, exposure_ms: 6, emission_nm: [590, 660], z_um: 2,
    field_um: 150}
  filaments:
    {dye: filaments, wavelength_nm: 488, power_mw: 8, exposure_ms: 5, emission_nm: [500, 550], z_um: 1,
     sim: {period_um: 0.8, angles: 2, phases: 3}}
acquisition: {interval_s: 60, stage_um: [60, 60], shape: [64, 96], step_um: 0.5}
"""


@pytest.fixture(scope="module")
def mine(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("scenario") / "mine.yaml"
    path.write_text(MINE, encoding="utf-8")
    return str(path)


class TestStack(SourceTests):
    """A stack is a source like any other."""

    LENGTH = 5

    @pytest.fixture(autouse=True)
    def source_place(self, mine: str) -> None:
        self.mine = mine

    def make_source(self) -> AbstractContextManager[Source]:
        return open_source(f"specimen:{self.mine}@phase,planes=3,size=64")

    def make_unknown(self) -> AbstractContextManager[Source]:
        return open_source(f"specimen:{self.mine}@phase,planes=0")


def test_a_stack_beside_its_fluorescence(mine: str) -> None:
    """Pass: each plane tells where it is, and its truth is that of its own plane; the flat channel has the middle."""
    words = f"{mine},channels=phase+nuclei,planes=3,step_um=2,z_um=3,flat=nuclei,lapse=1"
    with source(words, truth=True) as opened:
        frames = list(opened.frames(8))
        seen = [opened.seen(frame.id) for frame in frames]
        assert opened.words == ("Cells. Channels phase, 4 ms, 3 planes 2 um apart; nuclei, 6 ms, in real time.")
        assert (opened.shows, opened.remarks()) == ("transmitted light", {"specimen": "mine, phase+nuclei, seed 3"})
    a_round = [(0, 0, "phase", 1.0), (0, 1, "phase", 3.0), (0, 2, "phase", 5.0), (1, 1, "nuclei", 3.0)]
    assert [
        (frame.index["c"], frame.index["z"], frame.labels["c"], frame.stage_um and frame.stage_um[2])
        for frame in frames
    ] == a_round * 2
    assert [frame.index["t"] for frame in frames] == [0] * 4 + [1] * 4
    assert [frame.exposure_ms for frame in frames] == [4.0, 4.0, 4.0, 6.0] * 2
    for frame, one in zip(frames, seen, strict=True):
        assert abs(frame.pixels.astype(float) - one.counts).mean() < 4 * np.sqrt(one.counts.max())
    assert abs(seen[0].counts - seen[2].counts).max() > 20  # another plane is another image
    assert np.corrcoef(seen[3].counts.ravel(), seen[3].truth.nuclei.ravel() > 0)[0, 1] > 0.6


def test_phases_are_stripes_that_move_on(mine: str) -> None:
    """Pass: the light's stripes have their period, turn with the angle, and lie a third further from phase to phase."""
    with source(f"{mine}@filaments,lapse=1", truth=True) as opened:
        frames = list(opened.frames(8))
        counts = [opened.truth(frame.id).astype(float) for frame in frames]
        patterns = [one.pattern for one in opened.scope.bench.hardware.lights if isinstance(one.pattern, Stripes)]
    assert [(frame.index["t"], frame.index["i"]) for frame in frames] == [(0, n) for n in range(6)] + [(1, 0), (1, 1)]
    assert {frame.labels["c"] for frame in frames} == {"filaments"}
    assert len(patterns) == 6
    pixel_um = 6.5 / 40
    y, x = (np.arange(n) * pixel_um for n in counts[0].shape)
    for angle in (0, 3):
        along = patterns[angle].angle_rad
        wave = np.exp(-2j * np.pi * (y[:, None] * np.sin(along) + x[None, :] * np.cos(along)) / 0.8)
        first, second, third = counts[angle : angle + 3]
        for one, other in ((first, second), (second, third), (third, first)):
            # Of three phases, each differs from the next by a wave of this very period and direction.
            difference = one - other
            strength = abs((difference * wave).sum())
            across = abs((difference * np.exp(-2j * np.pi * (y[:, None] * np.cos(along)) / 0.8)).sum())
            assert strength > 5 * across
        assert len({round(float(np.angle((one * wave).sum())), 1) for one in (first, second, third)}) == 3


def test_as_many_phases_as_asked_for(mine: str) -> None:
    with source(f"{mine},phases=3,size=32") as opened:
        assert (opened.channel, opened.choice.first) == ("filaments", "filaments a1 p1")
        assert [frame.index["i"] for frame in opened.frames(4)] == [0, 1, 2, 0]


def test_another_channel_is_to_be_found_in_the_same_plane(mine: str) -> None:
    """Pass: what is to be found is what the other channel's own exposure without noise would be there."""
    at = "planes=3,step_um=2,z_um=3,lapse=1,size=64"
    with source(f"{mine}@phase,{at},against=nuclei", truth=True) as opened:
        aims = [opened.aim(frame.id) for frame in opened.frames(3)]
    with source(f"{mine}@nuclei,{at}", truth=True) as other:
        frames = list(other.frames(3))
        truth = [other.truth(frame.id) for frame in frames]
        assert other.aim(frames[0].id) is None
    for aim, one in zip(aims, truth, strict=True):
        assert aim is not None
        np.testing.assert_allclose(aim, one, rtol=2e-3)  # some light has fallen on the one, none on the other
    assert abs(truth[0] - truth[2]).max() > 5


def test_the_same_twice_as_fine(mine: str) -> None:
    """Pass: twice the pixels, without stripes, finer than the mean of the phases, the same when made coarse."""
    with source(f"{mine}@filaments,against=fine,lapse=1,size=64", truth=True) as opened:
        frames = list(opened.frames(6))
        mean = np.mean([opened.truth(frame.id) for frame in frames], axis=0)
        aims = [opened.aim(frame.id) for frame in frames]
    first = aims[0]
    assert first is not None
    assert first.shape == (128, 128)
    assert first.dtype == np.float32
    coarse = first.reshape(64, 2, 64, 2).sum(axis=(1, 3))
    assert np.corrcoef(coarse.ravel(), mean.ravel())[0, 1] > 0.95
    assert coarse.std() / coarse.mean() > mean.std() / (mean.mean() - 100)  # less blurred; 100 counts are the offset


def test_the_sample_lives_on_between_rounds(mine: str) -> None:
    """Pass: within a round seconds are seconds; from round to round its exposures' time counts `lapse` times."""
    with source(f"{mine}@phase,planes=3,lapse=1000,size=32", truth=True) as opened:
        ages = [opened.seen(frame.id).truth.time_s for frame in opened.frames(6)]
        leaps = [one.value for one in opened.scope.bench.journal if one.verb == "leap"]
    assert leaps == [pytest.approx(999 * 3 * 0.004)]
    assert ages[3] - ages[2] > 999 * 3 * 0.004
    assert max(ages[2] - ages[0], ages[5] - ages[3]) < 8


def test_what_a_recording_notes_mounts_the_same_again(mine: str) -> None:
    words = f"{mine},channels=phase+filaments,planes=3,step_um=0.75,flat=phase,phases=2,exposure_ms=3,against=nuclei"
    with open_source(f"specimen:{words}", seed=5, size=48) as opened:
        assert isinstance(opened, SpecimenSource)
        told, steps = opened.describe(), opened.choice.steps
        assert told["rounds"]["planes"] == 3
    with open_source(told["source"]) as again:
        assert isinstance(again, SpecimenSource)
        assert again.describe() == told
        assert again.choice.steps == steps
        assert again.spec().shape == (48, 48)


def test_rules_do_not_steer_rounds(mine: str) -> None:
    with source(f"{mine}@phase,planes=3") as opened, pytest.raises(ControlError, match="found frames in rounds"):
        opened.control()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("label-free,planes=0", "found 0 planes"),
        ("label-free,planes=many", "found planes=many behind the specimen label-free, expected a whole number"),
        ("label-free,step_um=0,planes=3", "found 3 planes 0 um apart"),
        ("label-free,plane=3", r"found the option 'plane=3' behind the specimen label-free, expected some of planes"),
        ("label-free,planes=3,planes=4", "found a second planes"),
        ("label-free,phases=9", "found phases=9 of nuclei, expected a channel with stripes"),
        ("sim@filaments,phases=10", "found phases=10 of filaments, expected 1 to 9"),
        ("label-free,channels=nuclei+golgi", "found the channel 'golgi', expected one of transmitted, nuclei"),
        ("label-free,channels=nuclei+nuclei", "expected each channel once"),
        ("label-free@membranes,channels=nuclei+membranes", "found the channel membranes beside channels=nuclei"),
        ("label-free,planes=3,flat=nuclei", "found flat=nuclei, expected some of nuclei, not all"),
        ("label-free,against=golgi", "found the channel 'golgi'"),
        ("sim,against=filaments", "expected a channel without stripes"),
        ("label-free@transmitted,against=fine", "found against=fine of transmitted light"),
    ],
)
def test_what_cannot_be_is_said(words: str, said: str) -> None:
    with pytest.raises(SourceError, match=said), open_source(f"specimen:{words}"):
        pass


def test_commas_and_equal_signs_in_a_path(mine: str, tmp_path: Path) -> None:
    path = tmp_path / "a,b" / "c.yaml"
    path.parent.mkdir()
    path.write_text(MINE, encoding="utf-8")
    with source(f"{path}@phase,planes=2,size=32") as opened:
        assert [frame.index["z"] for frame in opened.frames(3)] == [0, 1, 0]


@settings(deadline=None, max_examples=40)
@given(
    planes=st.integers(1, 40),
    step_um=st.floats(0.01, 20),
    z_um=st.none() | st.floats(-20, 100),
    phases=st.none() | st.integers(1, 9),
)
def test_all_that_is_chosen_can_be_said_in_words(
    planes: int, step_um: float, z_um: float | None, phases: int | None
) -> None:
    """Pass: words made of a choice are read as that choice; planes lie evenly around the middle, the lowest first."""
    scenario = read_scenario("sim")
    choice = Choice(scenario, ("filaments",), planes, step_um, z_um, phases)
    said = ",".join(f"{key}={value}" for key, value in choice.told.items())
    name, channel, options = parsed(f"sim@filaments{',' if said else ''}{said}")
    assert (name, channel) == ("sim", "filaments")
    again = Choice(scenario, (channel,), **{"step_um": step_um, **options})
    assert again.steps == choice.steps
    heights = sorted({step.z_um for step in choice.steps if step.z_um is not None})
    assert len(heights) == planes
    assert np.mean(heights) == pytest.approx(0.15 if z_um is None else z_um, abs=1e-5)
    assert np.allclose(np.diff(heights), step_um, atol=2e-6)
    assert len(choice.steps) == planes * (phases or 9)
