"""Disks that are slow, fail, cannot be written to, or vanish: told at once, and what was acknowledged can be read."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from onscope.runtime import FrameSpec, RecordError
from onscope.runtime.record import Recording, open_recording
from onscope.runtime.record._place import Hold
from onscope.runtime.record.repair import repair
from onscope.runtime.record.verify import verify
from tests.disks import block_disk, run, small_disk

from ._made import MadeSource, made_result

SPEC = FrameSpec((256, 256))
MANY = 100_000


def check(folder: Path, at_least: int = 1) -> None:
    """Every frame that was acknowledged is there and equal, and the recording can be made whole."""
    repair(folder)
    source = MadeSource(SPEC, MANY)
    kept = open_recording(folder)
    assert len(kept) >= at_least
    for frame in kept.frames():
        assert (frame.pixels == source.pixels(frame.id.seq)).all()
    report = verify(folder, sample=0)
    assert report.good, report.faults


@pytest.mark.long
def test_a_slow_disk_makes_the_camera_wait_and_loses_nothing(tmp_path: Path) -> None:
    """Pass: at a tenth of what comes, the slots fill, saving waits, and in the end every frame is there."""
    with block_disk(tmp_path, 64) as disk:
        with Recording(disk.place / "run", buffer_mb=1.0) as recording:
            frames = MadeSource(SPEC, 60).frames()
            recording.save(next(frames))
            while not recording.raw_frames:
                pass
            waited = threading.Event()
            with disk.slowed(recording.sink.pid, 3_000_000) as numbers:
                for frame in frames:
                    recording.save(frame)
                    if recording.sink.waiting >= recording.sink.depth(SPEC) - 1:
                        waited.set()
                assert sum(int(line.split()[2]) for line in numbers.read_text().splitlines() if "Write" in line) > 0
            assert waited.is_set(), "the disk was never behind"
            assert recording.sink.failure is None
        assert len(open_recording(disk.place / "run")) == 60
        check(disk.place / "run", 60)


def test_a_disk_that_fails_in_the_middle(tmp_path: Path) -> None:
    """Pass: the first frame behind the failure is told in a sentence; what was saved before can be read."""
    with block_disk(tmp_path, 64) as disk:
        with (  # noqa: PT012
            pytest.raises(RecordError, match=r"Read-only file system|read-only|Input/output error") as told,
            Recording(disk.place / "run") as recording,
        ):
            for frame in MadeSource(SPEC, MANY).frames():
                recording.save(frame)
                if frame.id.seq == 40:
                    while recording.raw_frames < 20:
                        pass
                    disk.fail()
        assert "\n" not in str(told.value)
        kept = open_recording(disk.place / "run")
        assert len(kept) >= 20
        assert kept.verify() == []
        assert not verify(disk.place / "run", sample=0).good, "it did not end in order"
        with pytest.raises(RecordError, match="written"):
            raise RecordError("; ".join(repair(disk.place / "run").left))


def test_a_disk_that_vanishes(tmp_path: Path) -> None:
    """Pass: it is told at once; connected again, all that was acknowledged is there, and is made whole."""
    with block_disk(tmp_path, 64) as disk:
        acknowledged = 0
        with (  # noqa: PT012
            pytest.raises(RecordError, match=r"gone while it was written|cannot be reached"),
            Recording(disk.place / "run") as recording,
        ):
            for frame in MadeSource(SPEC, MANY).frames():
                recording.save(frame)
                if frame.id.seq == 40:
                    while recording.raw_frames < 20:
                        pass
                    disk.vanish()
                acknowledged = max(acknowledged, recording.raw_frames)
        left = [path for path in disk.place.rglob("*") if path.is_file() and "raw.ome.zarr" not in path.parts]
        assert left == [], "nothing but a chunk that was under way was written into its place"
        disk.come_back()
        Hold(disk.place / "run", 60.0).close()
        check(disk.place / "run", 20)
        assert len(open_recording(disk.place / "run")) >= acknowledged


def test_a_disk_that_can_only_be_read(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 8) as place:
        run("mount", "-o", "remount,ro", place)
        with pytest.raises(RecordError, match=r"cannot be made \(Read-only file system\)"):
            Recording(place / "run")


def test_a_full_disk_under_answers(tmp_path: Path) -> None:
    """Pass: answers that do not fit end the run in a sentence; frames and answers of rows are there and equal."""
    with small_disk(tmp_path / "disk", 24) as place:
        with (  # noqa: PT012
            pytest.raises(RecordError, match=r"No space left on device|MB free"),
            Recording(place / "run", buffer_mb=1) as recording,
        ):
            for frame in recording.tap(MadeSource(SPEC, MANY)).frames():
                recording.add(made_result(frame, {"image": frame.pixels, "other": frame.pixels}))
        kept = open_recording(place / "run")
        assert kept.verify() == []
        results = kept.table("results")
        assert results.num_rows > 10
        source = MadeSource(SPEC, MANY)
        for row, seq in enumerate(results["seq"].to_pylist()):
            assert (kept.answer("image", row) == source.pixels(seq)).all()
        run("mount", "-o", "remount,size=64m", place)  # room was made
        check(place / "run", 10)
