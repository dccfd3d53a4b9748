"""Frames, results and a ledger made by hand, with the real value types."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from onscope.runtime import Frame, FrameId, FrameSpec, Provenance, Result, Stamps, now_ns
from onscope.runtime.record import RecordedRun, open_recording
from onscope.runtime.record._places import Places
from onscope.runtime.record.recorder._messages import save_message

SPOTS = np.dtype([("y", "f4"), ("x", "f4"), ("score", "f4")])


class MadeSource:
    """`count` frames of seeded noise; frame k is reproducible by `pixels(k)`."""

    def __init__(self, spec: FrameSpec, count: int, segment: int = 0) -> None:
        self._spec, self._count, self._segment = spec, count, segment

    def spec(self) -> FrameSpec:
        return self._spec

    def pixels(self, seq: int) -> np.ndarray[Any, Any]:
        return noise(self._spec.shape, self._spec.dtype, seq)

    def frames(self, n: int | None = None) -> Iterator[Frame]:
        for seq in range(self._count if n is None else min(n, self._count)):
            yield Frame(
                FrameId("run", self._spec.camera, self._segment, seq),
                self.pixels(seq),
                self._spec.axes,
                {"t": seq},
                pixel_size_um=self._spec.pixel_size_um,
                exposure_ms=10.0,
                stage_um=(1.0, 2.0, 0.5 * seq),
            )


@dataclass
class Row:
    id: FrameId
    state: str
    reason: str
    frames: int = 1


@dataclass
class MadeLedger:
    """Rows as given; its counts are those of the rows."""

    rows: list[Row] = field(default_factory=list)

    @property
    def counts(self) -> Mapping[str, int]:
        found: dict[str, int] = {}
        for row in self.rows:
            found[row.state] = found.get(row.state, 0) + row.frames
        return found

    def table(self) -> list[Row]:
        return self.rows


def noise(shape: tuple[int, ...], dtype: str, seed: int) -> np.ndarray[Any, Any]:
    rng = np.random.default_rng(seed)
    if np.dtype(dtype).kind == "f":
        return rng.normal(size=shape).astype(dtype)
    info = np.iinfo(dtype)
    return rng.integers(info.min, info.max, size=shape, dtype=dtype, endpoint=True)


def made_result(
    frame: Frame, answers: Mapping[str, np.ndarray[Any, Any]], stage_ms: float = 2.0, **scales: float
) -> Result:
    """A result of `frame` whose stages took `stage_ms` each, the other steps 0.1 ms."""
    at = frame.received_ns
    tenth, stage = 100_000, round(stage_ms * 1e6)
    begin = at + 4 * tenth
    stages = {}
    for name in answers:
        stages[name] = (begin, begin + stage)
        begin += stage
    stamps = Stamps(
        at, at + tenth, at + 2 * tenth, at + 3 * tenth, at + 4 * tenth, stages, begin + tenth, begin + 2 * tenth
    )
    known = {name: Provenance(f"{name}-package", "ab" * 32, "CPUExecutionProvider") for name in answers}
    return Result((frame,), MappingProxyType(dict(answers)), stamps, known, scales=scales)


def spots(count: int, seed: int, size: int = 32) -> np.ndarray[Any, Any]:
    rng = np.random.default_rng(seed)
    table = np.zeros(count, SPOTS)
    for name in SPOTS.names or ():
        table[name] = rng.random(count) * size
    return table


def announced(number: int, frame: Frame, places: Places, spec: FrameSpec) -> dict[str, Any]:
    """The announcement of a frame, as the recorder process reads it."""
    array, axes, at = places.assign(frame, spec)
    return save_message(number, 0, 0, frame) | {"array": array, "axes": axes, "at": list(at)}


def frame_of(seq: int) -> Frame:
    """Frames of two channels and three planes; every 50th is one of no position, and each 70th was lost before it."""
    lost = seq // 70
    position = {"t": seq // 6, "c": seq % 2, "z": seq // 2 % 3} if seq % 50 else {}
    return Frame(FrameId("run", "camera", 0, seq + lost), noise((64, 64), "uint16", seq), index=position)


def completed(folder: Path, patience_s: float = 60.0) -> RecordedRun:
    """The recording of a killed acquisition, when the recorder has completed it."""
    end = time.monotonic() + patience_s
    while (folder / "raw.json").exists() or json.loads((folder / "recording.json").read_text())["state"] == "open":
        assert time.monotonic() < end, "the recorder did not complete the recording"
        time.sleep(0.02)
    return open_recording(folder)


__all__ = [
    "SPOTS",
    "MadeLedger",
    "MadeSource",
    "Row",
    "completed",
    "frame_of",
    "made_result",
    "noise",
    "now_ns",
    "spots",
]
