"""Answers of real acquisitions and replays stand where their raw frames stand: channels, planes, positions, losses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
import useq
import zarr
from pymmcore_plus import CMMCorePlus

from onscope.drivers import replay
from onscope.runtime import Pipeline, RecordError, Runtime, Stage, block, keep_newest
from onscope.runtime.record import RecordedRun, open_recording
from tests.models import plus_one

SEQUENCE = useq.MDASequence.model_validate(
    {
        "time_plan": {"interval": 0, "loops": 2},
        "channels": ["DAPI", "FITC"],
        "z_plan": {"range": 1, "step": 1},
        "stage_positions": [{"x": 0, "y": 0}, {"x": 40, "y": 0}],
        "axis_order": "tpcz",
    }
)
FRAMES = 16


def pipeline_in(folder: Path) -> Pipeline:
    """Two stages that add 1: one runs on all channels, one on FITC alone."""
    package = plus_one(folder / "model")
    return Pipeline([Stage("plus", package), Stage("green", package, channel="FITC")])


def acquire(core: CMMCorePlus, folder: Path, output: Any) -> RecordedRun:
    with Runtime(pipeline_in(folder.parent), admission=block(4), record=folder) as runtime:
        with runtime.attach(core):
            core.mda.run(SEQUENCE, output=output)
        assert runtime.drain(60)
    assert runtime.ledger.counts["done"] == FRAMES
    return open_recording(folder)


def compare(run: RecordedRun, stage: str) -> list[tuple[str, tuple[int, ...]]]:
    """Raw images and elements that the stage has an answer at; each is the raw one there plus 1, read by Zarr."""
    found = []
    for images in run[stage]:
        assert images.raw is not None
        raw: Any = zarr.open_array(run.folder / images.raw / "0", mode="r")
        derived: Any = zarr.open_array(images.path / "0", mode="r")
        assert derived.shape[:-2] == raw.shape[:-2]
        for at in np.argwhere(images.present):
            place = tuple(map(int, at))
            np.testing.assert_array_equal(derived[place], raw[place] + 1)
            found.append((images.raw, place))
    return sorted(found)


def test_an_acquisition_of_channels_planes_and_positions(core: CMMCorePlus, tmp_path: Path) -> None:
    run = acquire(core, tmp_path / "run", None)
    assert len(run) == FRAMES
    elements = [(t, c, z) for t in range(2) for c in range(2) for z in range(2)]
    both = ["raw-1.ome.zarr", "raw.ome.zarr"]
    assert compare(run, "plus") == [(raw, at) for raw in both for at in elements]
    assert compare(run, "green") == [(raw, at) for raw in both for at in elements if at[1] == 1]
    for frame_row, event in zip(run.table("frames").to_pylist(), SEQUENCE, strict=True):
        assert frame_row["index"] == [event.index[axis] for axis in "tcz"]
    green = run["green"][0]
    with pytest.raises(RecordError, match=r"0, 0, 0 of .* is missing \(frame .* is done\)"):
        green[0, 0, 0]


def test_answers_to_frames_that_the_acquisition_saves_itself(core: CMMCorePlus, tmp_path: Path) -> None:
    run = acquire(core, tmp_path / "run", tmp_path / "own.ome.zarr")
    assert len(run) == 0
    (link,) = run.links
    assert link.path is not None
    arrays = sorted(path.parent for path in link.path.rglob("zarr.json") if '"array"' in path.read_text())
    stored = [array for array in (np.asarray(zarr.open_array(path, mode="r")) for path in arrays) if array.ndim >= 5]
    for stage in ("plus", "green"):
        assert len(run[stage]) == 2
        for images, raw in zip(run[stage], stored, strict=True):
            assert images.raw is None
            there = np.argwhere(images.present)
            assert len(there) == (8 if stage == "plus" else 4)
            for at in there:
                np.testing.assert_array_equal(images[tuple(map(int, at))], raw[tuple(at)] + 1)


def test_a_replayed_stack_of_channels_and_planes_under_skipping(tmp_path: Path) -> None:
    stack = np.random.default_rng(1).integers(0, 60000, (4, 2, 3, 40, 48), np.uint16)
    path = tmp_path / "stack.ome.tif"
    tifffile.imwrite(path, stack, metadata={"axes": "TZCYX"}, ome=True, photometric="minisblack")
    pipeline = pipeline_in(tmp_path)
    with Runtime(pipeline, admission=keep_newest(1), record=tmp_path / "run") as runtime:
        for _ in runtime.stream(replay(path, fps=2000)):
            pass
    run = open_recording(tmp_path / "run")
    assert len(run) == 24
    (raw,) = run["raw"]
    assert raw.along == "tcz"
    for t, z, c in np.ndindex(4, 2, 3):
        np.testing.assert_array_equal(raw[t, c, z], stack[t, z, c], strict=True)
    done = compare(run, "plus")
    assert len(done) == runtime.ledger.counts["done"]
