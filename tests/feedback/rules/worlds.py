"""Results by hand: what rules see of frames whose objects a test says."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from onscope.runtime import Frame, FrameId
from onscope.runtime.feedback import Seen
from onscope.runtime.objects import measured_columns
from onscope.runtime.track import TRACK

SHAPE = (256, 256)
CELLS = np.dtype(measured_columns(["frame"]))
PHASES = np.dtype(
    [("row", "i4"), ("class", "i4"), ("score", "f4"), ("score_interphase", "f4"), ("score_metaphase", "f4")]
)
NOTHING = np.zeros((0, 0), np.uint8)
SECOND = 1_000_000_000


def seen(
    number: int,
    objects: Sequence[dict[str, Any]] | None = None,
    *,
    seq: int | None = None,
    numbers: dict[str, float] | None = None,
    index: dict[str, int] | None = None,
    labels: dict[str, str] | None = None,
    stage_um: tuple[float, float, float] | None = (0.0, 0.0, 0.0),
    at_s: float | None = None,
    segment: int = 0,
    pixel_um: float | None = 0.5,
    tables: dict[str, np.ndarray] | None = None,
    trust: dict[str, dict[str, float]] | None = None,
) -> Seen:
    """One result. An object says what of it is not usual: `track`, `y`, `x`, `area`, `parent`, `score` ..."""
    seconds = float(number) if at_s is None else at_s
    frame = Frame(
        FrameId("run", "camera", segment, number if seq is None else seq),
        NOTHING,
        index=index or {},
        labels=labels or {},
        received_ns=round((seconds + 1) * SECOND),
        pixel_size_um=pixel_um,
        stage_um=stage_um,
        exposure_ms=10.0,
    )
    if tables is None:
        tables = {} if objects is None else tables_of(objects)
    return Seen(
        number, frame, SHAPE, tables, numbers or {}, trust or {}, {}, frame.received_ns + 5_000_000, {"phase": "abc"}
    )


def tables_of(objects: Sequence[dict[str, Any]]) -> dict[str, np.ndarray]:
    """Tables `cells`, `tracks` and `phase`, row for row."""
    cells = np.zeros(len(objects), CELLS)
    tracks = np.zeros(len(objects), TRACK)
    phase = np.zeros(len(objects), PHASES)
    for row, one in enumerate(objects):
        told = {
            "y": 100.0,
            "x": 100.0,
            "area": 100.0,
            "track": row + 1,
            "class": 0,
            "score": 0.9,
            "label": row + 1,
        } | one
        for name, value in told.items():
            for table in (cells, tracks, phase):
                if name in (table.dtype.names or ()):
                    table[name][row] = value
        tracks["row"][row] = phase["row"][row] = row
    return {"cells": cells, "tracks": tracks, "phase": phase}
