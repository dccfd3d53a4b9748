"""A run is recorded, its recording is replayed, and all answers that both have are equal to the bit."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from onscope.drivers import faults, micromanager, replay, scripted, specimen
from onscope.runtime import (
    Admission,
    Gather,
    Pipeline,
    Runtime,
    Source,
    SourceError,
    Stage,
    block,
    keep_newest,
    keep_oldest,
)
from onscope.runtime.record import open_recording
from onscope.runtime.record.compare import Comparison, as_recorded, compare
from tests import models
from tests.graph.generated import Recipe, write

from .test_compiled import RANGE, UNIT, scaled
from .test_window_answers import weighted

SCRIPT: list[scripted.Step] = [
    scripted.Steady(25, fps=400),
    scripted.Drop(2),
    scripted.Steady(15, fps=400),
    scripted.Restart(),
    scripted.Steady(10, fps=400),
    scripted.Move(channel="GFP", position=1, stage_um=(40.0, 0.0, 0.0)),
    scripted.Steady(12, fps=400),
    scripted.Drop(1),
    scripted.Steady(5, fps=400),
    scripted.Change(exposure_ms=30.0),
    scripted.Steady(10, fps=400),
]
SLOW = "scripted:seed=5,slow=12@40%"


def camera(script: list[scripted.Step] = SCRIPT, dtype: str = "uint16") -> Source:
    return scripted.camera(script, shape=(24, 32), dtype=dtype, name="cam", exposure_ms=10.0)


def record(pipeline: Pipeline, source: Source, folder: Path, **how: Any) -> Runtime:
    """Run all of a source's frames and record them."""
    with Runtime(pipeline, record=folder, on_event=lambda event: None, **how) as runtime:
        for _ in runtime.stream(source):
            pass
        assert runtime.drain(60)
    assert runtime.ledger.adds_up()
    return runtime


def replayed(pipeline: Pipeline, folder: Path, again: Path, admission: Admission | None = None) -> Comparison:
    """Replay a recording, record that, and hold the two against each other."""
    record(pipeline, replay(folder), again, admission=admission or block(2), provider="cpu")
    return compare(again, folder)


def equal(found: Comparison, *stages: str) -> None:
    """Everything that both have is equal, and that is something."""
    assert found.equal, found
    assert found.frames_only == (0, 0), found
    assert {stage.name for stage in found.stages} == set(stages)
    assert all(stage.both > 0 for stage in found.stages), found


Make = Callable[[Path], Pipeline]


def single(folder: Path) -> Pipeline:
    return Pipeline([Stage("net", scaled(folder / "net", RANGE)), Stage("found", models.brightest(folder / "found"))])


def normalised(normalise: Any) -> Make:
    return lambda folder: Pipeline([Stage("net", scaled(folder / "net", RANGE), normalise=normalise, frozen_frames=4)])


def windows(**gather: Any) -> Make:
    return lambda folder: Pipeline([Stage("net", weighted(folder / "net"))], Gather(3, **gather))


def recurrent(on_gap: Any) -> Make:
    def make(folder: Path) -> Pipeline:
        package = write(folder / "net", Recipe(recurrent=True, described="uint16", pre=(UNIT,)))
        return Pipeline([Stage("net", package)], Gather(1, on_gap=on_gap))

    return make


KINDS: dict[str, Make] = {
    "frozen": normalised("frozen"),
    "running": normalised("running"),
    "jumping": windows(),
    "jumping, reset": windows(on_gap="reset"),
    "jumping, hold": windows(on_gap="hold"),
    "sliding, pad": windows(every=1, look_ahead=1, on_gap="pad"),
    "sliding, hold": windows(every=1, on_gap="hold"),
    "recurrent": recurrent("reset"),
    "recurrent, hold": recurrent("hold"),
}
FLOATS = ("frozen", "running")


ADMISSIONS = {"newest": keep_newest(1), "oldest": keep_oldest(1), "every second": keep_newest(2, every_n=2)}
QUICK = [("newest", "frozen"), ("newest", "sliding, pad"), ("oldest", "recurrent"), ("every second", "recurrent")]
# Frames of windows that keep_oldest refuses are not copied, and cannot stand in for lost ones: see docs/replay.md.
APART = ("oldest", "jumping, hold")
REST = [each for each in product(ADMISSIONS, KINDS) if each not in (*QUICK, APART)]


@pytest.mark.parametrize(
    ("admission", "kind"), [*QUICK, *(pytest.param(*each, marks=pytest.mark.slow) for each in REST)], ids=str
)
def test_a_run_that_skipped_is_repeated_with_the_windows_that_ran(tmp_path: Path, kind: str, admission: str) -> None:
    pipeline = KINDS[kind](tmp_path)
    frames = camera(dtype="float32" if kind in FLOATS else "uint16")
    live = record(pipeline, frames, tmp_path / "live", admission=ADMISSIONS[admission], provider=SLOW)
    assert live.ledger.counts["lost_upstream"] == 3
    found = replayed(pipeline, tmp_path / "live", tmp_path / "again", as_recorded(tmp_path / "live"))
    equal(found, "net")
    assert found.results_only == (0, 0), found
    assert live.ledger.counts["skipped"] > 5, "it was too slow for the camera"


SOME = ("running", "jumping, hold", "recurrent")


@pytest.mark.parametrize(
    "kind", [*SOME, *(pytest.param(kind, marks=pytest.mark.slow) for kind in KINDS if kind not in SOME)]
)
def test_a_run_that_took_everything_is_repeated(tmp_path: Path, kind: str) -> None:
    pipeline = KINDS[kind](tmp_path)
    frames = camera(dtype="float32" if kind in FLOATS else "uint16")
    live = record(pipeline, frames, tmp_path / "live", admission=block(2), provider="cpu")
    found = replayed(pipeline, tmp_path / "live", tmp_path / "again")
    equal(found, "net")
    assert found.results_only == (0, 0), found
    for first, second in zip(
        open_recording(tmp_path / "live").frames(), open_recording(tmp_path / "again").frames(), strict=True
    ):
        assert first.id == second.id
        assert (dict(first.index), dict(first.labels)) == (dict(second.index), dict(second.labels))
        assert (first.exposure_ms, first.stage_um) == (second.exposure_ms, second.stage_um)
    assert live.ledger.counts["done"] > 20


@pytest.mark.long
def test_frames_by_themselves_are_equal_whatever_was_skipped(tmp_path: Path) -> None:
    """Single frames with statistics of their own: a replay has all answers, and those of the live run are equal."""
    pipeline = Pipeline([Stage("net", scaled(tmp_path / "net", RANGE))])
    live = record(pipeline, camera(dtype="float32"), tmp_path / "live", admission=keep_newest(1), provider=SLOW)
    found = replayed(pipeline, tmp_path / "live", tmp_path / "again")
    equal(found, "net")
    assert found.results_only == (live.ledger.counts["skipped"], 0)
    assert found.models == ("net: another provider (cpu and scripted:seed=5,slow=12@40%)",)


@pytest.mark.long
def test_statistics_after_skipped_frames_are_told_apart(tmp_path: Path) -> None:
    """Under `block` a replay freezes its statistics on other frames than a live run that skipped some."""
    pipeline = normalised("frozen")(tmp_path)
    record(pipeline, camera(dtype="float32"), tmp_path / "live", admission=keep_newest(1), provider="scripted:slow=9@*")
    found = replayed(pipeline, tmp_path / "live", tmp_path / "again")
    assert not found.equal
    (stage,) = found.stages
    assert len(stage.differ) == stage.other_parameters > 0
    assert stage.other_windows == 0


@pytest.mark.long
def test_changes_of_size_and_type_are_replayed(tmp_path: Path) -> None:
    pipeline = Pipeline(
        [Stage("net", models.plus_one(tmp_path / "net")), Stage("found", models.brightest(tmp_path / "b"))]
    )
    script: list[scripted.Step] = [
        scripted.Steady(20, fps=500),
        scripted.Change(shape=(16, 40)),
        scripted.Steady(20, fps=500),
        scripted.Change(shape=(24, 32)),
        scripted.Drop(2),
        scripted.Steady(10, fps=500),
    ]
    record(pipeline, camera(script), tmp_path / "live", admission=keep_newest(2), provider="cpu")
    found = replayed(pipeline, tmp_path / "live", tmp_path / "again")
    equal(found, "net", "found")
    assert found.frames == 50


@pytest.mark.long
def test_two_cameras_are_replayed_together(tmp_path: Path) -> None:
    pipeline = Pipeline(
        [
            Stage("net", models.plus_one(tmp_path / "net"), camera="left"),
            Stage("found", models.brightest(tmp_path / "b"), camera="right"),
        ]
    )
    both = [scripted.camera([scripted.Steady(20, fps=300)], shape=(16, 16), name=name) for name in ("left", "right")]
    record(pipeline, scripted.cameras(both), tmp_path / "live", admission=keep_newest(2), provider="cpu")
    found = replayed(pipeline, tmp_path / "live", tmp_path / "again")
    equal(found, "net", "found")
    assert found.frames == 40


@pytest.mark.long
def test_a_replay_under_faults_is_the_same_each_time(tmp_path: Path) -> None:
    pipeline = recurrent("reset")(tmp_path)
    record(pipeline, camera(), tmp_path / "live", admission=keep_newest(2), provider="cpu")
    trouble = faults.parse("seed=2,drop=6%,jitter_ms=1,burst=5%x4,fail=8%,die=4%")
    for name in ("first", "second"):
        with trouble.inject(replay(tmp_path / "live"), "cpu") as (source, provider):
            record(pipeline, source, tmp_path / name, admission=block(2), provider=provider)
    first, second = ((tmp_path / name / "ledger.csv").read_text().splitlines() for name in ("first", "second"))
    assert sorted(first) == sorted(second)
    assert sum("died" in line for line in first) == 2
    found = compare(tmp_path / "first", tmp_path / "second")
    equal(found, "net")
    assert found.results_only == (0, 0)


@pytest.mark.long
def test_micro_managers_demo_camera(tmp_path: Path) -> None:
    """A real core and real networks: beads, a change of the region in mid-run, stages of images and of points."""
    pipeline = Pipeline(
        [
            Stage("denoise", "zoo/care-beads"),
            Stage("superres", "zoo/espcn-beads", reads="denoise"),
            Stage("spots", "zoo/spots-beads", reads="denoise"),
        ]
    )
    with (
        micromanager.demo(size=128) as scope,
        Runtime(pipeline, record=tmp_path / "live", on_event=lambda event: None, threads=1) as runtime,
    ):
        for number, _ in enumerate(runtime.stream(scope.live(exposure_ms=20), n=40)):
            if number == 8:
                scope.set_roi(16, 16, 64, 96)
    record(pipeline, replay(tmp_path / "live"), tmp_path / "again", admission=block(2), threads=1)
    found = compare(tmp_path / "again", tmp_path / "live")
    equal(found, "denoise", "superres", "spots")
    assert found.frames == 40
    assert len(open_recording(tmp_path / "again").segments) == 2


@pytest.mark.long
def test_the_specimen(tmp_path: Path) -> None:
    """Living cells: label images, of a real network, from several threads."""
    pipeline = Pipeline([Stage("nuclei", "zoo/nuclei-cells")])
    with (
        specimen.source("dividing-cells@nuclei", size=128) as source,
        Runtime(pipeline, record=tmp_path / "live", on_event=lambda event: None) as runtime,
    ):
        results = sum(1 for _ in runtime.stream(source, n=12))
    assert results
    record(pipeline, replay(tmp_path / "live"), tmp_path / "again", admission=block(2))
    found = compare(tmp_path / "again", tmp_path / "live")
    equal(found, "nuclei")
    images = open_recording(tmp_path / "again").images
    assert any(image.role == "derived" and np.dtype(image.dtype).kind in "iu" for image in images.values())


@pytest.mark.long
@pytest.mark.parametrize("name", ["data.ome.zarr", "data.ome.tiff"])
def test_frames_that_an_acquisition_saved_itself(tmp_path: Path, name: str) -> None:
    """The recording has answers and identities, and points to the pixels: together they are a source again."""
    import useq
    from mm_test_adapters import device_adapter_path
    from pymmcore_plus import CMMCorePlus

    core = CMMCorePlus()
    core.loadSystemConfiguration(Path(device_adapter_path(), "MMConfig_demo.cfg"))
    core.setROI(0, 0, 64, 48)
    plan = {"time_plan": {"interval": 0, "loops": 4}, "channels": ["DAPI", "FITC"], "z_plan": {"range": 1, "step": 1}}
    sequence = useq.MDASequence.model_validate(plan)
    net, mean = models.plus_one(tmp_path / "net"), models.brightest(tmp_path / "found")
    pipeline = Pipeline([Stage("net", net), Stage("found", mean, channel="FITC")])
    with Runtime(pipeline, admission=block(4), record=tmp_path / "live", provider="cpu") as runtime:
        with runtime.attach(core):
            core.mda.run(sequence, output=tmp_path / name)
        assert runtime.drain(30)
    core.unloadAllDevices()
    assert len(open_recording(tmp_path / "live")) == 0
    with Runtime(pipeline, admission=block(2), record=tmp_path / "again", provider="cpu") as runtime:
        results = list(runtime.stream(replay(tmp_path / "live")))
    assert len(results) == 16
    assert {result.frame.labels["c"] for result in results} == {"DAPI", "FITC"}
    found = compare(tmp_path / "again", tmp_path / "live")
    assert [(stage.name, stage.both, stage.differ) for stage in found.stages] == [("net", 16, ()), ("found", 8, ())]
    assert found.equal
    shutil.move(tmp_path / name, tmp_path / "gone")
    with pytest.raises(SourceError, match="put it back"):
        replay(tmp_path / "live")
