"""Wrong frames in the middle of a recorded run: each is told and accounted for, and nothing recorded is lost."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from onscope.runtime import (
    Frame,
    FrameId,
    FrameMismatchError,
    FrameSpec,
    Pipeline,
    Runtime,
    SourceError,
    Stage,
    block,
)
from onscope.runtime.record import Recording, open_recording
from tests import models

SPEC = FrameSpec((16, 24), "float32", camera="cam")


class Troubled:
    """20 frames; number 7 holds NaN, and after number 13 comes `ending`."""

    def __init__(self, ending: str) -> None:
        self.ending = ending

    def spec(self) -> FrameSpec:
        return SPEC

    def frames(self, n: int | None = None) -> Iterator[Frame]:
        for seq in range(20):
            pixels = np.full(SPEC.shape, np.nan if seq == 7 else seq, np.float32)
            frame = Frame(FrameId("run", "cam", 0, seq), pixels)
            if seq == 14 and self.ending == "unplugged":
                raise SourceError("unplugged")
            if seq == 14 and self.ending == "cropped":
                frame = replace(frame, pixels=pixels[:8])
            yield frame


@pytest.mark.parametrize(
    ("ending", "error", "raw"), [("unplugged", SourceError, 14), ("cropped", FrameMismatchError, 14), ("", None, 20)]
)
def test_a_troubled_run_keeps_its_frames(
    folder: Path, tmp_path: Path, ending: str, error: type[Exception] | None, raw: int
) -> None:
    pipeline = Pipeline([Stage("root", models.root(folder / "root"))])
    told = None
    with (
        Recording(tmp_path / "run", pipeline) as recording,
        Runtime(pipeline, worker="thread", admission=block(2), record=recording) as runtime,
    ):
        try:
            for _ in runtime.stream(Troubled(ending)):
                pass
        except (SourceError, FrameMismatchError) as caught:
            told = caught
        runtime.drain(5)
        runtime.close()
        recording.finish(runtime.ledger)
    assert type(told) is (error or type(None))
    assert runtime.ledger.adds_up()
    assert runtime.ledger.counts["done"] == raw - 1
    failed = [(row.id.seq, row.reason[:30]) for row in runtime.ledger.table() if row.state == "failed"]
    assert failed[0] == (7, "the stage 'root' answered NaN:")
    run = open_recording(tmp_path / "run")
    frames = {frame.id.seq: frame.pixels for frame in run.frames()}
    assert set(range(raw)) <= set(frames)
    for seq in range(raw):
        assert np.array_equal(frames[seq], np.full(SPEC.shape, np.nan if seq == 7 else seq), equal_nan=True)
