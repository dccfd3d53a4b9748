"""What a recorder finds that takes over from one that was killed at a bad moment."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr
from pyarrow import parquet

from onscope.runtime import ClockPair, FrameSpec, RecordError
from onscope.runtime.record._places import Places, most_unnamed
from onscope.runtime.record.recorder import _rows, read_frames
from onscope.runtime.record.recorder._closing import close_raw
from onscope.runtime.record.recorder._writer import RawWriter

from ._made import MadeSource, announced

SPEC = FrameSpec((32, 32))
SOURCE = MadeSource(SPEC, 1000)
FRAMES = list(SOURCE.frames(400))


def writer_of(folder: Path, first: int = 0, keep: int | None = None) -> RawWriter:
    return RawWriter(folder, ClockPair.take(), keep, None, first, lambda: None)


def messages(keep: int | None = None) -> list[dict[str, Any]]:
    """The announcements of FRAMES."""
    places = Places(keep)
    return [announced(number, frame, places, SPEC) for number, frame in enumerate(FRAMES)]


def save(writer: RawWriter, *numbers: int, keep: int | None = None) -> None:
    said = messages(keep)
    for number in numbers:
        writer.save(said[number], SPEC, FRAMES[number].pixels)


def places(folder: Path, keep: int | None = None) -> dict[int, int]:
    table = read_frames(folder, keep)
    return dict(zip(table["number"].to_pylist(), [at for (at,) in table["index"].to_pylist()], strict=True))


class _Refused:
    """What a full disk makes of a write."""

    def add_done_callback(self, call: Any) -> None:
        call(self)

    def done(self) -> bool:
        return True

    def result(self) -> None:
        raise ValueError("No space left on device")


def refuse_first(writer: RawWriter, monkeypatch: pytest.MonkeyPatch) -> None:
    image = writer._open("raw.ome.zarr", "t", SPEC)
    real = image.write

    def write(at: Any, pixels: Any, note: Any) -> tuple[Any, Any]:
        page, future = real(at, pixels, note)
        return page, future if at[0] else _Refused()

    monkeypatch.setattr(image, "write", write)


def test_frames_are_named_before_a_window_comes_to_their_elements(tmp_path: Path) -> None:
    writer = writer_of(tmp_path, keep=20)
    margin = most_unnamed(SPEC)
    save(writer, *range(40), keep=20)
    writer.reap(wait=True)
    for number in range(40, 40 + 2 * margin):
        if writer.crowded(SPEC):
            assert writer.enter()
        save(writer, number, keep=20)
        writer._flight.drain()  # on the disk, and nobody has asked what is
        named = set(places(tmp_path, 20).values())
        taken = {row[2][0] for row in writer._landed}
        assert not named & taken
    writer.close()


@pytest.mark.parametrize("keep", [None, 10])
def test_a_frame_that_was_refused_once_is_written_to_its_own_element(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, keep: int | None
) -> None:
    first = writer_of(tmp_path, keep=keep)
    refuse_first(first, monkeypatch)
    save(first, 0, 1, 2, keep=keep)
    with pytest.raises(RecordError, match="No space left"):
        first.reap(wait=True)
    assert first.enter() == [1, 2]
    second = writer_of(tmp_path, keep=keep)
    save(second, 0, keep=keep)
    assert second.reap(wait=True) == [0]
    third = writer_of(tmp_path, 3, keep=keep)
    save(third, 3, keep=keep)
    assert third.reap(wait=True) == [3]
    third.close()
    assert places(tmp_path, keep) == {0: 0, 1: 1, 2: 2, 3: 3}


def test_what_a_killed_recorder_left_without_a_row_is_no_element(tmp_path: Path) -> None:
    writer = writer_of(tmp_path)
    said = messages()
    for number in (0, 1, 2, 5, 100):  # 3 and 4 were lost, say; nobody hears of 0, 1, 5 and 100
        writer.save(said[number], SPEC, FRAMES[number].pixels)
        writer._flight.drain()
        if number == 2:
            assert writer.enter() == [2]
        writer._landed.clear()
    (tmp_path / "raw.ome.zarr" / "0" / "c" / "1" / "0" / "0.__lock").touch()
    save(writer, 6)
    writer.reap(wait=True)
    writer.close()
    assert close_raw(tmp_path) == []
    chunks = tmp_path / "raw.ome.zarr" / "0" / "c"
    assert sorted(int(path.name) for path in chunks.iterdir()) == [2, 6]
    image: Any = zarr.open_group(tmp_path / "raw.ome.zarr", mode="r")
    assert image["0"].shape == (7, 32, 32)
    assert image["present"][:].tolist() == [False, False, True, False, False, False, True]
    np.testing.assert_array_equal(image["0"][6], FRAMES[6].pixels)


def test_labels_of_an_image_are_left_alone_when_it_is_made_and_closed(tmp_path: Path) -> None:
    labels = tmp_path / "raw.ome.zarr" / "labels" / "cells" / "zarr.json"
    labels.parent.mkdir(parents=True)
    labels.write_text("mine")
    writer = writer_of(tmp_path)
    save(writer, 0)
    writer.reap(wait=True)
    writer.close()
    assert close_raw(tmp_path) == []
    assert labels.read_text() == "mine"
    assert (tmp_path / "raw.ome.zarr" / "zarr.json").is_file()


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


def test_an_image_whose_frames_were_all_refused_is_not_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    writer = writer_of(tmp_path)
    refuse_first(writer, monkeypatch)
    save(writer, 0)
    with pytest.raises(RecordError, match="No space left"):
        writer.reap(wait=True)
    writer.close()
    assert close_raw(tmp_path) == []
    assert not (tmp_path / "raw.ome.zarr").exists()
    assert json.loads((tmp_path / "raw.json").read_text())["images"] == []


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
