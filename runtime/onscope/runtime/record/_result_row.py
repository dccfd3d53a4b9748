"""The row of a result in the table `results`; docs/recordings.md says what each column is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from .._result import Result
from ._who import COLUMNS, WHO

TIMES = [
    ("state", pa.string()),
    ("received_ns", pa.int64()),
    ("delivered_ns", pa.int64()),
    ("latency_ms", pa.float64()),
    ("look_ahead_ms", pa.float64()),
]
WINDOW = [
    ("frames", pa.int64()),
    ("target", pa.int64()),
    ("padded", pa.int64()),
    ("state_reset", pa.bool_()),
    ("window", pa.list_(pa.struct([("segment", pa.int64()), ("seq", pa.int64())]))),
]
"""What the result's window was."""


def columns_of(result: Result, stages: Sequence[str], pictures: Sequence[str]) -> Any:
    """The schema of the table; `pictures` are those of the stages that give images."""
    steps = [step for step in result.stamps.steps_ms() if not step.startswith("stage ")]
    columns = [*COLUMNS, *TIMES, *WINDOW, *((f"{step}_ms", pa.float64()) for step in steps)]
    columns += [(f"stage {stage}_ms", pa.float64()) for stage in stages]
    for stage in pictures:
        columns += [(f"{stage}_array", pa.string()), (f"{stage}_index", pa.list_(pa.int64()))]
    return pa.schema(columns)


def row_of(result: Result) -> dict[str, Any]:
    """Its values by column, without where its images are."""
    stamps, frames = result.stamps, len(result.frames)
    values: dict[str, Any] = dict(zip(WHO, result.frame.id, strict=True))
    values |= {"state": result.state, "received_ns": stamps.received, "delivered_ns": stamps.delivered}
    values |= {"latency_ms": result.latency_ms, "look_ahead_ms": result.look_ahead_ms}
    values |= {"frames": frames, "target": result.target % frames}
    values |= {"padded": result.padded, "state_reset": result.state_reset}
    if frames > 1:
        values["window"] = [{"segment": each.id.segment, "seq": each.id.seq} for each in result.frames]
    values |= {f"{step}_ms": ms for step, ms in stamps.steps_ms().items()}
    # Stages that ran as one graph have its whole time each: a column is there for every stage that ran.
    return values | {f"stage {stage}_ms": (end - start) / 1e6 for stage, (start, end) in stamps.stages.items()}
