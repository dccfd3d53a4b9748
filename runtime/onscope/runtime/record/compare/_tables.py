"""Tables of objects as bytes, by the frame that they belong to."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import groupby

import numpy as np

from ..._errors import RecordError
from ..._frame import FrameId
from .._reader import RecordedRun
from .._who import WHO, ids_of

PLACE = "raw_"
"""Columns that say where the raw frame lies, which another recording is free to choose otherwise."""


def rows_of(run: RecordedRun, stage: str) -> Mapping[FrameId, bytes] | None:
    """What a stage of objects found in each frame: the columns' bits, in their order; None: it has no table."""
    try:
        table = run.table(stage)
    except RecordError:
        return None
    names = [name for name in table.column_names if name not in WHO and not name.startswith(PLACE)]
    columns = [np.ascontiguousarray(table[name].to_numpy()) for name in names]
    who = list(ids_of(table))
    found: dict[FrameId, bytes] = {}
    for frame, members in groupby(range(len(who)), who.__getitem__):
        rows = list(members)
        at = slice(rows[0], rows[-1] + 1)
        said = b"".join(
            f"{name}:{column.dtype}".encode() + column[at].tobytes()
            for name, column in zip(names, columns, strict=True)
        )
        found[frame] = found.get(frame, b"") + said
    return found
