"""Recordings of real acquisitions that save their raw frames themselves, or do not: linked, or written here."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
import useq
from hypothesis import given
from hypothesis import strategies as st
from pycromanager import Acquisition, multi_d_acquisition_events
from pymmcore_plus import CMMCorePlus

from onscope.drivers import micromanager
from onscope.runtime import Event, Pipeline, RecordError, Runtime, SourceError, Stage, block
from onscope.runtime.record import RecordedRun, open_recording
from onscope.runtime.record._linked import LinkedFrames
from onscope.runtime.record._links import are_links
from onscope.runtime.record.verify import verify
from tests.models import plus_one

SEQUENCE = useq.MDASequence.model_validate(
    {"time_plan": {"interval": 0, "loops": 3}, "channels": ["DAPI", "FITC"], "z_plan": {"range": 1, "step": 1}}
)
FRAMES = 12


def recorded(core: CMMCorePlus, folder: Path, output: Any) -> tuple[RecordedRun, list[Event]]:
    """An acquisition of SEQUENCE with a runtime attached, that records."""
    told: list[Event] = []
    pipeline = Pipeline([Stage("plus", plus_one(folder.parent / "model"))])
    with Runtime(pipeline, admission=block(4), record=folder, on_event=told.append) as runtime:
        with runtime.attach(core):
            core.mda.run(SEQUENCE, output=output)
        assert runtime.drain(30)
    assert runtime.ledger.counts["done"] == FRAMES
    return open_recording(folder), [event for event in told if event.bad]


@pytest.mark.parametrize(("name", "kind"), [("raw.ome.zarr", "ome-zarr"), ("raw.ome.tiff", "ome-tiff")])
def test_what_pymmcore_plus_saves_is_linked_and_not_written_twice(
    core: CMMCorePlus, tmp_path: Path, name: str, kind: str
) -> None:
    run, bad = recorded(core, tmp_path / "run", tmp_path / name)
    assert (len(run), bad) == (0, [])
    assert run.manifest["sources"] == [{"driver": "hook", "cameras": ["Camera"]}]
    text = (run.folder / "methods.md").read_text()
    assert "with Micro-Manager, camera Camera [fill in" in text
    assert "Raw frames were saved by pymmcore-plus" in text
    (link,) = run.links
    assert (link.kind, link.path, link.by) == (kind, tmp_path / name, "pymmcore-plus")
    assert link.path is not None
    assert link.path.exists()


@pytest.mark.filterwarnings("ignore:The 'pymmcore_plus.mda.handlers' module:FutureWarning")
def test_writers_of_pymmcore_plus_are_known_by_where_they_come_from(core: CMMCorePlus, tmp_path: Path) -> None:
    from pymmcore_plus.mda.handlers import OMETiffWriter  # on their way out, and still used

    run, _ = recorded(core, tmp_path / "run", OMETiffWriter(tmp_path / "raw.ome.tiff"))
    assert len(run) == 0
    assert run.links[0].path == tmp_path / "raw.ome.tiff"
    assert tifffile.imread(tmp_path / "raw.ome.tiff").shape[-2:] == (48, 64)


@pytest.mark.parametrize("output", [None, "scratch"])
def test_what_nobody_saves_is_recorded_here(core: CMMCorePlus, tmp_path: Path, output: str | None) -> None:
    run, bad = recorded(core, tmp_path / "run", output)
    assert (len(run), run.links, bad) == (FRAMES, [], [])
    positions = [dict(frame.index) for frame in run.frames()]
    assert positions == [dict(event.index) for event in SEQUENCE]
    assert run.verify() == []


def test_a_display_among_the_outputs_saves_nothing(core: CMMCorePlus, tmp_path: Path) -> None:
    class Display:
        def frameReady(self, image: np.ndarray) -> None:
            pass

    display = Display()
    run, _ = recorded(core, tmp_path / "run", display)
    assert (len(run), run.links) == (FRAMES, [])


def hooked(tmp_path: Path, directory: str | None, *, link: bool) -> tuple[RecordedRun, Any, list[Event]]:
    """A pycro-manager acquisition with a runtime as its hook, that records; where the acquisition saved."""
    told: list[Event] = []
    pipeline = Pipeline([Stage("plus", plus_one(tmp_path / "model"))])
    with (
        micromanager.demo(size=64),
        Runtime(pipeline, admission=block(4), record=tmp_path / "run", on_event=told.append) as runtime,
    ):
        with Acquisition(directory, "a", image_process_fn=runtime.image_process_fn) as acquisition:
            if link:
                runtime.link(acquisition)
            acquisition.acquire(multi_d_acquisition_events(num_time_points=5, time_interval_s=0))
        assert runtime.drain(30)
        place = getattr(acquisition.get_dataset(), "path", None)
    return open_recording(tmp_path / "run"), place, [event for event in told if event.bad]


def test_what_pycro_manager_saves_is_linked(tmp_path: Path) -> None:
    run, place, bad = hooked(tmp_path, str(tmp_path / "data"), link=True)
    assert (len(run), bad) == (0, [])
    (link,) = run.links
    assert (link.kind, link.by) == ("ndtiff", "pycro-manager")
    assert link.path == Path(place)
    assert (link.path / "NDTiff.index").is_file()


@pytest.mark.parametrize("name", ["raw.ome.zarr", "raw.ome.tiff"])
def test_answers_to_linked_frames_are_computed_again(core: CMMCorePlus, tmp_path: Path, name: str) -> None:
    run, _ = recorded(core, tmp_path / "run", tmp_path / name)
    assert run.table("inputs").num_rows == FRAMES
    checks = {check.name: check for check in verify(run.folder).checks}
    assert f"{FRAMES} of {FRAMES} that answers were computed from are in" in checks["raw frames"].words
    assert any(f"plus: {FRAMES} identical to the bit" in note for note in checks["computed again"].notes)
    assert not any(check.faults for check in checks.values())


def test_answers_to_frames_of_pycro_manager_are_computed_again(tmp_path: Path) -> None:
    run, place, _ = hooked(tmp_path, str(tmp_path / "data"), link=True)
    checks = {check.name: check for check in verify(run.folder).checks}
    assert any("plus: 5 identical to the bit" in note for note in checks["computed again"].notes)
    stack = next(Path(place).glob("*.tif"))
    (frame,) = LinkedFrames(run).find(list(LinkedFrames(run).rows)[2:3]).values()
    pixels, content = frame.pixels.tobytes(), stack.read_bytes()
    assert pixels in content
    stack.write_bytes(content.replace(pixels, bytes([pixels[0] ^ 1]) + pixels[1:]))  # the camera may repeat itself
    changed = {check.name: check for check in verify(run.folder).checks}["raw frames"]
    assert "the pixels that the answers were computed from are not there" in changed.faults[0]
    shutil.move(place, tmp_path / "gone")
    gone = {check.name: check for check in verify(run.folder).checks}["raw frames"]
    assert "put it back" in gone.faults[0]


def test_an_acquisition_in_memory_is_recorded_here(tmp_path: Path) -> None:
    run, _, bad = hooked(tmp_path, None, link=True)
    assert (len(run), run.links, bad) == (5, [], [])
    assert run.verify() == []


def test_one_is_told_once_that_nobody_knows_where_raw_frames_are(tmp_path: Path) -> None:
    run, _, bad = hooked(tmp_path, str(tmp_path / "data"), link=False)
    assert (len(run), run.links) == (0, [])
    assert [event.kind for event in bad] == ["warning"]
    assert "runtime.link(acquisition)" in bad[0].message


def test_links_hold_when_both_are_moved_or_the_recording_alone(tmp_path: Path) -> None:
    base = tmp_path / "before"
    base.mkdir()
    run, _, _ = hooked(base, str(base / "data"), link=True)
    shutil.move(base, tmp_path / "after")
    moved = open_recording(tmp_path / "after" / "run").links[0].path
    assert moved is not None
    assert moved.relative_to(tmp_path / "after")
    assert (moved / "NDTiff.index").is_file()
    shutil.move(tmp_path / "after" / "data", base / "data")
    alone = open_recording(tmp_path / "after" / "run").links[0].path
    assert alone == run.links[0].path


def test_only_what_saves_can_be_linked(tmp_path: Path) -> None:
    with (
        Runtime(Pipeline([Stage("plus", plus_one(tmp_path / "model"))])) as runtime,
        pytest.raises(SourceError, match="found a int, expected a pycro-manager Acquisition"),
    ):
        runtime.link(3)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=4),
    max_leaves=8,
)


@given(JSON)
def test_odd_links_are_no_links(value: Any) -> None:
    if are_links(value):
        assert isinstance(value, list)
        assert all(isinstance(entry["kind"], str) for entry in value)


def test_a_manifest_with_odd_links_is_refused(tmp_path: Path) -> None:
    run, _, _ = hooked(tmp_path, None, link=True)
    path = run.folder / "recording.json"
    path.write_text(path.read_text().replace('"notes"', '"links": [{"kind": 1}],\n "notes"'))
    with pytest.raises(RecordError, match="as links in"):
        open_recording(run.folder)
