"""Odd frames, callbacks, pipes and files: one of them ends no other frame's saving, and nobody waits for ever."""

from __future__ import annotations

import errno
import os
import signal
from dataclasses import replace
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import numpy as np
import pytest

from onscope.runtime import ClockPair, Frame, FrameId, FrameSpec, RecordError
from onscope.runtime.record import Recording, open_recording
from onscope.runtime.record._place import identity
from onscope.runtime.record._places import Places
from onscope.runtime.record.recorder import _link
from onscope.runtime.record.recorder._serve import serve
from onscope.runtime.record.recorder._writer import RawWriter

from ._made import MadeSource, announced

SPEC = FrameSpec((32, 32))
FRAMES = list(MadeSource(SPEC, 10).frames())


def rows(folder: Path) -> list[int]:
    run = open_recording(folder)
    assert run.verify() == []
    found: list[int] = run.table("frames")["seq"].to_pylist()
    return found


def odd(**values: Any) -> Frame:
    return replace(FRAMES[1], **values)


def test_an_odd_frame_is_refused_alone(tmp_path: Path) -> None:
    many = [
        odd(stage_um=(1.0, 2.0)),
        odd(id=FrameId("run", "camera", 0, 1 << 63)),
        odd(id=FrameId("\ud800", FRAMES[1].id.camera, 0, 1)),
        odd(labels={"channel": b"DAPI"}),
        odd(labels={"channel": "x" * (1 << 17)}),
        odd(exposure_ms="long"),
    ]
    with Recording(tmp_path / "run", buffer_mb=0.01) as recording:  # fewer slots than odd frames
        recording.save(FRAMES[0])
        for frame in many:
            with pytest.raises(RecordError, match="cannot be recorded"):
                recording.save(frame)
        recording.save(FRAMES[2])
        assert recording.sink.failure is None
    assert rows(tmp_path / "run") == [0, 2]


def test_a_frame_that_meets_the_failure_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pass: the recorder fails while a frame is copied; the caller hears of it with that frame, not with the next."""
    recording = Recording(tmp_path / "run")
    recording.save(FRAMES[0])

    def copy_late(to: Any, pixels: Any) -> None:
        recording.sink._fail("the disk is gone")
        to[...] = pixels

    monkeypatch.setattr(np, "copyto", copy_late)
    with pytest.raises(RecordError, match="the disk is gone"):
        recording.save(FRAMES[1])
    monkeypatch.undo()
    with pytest.raises(RecordError, match="the disk is gone"), recording:
        pass
    assert rows(tmp_path / "run") == [0]


def test_a_row_that_cannot_be_made_takes_no_other_with_it(tmp_path: Path) -> None:
    writer = RawWriter(tmp_path, ClockPair.take(), None, None, 0, lambda: None)
    places = Places()
    for number in range(3):
        message = announced(number, FRAMES[number], places, SPEC)
        message["id"][3] = 1 << 63 if number == 1 else number
        writer.save(message, SPEC, FRAMES[number].pixels)
    with pytest.raises(RecordError, match="a row of the table frames could not be made"):
        writer.reap(wait=True)
    assert writer.has(0) is False
    writer.close()
    assert RawWriter(tmp_path, ClockPair.take(), None, None, 0, lambda: None)._saved == {0, 2}


class _Channel:
    """A pipe whose other end says these things."""

    def __init__(self, *says: Any) -> None:
        self.told: list[Any] = []
        self._says: SimpleQueue[Any] = SimpleQueue()
        for word in says:
            self._says.put(word)

    def send(self, message: Any) -> None:
        self.told.append(message)

    def receive(self) -> Any:
        word = self._says.get()
        if isinstance(word, Exception):
            raise word
        return word

    def take_memory(self) -> int:
        raise OSError("none was sent")


def begin(folder: Path) -> dict[str, Any]:
    return {
        "kind": "begin", "folder": str(folder), "clock": [0, 0], "keep": None, "expected": None, "first": 0,
        "place": identity(folder), "format": "ome-zarr",
    }  # fmt: skip


def test_a_message_that_cannot_be_read_is_not_the_end_of_the_parent(tmp_path: Path) -> None:
    class Watched(_Channel):
        def receive(self) -> Any:
            word = super().receive()
            if word is None:
                assert not (tmp_path / "recording.json").read_text().count("interrupted")
            return word

    (tmp_path / "recording.json").write_text('{"schema": 3, "state": "open", "images": [], "tables": []}')
    channel = Watched(begin(tmp_path), ValueError("a message of 5 MB"), {"kind": "save"}, ValueError("?"), None)
    serve(channel)
    assert [message["kind"] for message in channel.told] == ["failed", "finished"]
    assert "a message of 5 MB" in channel.told[0]["message"]
    assert "interrupted" in (tmp_path / "recording.json").read_text()  # the parent ended


def test_an_error_at_the_end_is_told(tmp_path: Path) -> None:
    with (  # noqa: PT012
        pytest.raises(RecordError, match=r"raw\.json"),
        Recording(tmp_path / "run") as recording,
    ):
        recording.save(FRAMES[0])
        while not recording.raw_frames:
            pass
        (tmp_path / "run" / "raw.json").unlink()
        (tmp_path / "run" / "raw.json").mkdir()


def test_a_list_of_images_that_was_lost_is_written_again(tmp_path: Path) -> None:
    with Recording(tmp_path / "run") as recording:
        recording.save(FRAMES[0])
        while not recording.raw_frames:
            pass
        (tmp_path / "run" / "raw.json").write_bytes(bytes(100))
    assert rows(tmp_path / "run") == [0]


def test_a_callback_that_raises_stops_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    def tell(kind: str, words: str) -> None:
        raise ZeroDivisionError

    with Recording(tmp_path / "run", tell=tell) as recording:
        recording.save(FRAMES[0])
        os.kill(recording.sink.pid, signal.SIGKILL)
        recording.save(FRAMES[1])
    assert rows(tmp_path / "run") == [0, 1]
    assert "what should tell of 'recorder died' failed" in caplog.text


def test_memory_that_cannot_be_sent_is_found_by_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*given: Any) -> None:
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr(_link, "send_memory", refuse)
    with Recording(tmp_path / "run") as recording:
        recording.save(FRAMES[0])
    assert rows(tmp_path / "run") == [0]


def test_a_recorder_that_cannot_be_reached_is_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    with Recording(tmp_path / "run", tell=lambda kind, words: told.append(kind)) as recording:
        recording.save(FRAMES[0])

        def refuse(data: bytes) -> None:
            raise OSError(errno.EIO, "Input/output error")

        monkeypatch.setattr(recording.sink._link, "send_bytes", refuse)
        recording.save(FRAMES[1])
    assert rows(tmp_path / "run") == [0, 1]
    assert told == ["recorder died", "recorder back"]


def test_an_interrupted_announcement_leaves_nothing_waiting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Recording(tmp_path / "run") as recording:
        recording.save(FRAMES[0])

        def interrupt(data: bytes) -> None:
            raise KeyboardInterrupt

        monkeypatch.setattr(recording.sink._link, "send_bytes", interrupt)
        with pytest.raises(KeyboardInterrupt):
            recording.save(FRAMES[1])
        recording.save(FRAMES[2])
    assert rows(tmp_path / "run") == [0, 2]
