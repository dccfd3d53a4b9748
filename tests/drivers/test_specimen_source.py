"""A scenario as a source of live frames: found by its name, with the truth of what it gave."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from onscope.drivers.specimen import SpecimenSource, source
from onscope.drivers.specimen._open import _usual, remembered
from onscope.drivers.specimen._source import shown
from onscope.drivers.truth import read_truth
from onscope.runtime import FrameId, SourceError, open_source
from onscope.runtime.record import Recording
from onscope.specimen.scenarios import read_scenario, scenario_names

MINE = """schema: 1
name: mine
description: Cells.
seed: 3
sample:
  cells: {count: 40, extent_um: [200, 200]}
  age_s: 60
microscope:
  objective: {magnification: 20, na: 0.75, immersion_index: 1.0}
channels:
  phase: {dye: null, wavelength_nm: 546, power_mw: 0.0006, exposure_ms: 10}
  nuclei: {dye: nucleus, wavelength_nm: 561, power_mw: 8, exposure_ms: 20, emission_nm: [590, 660]}
acquisition: {interval_s: 60, stage_um: [100, 100], shape: [64, 96]}
"""


@pytest.fixture(scope="module")
def mine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("scenario") / "mine.yaml"
    path.write_text(MINE, encoding="utf-8")
    return path


@pytest.fixture
def nuclei(mine: Path) -> Iterator[SpecimenSource]:
    with open_source(f"specimen:{mine}", lapse=30.0, truth=True) as opened:
        assert isinstance(opened, SpecimenSource)
        yield opened


def test_frames_are_those_of_the_scenario_and_so_is_their_truth(nuclei: SpecimenSource) -> None:
    assert (nuclei.channel, nuclei.shows, nuclei.exposure_ms) == ("nuclei", "nuclei", 20.0)
    assert nuclei.words == "Cells. Channel nuclei, 20 ms, 30 times as fast as life."
    frames = list(nuclei.frames(6))
    assert nuclei.spec().shape == frames[0].pixels.shape == (64, 96)
    assert nuclei.spec().pixel_size_um == pytest.approx(6.5 / 20)
    assert nuclei.remarks()["specimen"] == "mine, nuclei, seed 3"
    for frame in frames:
        seen = nuclei.seen(frame.id)
        lit = seen.counts > 200
        assert lit.any()
        # photon noise of half a million electrons at most, read noise of some: within 6 standard deviations
        assert np.abs(frame.pixels - seen.counts)[lit].max() < 6 * np.sqrt(seen.counts[lit].max() * 4 + 100)
        assert seen.truth.nuclei.shape == (64, 96)
        assert seen.counts[seen.truth.nuclei > 0].mean() > 2 * seen.counts[seen.truth.labels == 0].mean()
        np.testing.assert_array_equal(nuclei.truth(frame.id), seen.counts)
    with pytest.raises(SourceError, match="found no truth for frame other/Camera/0/0"):
        nuclei.truth(FrameId("other", "Camera", 0, 0))


def test_the_truth_of_a_recording_is_joined_to_its_frames(nuclei: SpecimenSource, tmp_path: Path) -> None:
    """Pass: every recorded frame has its truth, saved as it was while the frame was fresh; segments do not mix."""
    kept: dict[FrameId, np.ndarray] = {}
    with Recording(tmp_path / "run") as recording, nuclei.keep_truth(tmp_path / "run" / "truth") as keeper:
        for n in (4, 3):
            for frame in recording.tap(nuclei).frames(n):
                kept[frame.id] = nuclei.truth(frame.id)
    assert (keeper.saved, keeper.missing) == (7, 0)
    told = read_truth(tmp_path / "run")
    assert {name: told.about[name] for name in ("scenario", "seed", "channel")} == {
        "scenario": "mine",
        "seed": 3,
        "channel": "nuclei",
    }
    assert [who.segment for who in kept] == [0] * 4 + [1] * 3
    for who, counts in kept.items():
        np.testing.assert_array_equal(told.of(who).counts, counts)


def test_the_channel_may_be_chosen_and_the_size_bounded(mine: Path) -> None:
    with source(f"{mine}@phase", size=64, truth=True) as phase:
        assert (phase.shows, phase.exposure_ms, phase.spec().shape) == ("transmitted light", 10.0, (64, 64))
        assert "60 times as fast" in phase.words  # a second is an interval of the scenario
        assert phase.seen(next(iter(phase.frames(1))).id).counts.mean() > 100
    with source(str(mine), channel="phase", lapse=1.0, exposure_ms=12.5) as real:
        assert "12.5 ms, in real time." in real.words
        (frame,) = real.frames(1)
        with pytest.raises(SourceError, match="truth=True"):
            real.truth(frame.id)
        with pytest.raises(SourceError, match="truth=True"), real.keep_truth(mine.parent / "truth"):
            pass


@pytest.mark.parametrize(
    ("arg", "said"),
    [
        ("yeast", "expected one of bacteria"),
        ("wound@membranes", "expected one of phase, nuclei in wound"),
        ("", "found"),
    ],
)
def test_what_is_not_there_is_named(arg: str, said: str) -> None:
    with pytest.raises(SourceError, match=said), open_source(f"specimen:{arg}"):
        pass


def test_what_channels_show() -> None:
    assert shown(read_scenario("dividing-cells"), "nuclei") == "nuclei"
    assert shown(read_scenario("bacteria"), "nucleoids") == "nucleoids"
    assert shown(read_scenario("spots"), "emitters") == "emitters"
    assert shown(read_scenario("wound"), "phase") == "transmitted light"


def test_a_channel_of_fluorescence_is_taken_where_none_is_named() -> None:
    taken = {name: _usual(read_scenario(name)) for name in scenario_names()}
    assert taken == {
        "bacteria": "bodies",
        "dividing-cells": "nuclei",
        "label-free": "nuclei",
        "photo-toxicity": "bodies",
        "rare-event": "nuclei",
        "sim": "filaments a1 p1",
        "spots": "emitters",
        "wound": "nuclei",
    }


def test_memory_is_bounded() -> None:
    assert remembered((64, 64)) == 300
    assert remembered((512, 512)) == 81
    assert remembered((2048, 2048)) == 5
    assert remembered((4096, 4096)) == 4
