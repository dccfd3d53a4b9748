"""What the recorder process writes: every camera, pixel type and segment, the rolling window, checksums, the disk."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from itertools import chain, zip_longest
from pathlib import Path

import numpy as np
import pytest

from onscope.runtime import Frame, FrameId, FrameSpec, RecordError
from onscope.runtime._shm import SharedSlots
from onscope.runtime.record import RecordedRun, Recording, open_recording
from onscope.runtime.record.recorder import _disk

from ._made import MadeSource, noise


def test_cameras_pixel_types_and_segments_side_by_side(tmp_path: Path) -> None:
    sources = [
        MadeSource(FrameSpec((33, 20), camera="A", pixel_size_um=0.1), 12),
        MadeSource(FrameSpec((16, 24, 3), "uint8", "yxs", camera="B"), 9),
        MadeSource(FrameSpec((40, 8), "float32", camera="C"), 15),
    ]
    changed = MadeSource(FrameSpec((10, 10), camera="A", pixel_size_um=0.2), 5, segment=1)
    given = [frame for frames in zip_longest(*(source.frames() for source in sources)) for frame in frames if frame]
    given += changed.frames()
    with Recording(tmp_path / "run") as recording:
        for frame in given:
            recording.save(frame)
    run = open_recording(tmp_path / "run")
    assert [frame.id for frame in run.frames()] == [frame.id for frame in given]
    for frame, saved in zip(given, run.frames(), strict=True):
        np.testing.assert_array_equal(saved.pixels, frame.pixels, strict=True)
        assert saved.axes == frame.axes
    assert run.verify() == []
    assert [(segment.spec.camera, segment.index, segment.spec.shape) for segment in run.segments] == [
        ("A", 0, (33, 20)),
        ("B", 0, (16, 24, 3)),
        ("C", 0, (40, 8)),
        ("A", 1, (10, 10)),
    ]
    last = run.segments[-1]
    assert (last.spec.pixel_size_um, last.exposure_ms) == (0.2, 10.0)
    assert last.began.monotonic_ns == next(frame.received_ns for frame in given if frame.id.segment == 1)
    assert abs(last.began.wall_ns - recording.clock.wall_of(last.began.monotonic_ns)) < 1000


def test_what_is_known_of_a_frame_comes_back(tmp_path: Path) -> None:
    pixels = np.arange(12, dtype=np.uint16).reshape(3, 4)
    frame = Frame(
        FrameId("r", "Cam", np.int64(2), np.int64(7)),  # type: ignore[arg-type]
        pixels,
        index={"t": np.int64(3), "c": 1},  # type: ignore[dict-item]
        received_ns=10**15,
        exposure_end_ns=10**15 - 5,
        pixel_size_um=np.float64(0.25),
        exposure_ms=np.float32(5.0),  # type: ignore[arg-type]
        stage_um=(1.5, -2.0, 0.0),
        labels={"c": "DAPI", "p": "Ω 1"},
    )
    with Recording(tmp_path / "run") as recording:
        recording.save(frame)
    (saved,) = open_recording(tmp_path / "run").frames()
    assert saved.id == frame.id
    assert (dict(saved.index), dict(saved.labels)) == ({"t": 3, "c": 1}, {"c": "DAPI", "p": "Ω 1"})
    assert (saved.received_ns, saved.exposure_end_ns) == (10**15, 10**15 - 5)
    assert (saved.pixel_size_um, saved.exposure_ms, saved.stage_um) == (0.25, 5.0, (1.5, -2.0, 0.0))


def test_many_short_segments_share_an_image(tmp_path: Path) -> None:
    small, large = FrameSpec((8, 8)), FrameSpec((12, 8))
    with Recording(tmp_path / "run") as recording:
        for segment in range(100):
            for frame in MadeSource(large if segment % 10 == 5 else small, 2, segment).frames():
                recording.save(frame)
    run = open_recording(tmp_path / "run")
    assert sorted(run.images) == ["raw-1.ome.zarr", "raw.ome.zarr"]
    assert [segment.index for segment in run.segments] == list(range(100))
    assert run.segments[15].spec.shape == (12, 8)
    assert run.verify() == []
    for frame in run.frames():
        np.testing.assert_array_equal(frame.pixels, noise(frame.pixels.shape, "uint16", frame.id.seq))


@pytest.mark.parametrize(("count", "keep"), [(700, 20), (15, 20), (20, 20), (130, 100)])
def test_a_rolling_window_keeps_the_last_frames_of_each_image(tmp_path: Path, count: int, keep: int) -> None:
    first = MadeSource(FrameSpec((8, 8), camera="A"), 5)
    source = MadeSource(FrameSpec((9, 8), camera="B"), count)
    with Recording(tmp_path / "run", keep=keep) as recording:
        for frame in chain(first.frames(), source.frames()):
            recording.save(frame)
    run = open_recording(tmp_path / "run")
    expected = [("A", seq) for seq in range(5)] + [("B", seq) for seq in range(max(0, count - keep), count)]
    assert [(frame.id.camera, frame.id.seq) for frame in run.frames()] == expected
    assert run.verify() == []
    assert len(list((tmp_path / "run" / "raw-1.ome.zarr" / "0" / "c").iterdir())) <= keep + 70
    assert run.manifest["keep"] == keep


def test_an_open_recording_can_be_read(tmp_path: Path) -> None:
    with Recording(tmp_path / "run", keep=10) as recording:
        list(recording.tap(MadeSource(FrameSpec((8, 8)), 30)).frames())
        run = open_recording(tmp_path / "run")
        assert run.manifest["state"] == "open"
        assert [frame.id.seq for frame in run.frames()] == list(range(20, 30))
        assert run.verify() == []


def test_a_flipped_bit_is_found(tmp_path: Path) -> None:
    with Recording(tmp_path / "run") as recording:
        for frame in MadeSource(FrameSpec((32, 32)), 6).frames():
            recording.save(frame)
    chunks = tmp_path / "run" / "raw.ome.zarr" / "0" / "c"
    flipped = bytearray((chunks / "2" / "0" / "0").read_bytes())
    flipped[-40] ^= 4
    (chunks / "2" / "0" / "0").write_bytes(flipped)
    (chunks / "4" / "0" / "0").unlink()
    (chunks / "5" / "0" / "0").write_bytes(b"no chunk")
    run = open_recording(tmp_path / "run")
    assert run.verify() == [2, 4, 5]
    with pytest.raises(RecordError, match=r"element 5 of .* cannot be read"):
        run.frame(5)


@pytest.fixture
def slots() -> Iterator[SharedSlots]:
    made = SharedSlots.create(FrameSpec((64, 64)).nbytes, 8)
    yield made
    made.close()


def test_slots_of_a_live_path_are_saved_where_they_stand(tmp_path: Path, slots: SharedSlots) -> None:
    spec = FrameSpec((64, 64))
    saved: list[tuple[int, int]] = []
    all_saved = threading.Event()

    def hear(lane: int, slot: int) -> None:
        saved.append((lane, slot))
        if len(saved) == 8:
            all_saved.set()

    with Recording(tmp_path / "run") as recording:
        sink = recording.sink
        sink.bind(hear, lambda: None)
        sink.open(7, spec, slots)
        frames = list(MadeSource(spec, 8).frames())
        for slot, frame in zip((3, 1, 0, 2, 7, 6, 5, 4), frames, strict=True):
            slots.view(slot, spec.shape, spec.dtype)[:] = frame.pixels
            sink.save(7, slot, frame)
        assert all_saved.wait(30)
        sink.close_lane(7)
    assert saved == [(7, slot) for slot in (3, 1, 0, 2, 7, 6, 5, 4)]
    run = open_recording(tmp_path / "run")
    for frame, read in zip(frames, run.frames(), strict=True):
        np.testing.assert_array_equal(read.pixels, frame.pixels, strict=True)


def test_slots_outlive_their_owner_until_they_are_saved(tmp_path: Path) -> None:
    spec = FrameSpec((64, 64))
    with Recording(tmp_path / "run") as recording:
        slots = SharedSlots.create(spec.nbytes, 4)
        recording.sink.open(0, spec, slots)
        for slot, frame in enumerate(MadeSource(spec, 4).frames()):
            slots.view(slot, spec.shape, spec.dtype)[:] = frame.pixels
            recording.sink.save(0, slot, frame)
        slots.close()  # most likely before the process is up
    run = open_recording(tmp_path / "run")
    assert len(run) == 4
    assert run.verify() == []
    np.testing.assert_array_equal(run.frame(3).pixels, MadeSource(spec, 4).pixels(3))


def test_slots_by_memory(tmp_path: Path) -> None:
    with Recording(tmp_path / "run", buffer_mb=16) as recording:
        depth = recording.sink.depth
        assert depth(FrameSpec((16, 16))) == 256
        assert depth(FrameSpec((512, 512))) == 30
        assert depth(FrameSpec((8192, 8192))) == 2


def test_a_recorder_that_cannot_write_says_why(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match=r"raw.json cannot be read"), Recording(tmp_path / "run") as recording:  # noqa: PT012
        pass
        (tmp_path / "run" / "raw.json").unlink(missing_ok=True)
        (tmp_path / "run" / "raw.json").mkdir()
        for frame in MadeSource(FrameSpec((4, 4)), 100000).frames():
            recording.save(frame)


def test_how_long_the_disk_lasts_is_told_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_disk, "RATE_NS", 0)
    watch = _disk.DiskWatch(tmp_path)
    assert watch.count(10 << 20)
    words = watch.ask()
    assert words is not None
    assert "has room for" in words
    assert "MB/s of the first seconds" in words
    assert watch.ask() is None
    watch.reserve_for(1 << 60)
    with pytest.raises(RecordError, match="was ended in order"):
        watch.ask()


def test_a_window_of_no_frames_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match="rolling window of 0 frames"):
        Recording(tmp_path / "run", keep=0)


def test_the_manifest_has_the_images_and_no_side_file_stays(tmp_path: Path) -> None:
    with Recording(tmp_path / "run") as recording:
        list(recording.tap(MadeSource(FrameSpec((8, 8)), 3)).frames())
    manifest = json.loads((tmp_path / "run" / "recording.json").read_text())
    assert manifest["state"] == "complete"
    assert [(image["role"], image["path"], image["frames"]) for image in manifest["images"]] == [
        ("raw", "raw.ome.zarr", 3)
    ]
    names = {path.name for path in (tmp_path / "run").iterdir()}
    tables = {"frames.parquet", "latency.json", "checksums.json", "methods.md"}
    assert names == {"zarr.json", "OME", "recording.json", "raw.ome.zarr"} | tables
    assert isinstance(open_recording(tmp_path / "run"), RecordedRun)
