"""Frames that a recorder had been given when its disk filled up: told one by one, in the manifest and by `verify`."""

from __future__ import annotations

import contextlib
import shutil
from pathlib import Path

import numpy as np
import psutil
import pytest
from hypothesis import given as drawn
from hypothesis import strategies as st

from onscope.runtime import FrameId, FrameSpec, Pipeline, RecordError, Runtime, Stage
from onscope.runtime.record import Recording, open_recording
from onscope.runtime.record._who import among, are_entries, as_entries
from onscope.runtime.record.recorder._disk import SPARE_BYTES
from onscope.runtime.record.verify import verify
from tests import models
from tests.disks import small_disk

from ._made import MadeSource, made_result

SPEC = FrameSpec((512, 512))
IDS = st.lists(
    st.builds(FrameId, st.sampled_from(["a", "b"]), st.sampled_from(["c", "d"]), st.integers(0, 2), st.integers(0, 30))
)


@drawn(IDS, IDS)
def test_frames_are_told_in_short(told: list[FrameId], others: list[FrameId]) -> None:
    entries = as_entries(told)
    assert are_entries(entries)
    assert sum(entry["frames"] for entry in entries) == len(set(told))
    assert among({*told, *others}, entries) == set(told)


@pytest.mark.parametrize("found", [{}, [[]], [{"run": "a"}], [as_entries([FrameId("a", "b", 0, 1)])[0] | {"seq": "1"}]])
def test_what_a_manifest_may_not_hold(found: object) -> None:
    assert not are_entries(found)


def test_a_disk_that_is_suddenly_full(tmp_path: Path) -> None:
    """Pass: the account has the frames, the disk has not; the manifest says which, and `verify` finds no fault."""
    pipeline = Pipeline([Stage("plus", models.plus_one(tmp_path / "plus"))])
    with small_disk(tmp_path / "disk", 90) as place:
        recording = Recording(place / "run", buffer_mb=32.0)
        with pytest.raises(RecordError), Runtime(pipeline, worker="thread", record=recording) as runtime:  # noqa: PT012
            for frame in MadeSource(SPEC, 1000).frames():
                runtime.submit(frame)
                if frame.id.seq == 10:
                    _fill(place / "filler")
        (place / "filler").unlink()
        with pytest.raises(RecordError):
            recording.finish(runtime.ledger)
        run = open_recording(place / "run")
        unsaved = run.manifest["unsaved"]
        rows = {row.id for row in runtime.ledger.table() if not row.reason.startswith("not recorded")}
        saved = {frame.id for frame in run.frames()}
        assert unsaved, "the disk was full before a frame was lost"
        assert among(rows, unsaved) == rows - saved
        report = verify(place / "run", sample=0)
        assert report.good, report.faults
        notes = [note for check in report.checks for note in check.notes]
        assert any("which failed before it had saved them" in note for note in notes), notes


def test_answers_leave_room_for_the_raw_frames_that_wait(tmp_path: Path) -> None:
    """Pass: a recorder that gets no turn while answers fill the disk still finds room for every frame it was given."""
    answer = np.random.default_rng(0).random((512, 512), dtype=np.float32)
    given = filled = 0
    with small_disk(tmp_path / "disk", 90) as place:
        recording = Recording(place / "run", buffer_mb=32.0)
        recorder = psutil.Process(recording.sink.pid)
        with pytest.raises(RecordError, match=r"found \d+ MB free"), recording:  # noqa: PT012
            frames = iter(MadeSource(FrameSpec((256, 256)), 240).frames())
            for frame in frames:
                if given == 1:
                    recorder.suspend()
                recording.save(frame)
                given += 1
                try:
                    recording.add(made_result(frame, {"image": answer}))
                except RecordError:
                    filled = given
                    for late in frames:  # the camera is told, and goes on
                        recording.save(late)
                        given += 1
                    recorder.resume()
                    raise
        run = open_recording(place / "run")
        assert 20 < filled < 100
        assert [frame.id.seq for frame in run.frames()] == list(range(given))
        assert "unsaved" not in run.manifest
        assert "MB free" in run.manifest["answers_ended"]
        report = verify(place / "run", sample=0)
        assert report.good, report.faults


def test_frames_leave_room_for_their_rows(tmp_path: Path) -> None:
    """Pass: where the disk has room for half of what waits, that half is saved and told, not one frame without rows."""
    spec = FrameSpec((256, 256))
    with small_disk(tmp_path / "disk", 40) as place:
        recording = Recording(place / "run", buffer_mb=32.0)
        recorder = psutil.Process(recording.sink.pid)
        with pytest.raises(RecordError, match="MB free"), recording:  # noqa: PT012
            for frame in MadeSource(spec, 150).frames():
                recording.save(frame)
                if frame.id.seq == 0:
                    recorder.suspend()
            _fill(place / "filler", leave=SPARE_BYTES + 75 * spec.nbytes)
            recorder.resume()
        run = open_recording(place / "run")
        assert 50 < len(run) < 150
        assert [frame.id.seq for frame in run.frames()] == list(range(len(run)))
        (place / "filler").unlink()
        report = verify(place / "run", sample=0)
        assert report.good, report.faults


def _fill(path: Path, leave: int = 0) -> None:
    """Fill the disk, but for so many bytes."""
    with contextlib.suppress(OSError), open(path, "wb", buffering=0) as file:
        while shutil.disk_usage(path.parent).free > leave:
            file.write(bytes(1 << 16))
