"""Faults of the caller and of the folder that may not cost frames: each was seen to do so once."""

from __future__ import annotations

from pathlib import Path

import pytest

from onscope.runtime import FrameSpec, RecordError
from onscope.runtime._ring import Ring
from onscope.runtime.record import Recording, open_recording
from onscope.runtime.record._own import OwnSlots

from ._made import MadeSource

SPEC = FrameSpec((32, 32))


def test_a_recording_is_fed_once(tmp_path: Path) -> None:
    with Recording(tmp_path / "run") as recording:
        frame = next(iter(MadeSource(SPEC, 1).frames()))
        recording.save(frame)
        with pytest.raises(RecordError, match="fed already"):
            OwnSlots(recording.sink)
        ring = Ring(SPEC, 2, 0)
        with pytest.raises(RecordError, match="lane 0 of a recording open"):
            recording.sink.open(0, SPEC, ring.memory)
        ring.close()
    run = open_recording(tmp_path / "run")
    assert (len(run), run.verify()) == (1, [])
