"""What a recorder finds that takes over from one that was killed at a bad moment."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any

import pytest
from pyarrow import parquet

from onscope.runtime import ClockPair, FrameSpec, RecordError
from onscope.runtime.record.recorder import _rows, read_frames
from onscope.runtime.record.recorder._closing import close_raw
from onscope.runtime.record.recorder._messages import save_message
from onscope.runtime.record.recorder._writer import RawWriter

from ._made import MadeSource

SPEC = FrameSpec((32, 32))
SOURCE = MadeSource(SPEC, 1000)
FRAMES = list(SOURCE.frames(400))


def writer_of(folder: Path, first: int = 0, keep: int | None = None) -> RawWriter:
    writer = RawWriter(folder, ClockPair.take(), keep, None, first, lambda: None)
    writer.open(SPEC)
    return writer


def save(writer: RawWriter, *numbers: int) -> None:
    for number in numbers:
        writer.save(save_message(number, 0, 0, FRAMES[number]), SPEC, FRAMES[number].pixels)


def places(folder: Path, keep: int | None = None) -> dict[int, int]:
    table = read_frames(folder, keep)
    return dict(zip(table["number"].to_pylist(), table["index"].to_pylist(), strict=True))


class _Refused:
    """What a full disk makes of a write."""

    def add_done_callback(self, call: Any) -> None:
        call(self)

    def done(self) -> bool:
        return True

    def result(self) -> None:
        raise ValueError("No space left on device")


def refuse_first(writer: RawWriter, monkeypatch: pytest.MonkeyPatch) -> None:
    image = writer._images[SPEC]
    real = image.write

    def write(pixels: Any) -> tuple[int, Any]:
        index, future = real(pixels)
        return index, future if index else _Refused()

    monkeypatch.setattr(image, "write", write)


def test_frames_are_named_before_a_window_comes_to_their_elements(tmp_path: Path) -> None:
    writer = writer_of(tmp_path, keep=20)
    margin = writer._margins[SPEC]
    save(writer, *range(40))
    writer.reap(wait=True)
    for number in range(40, 40 + 2 * margin):
        if writer.crowded(SPEC):
            assert writer.enter()
        save(writer, number)
        writer._flight.drain()  # on the disk, and nobody has asked what is
        named = set(places(tmp_path, 20).values())
        taken = {row[2] for row in writer._landed}
        assert not named & taken
    writer.close()


@pytest.mark.parametrize("keep", [None, 10])
def test_elements_that_are_out_of_order_are_not_taken_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, keep: int | None
) -> None:
    first = writer_of(tmp_path, keep=keep)
    refuse_first(first, monkeypatch)
    save(first, 0, 1, 2)
    with pytest.raises(RecordError, match="No space left"):
        first.reap(wait=True)
    assert first.enter() == [1, 2]
    second = writer_of(tmp_path, keep=keep)
    save(second, 0)
    assert second.reap(wait=True) == [0]
    third = writer_of(tmp_path, 3, keep=keep)
    save(third, 3)
    assert third.reap(wait=True) == [3]
    third.close()
    assert places(tmp_path, keep) == {0: 3, 1: 1, 2: 2, 3: 4}


def test_images_that_are_not_listed_are_not_removed(tmp_path: Path) -> None:
    writer = writer_of(tmp_path)
    save(writer, 0)
    writer.reap(wait=True)
    writer.close()
    (tmp_path / "raw.json").unlink()
    with pytest.raises(RecordError, match=r"found frames of raw.ome.zarr in the table .* but not that image"):
        writer_of(tmp_path, 1)
    assert (tmp_path / "raw.ome.zarr" / "0" / "c" / "0").is_dir()


def test_frames_that_come_after_the_table_was_closed_have_rows(tmp_path: Path) -> None:
    writer = writer_of(tmp_path)
    save(writer, 0, 1)
    writer.reap(wait=True)
    writer.close()
    assert close_raw(tmp_path) == []
    later = writer_of(tmp_path, 2)
    save(later, 2)
    assert later.reap(wait=True) == [2]
    later.close()
    assert list(places(tmp_path)) == [0, 1, 2]
    assert close_raw(tmp_path) == []
    assert parquet.read_table(tmp_path / "frames.parquet")["number"].to_pylist() == [0, 1, 2]
    assert not list(tmp_path.glob("*.arrows"))


def test_an_image_is_not_made_in_the_place_of_a_listed_one(tmp_path: Path) -> None:
    other = FrameSpec((16, 16))
    writer = writer_of(tmp_path)  # gets no frame, and is removed
    writer.open(other)
    frame = next(MadeSource(other, 1).frames())
    writer.save(save_message(0, 1, 0, frame), other, frame.pixels)
    writer.reap(wait=True)
    writer.close()
    assert close_raw(tmp_path) == []
    writer_of(tmp_path, 1).close()
    assert (tmp_path / "raw-1.ome.zarr" / "0" / "c" / "0").is_dir()


def test_journals_go_when_the_table_is_on_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    writer = writer_of(tmp_path)
    save(writer, 0)
    writer.reap(wait=True)
    writer.close()
    done: list[str] = []
    real, remove = os.fsync, _rows._remove

    def fsync(descriptor: int) -> None:
        done.append("folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "table")
        real(descriptor)

    def removed(paths: Any) -> None:
        done.append("removed")
        remove(paths)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(_rows, "_remove", removed)
    assert close_raw(tmp_path) == []
    assert done[:3] == ["table", "folder", "removed"]
