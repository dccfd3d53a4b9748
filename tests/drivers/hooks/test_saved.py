"""pycro-manager's acquisitions: images taken once they are saved, and derived images in a data set of their own."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ndstorage import Dataset
from pycromanager import Acquisition, multi_d_acquisition_events

from onscope.drivers import micromanager
from onscope.runtime import Event, Pipeline, Runtime, Stage, block
from onscope.runtime.record import open_recording
from tests.models import plus_one, root

Make = Callable[..., Runtime]
PLAN: dict[str, Any] = {
    "num_time_points": 3,
    "time_interval_s": 0,
    "channel_group": "Channel",
    "channels": ["DAPI", "FITC"],
    "channel_exposures_ms": [2, 3],
    "z_start": 0,
    "z_end": 2,
    "z_step": 1,
    "order": "tcz",
}
FRAMES = 18


def acquire(folder: Path | None, **hooks: Any) -> Any:
    """An acquisition of PLAN with noise; its data set, finished."""
    with micromanager.demo(size=64, buffer_mb=16) as scope:
        scope.set(scope.core.get_camera_device(), "Mode", "Noise")
        with Acquisition(None if folder is None else str(folder), "raw", **hooks) as acquisition:
            acquisition.acquire(multi_d_acquisition_events(**PLAN))
        return acquisition.get_dataset()


def read(folder: Path) -> Any:
    with contextlib.redirect_stdout(io.StringIO()):  # it prints its progress
        return Dataset(str(folder))


@pytest.mark.parametrize("hook", ["image_process_fn", "image_saved_fn"])
@pytest.mark.parametrize(("along", "length"), [("z", 3), ("c", 2)])
def test_stacks_and_channels_are_whole_windows(
    runtime: Make, tmp_path: Path, hook: str, along: str, length: int
) -> None:
    it = runtime(along, length)
    results = it.subscribe(block(FRAMES))
    acquire(tmp_path, **{hook: getattr(it, hook)})
    dataset = read(tmp_path / "raw_1")
    assert it.drain(30)
    results.close()
    assert it.ledger.reasons == {"done": FRAMES}
    taken = list(results)
    assert len(taken) == FRAMES // length
    names = {0: "DAPI", 1: "FITC"}
    for result in taken:
        places = [dict(frame.index) for frame in result.frames]
        assert [place[along] for place in places] == list(range(length))
        raw = [dataset.read_image(time=at["t"], channel=names[at["c"]], z=at["z"]) for at in places]
        np.testing.assert_array_equal(result["mean"], np.stack(raw).mean(0, dtype=np.float32).astype(np.uint16))


@pytest.mark.parametrize("saves", [True, False])
def test_saved_images_are_linked_and_not_recorded_twice(tmp_path: Path, saves: bool) -> None:
    told: list[Event] = []
    pipeline = Pipeline([Stage("plus", plus_one(tmp_path / "model"))])
    with Runtime(pipeline, admission=block(4), record=tmp_path / "run", on_event=told.append) as it:
        dataset = acquire(tmp_path / "data" if saves else None, image_saved_fn=it.image_saved_fn)
        assert it.drain(30)
    assert it.ledger.reasons == {"done": FRAMES}
    assert not [event for event in told if event.bad]
    run = open_recording(tmp_path / "run")
    if saves:
        assert (len(run), [link.path for link in run.links]) == (0, [Path(dataset.path)])
        assert run.table("inputs").num_rows == FRAMES
    else:  # in memory, where it ends with the program
        assert (len(run), run.links) == (FRAMES, [])


def test_an_image_that_cannot_be_read_is_told_once(runtime: Make, events: list[Event]) -> None:
    class Gone:
        path = "/nowhere"

        def read_image(self, **axes: Any) -> Any:
            raise OSError("no such file")

    it, gone = runtime(), Gone()
    for _ in range(3):
        it.image_saved_fn({"time": 0}, gone)
    it.close()
    assert it.ledger.submitted == 0
    assert [event.message for event in events if event.kind == "hook error"] == [
        "found no image {'time': 0} in the data set that it was saved in (OSError('no such file'))"
    ]


def test_derived_images_are_a_data_set_beside_the_raw_one(runtime: Make, tmp_path: Path) -> None:
    it = runtime()
    with it.derive(tmp_path / "derived") as derived:
        acquire(tmp_path, image_process_fn=it.image_process_fn)
    assert derived.given == {"plus": FRAMES}
    raw, made = read(tmp_path / "raw_1"), read(tmp_path / "derived")
    channels = {axes["channel"] for axes in made.get_image_coordinates_list()}
    assert channels == {"DAPI plus", "FITC plus"}
    assert len(made.get_image_coordinates_list()) == FRAMES
    for axes in raw.get_image_coordinates_list():
        beside = {**axes, "channel": f"{axes['channel']} plus"}
        np.testing.assert_array_equal(made.read_image(**beside), raw.read_image(**axes) + 1)
        tags, words = raw.read_metadata(**axes), made.read_metadata(**beside)
        assert words["Axes"] == beside
        assert words["onscope"]["stage"] == "plus"
        assert {name: words[name] for name in ("Exposure", "Camera")} == {
            name: tags[name] for name in ("Exposure", "Camera")
        }
    raw.close()
    made.close()


def test_a_data_set_in_memory_takes_what_ndtiff_cannot(runtime: Make, tmp_path: Path, events: list[Event]) -> None:
    from ndstorage.ndram_dataset import NDRAMDataset

    pipeline = Pipeline([Stage("root", root(tmp_path / "root"))])
    image = np.full((16, 16), 4, np.float32)
    memory = NDRAMDataset()
    memory.initialize({})
    with Runtime(pipeline, worker="thread", admission=block(4), on_event=events.append) as it:
        with it.derive(memory):
            it.image_process_fn(image, {"Axes": {"time": 0}})
        with it.derive(tmp_path / "derived") as derived:
            it.image_process_fn(image, {"Axes": {"time": 1}})
    np.testing.assert_array_equal(memory.read_image(time=0, channel="root"), np.full((16, 16), 2, np.float32))
    assert (derived.given, derived.skipped) == ({}, 1)
    assert "found images 16x16 float32 of root" in next(each.message for each in events if each.kind == "hook error")
