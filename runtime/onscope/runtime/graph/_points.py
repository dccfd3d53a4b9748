"""Points of a network whose frame was padded: in pixels of the frame, and none of the mirrored ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from ._draft import Draft, Value
from ._pad import Padding

COLUMNS = ("y", "x", "score")
"""What the points decoder takes a table's columns for where the package states none."""
NEVER = -1e30
"""A score below every threshold."""


def inside(draft: Draft, value: Value, columns: Sequence[str], grown: Mapping[str, Padding]) -> Value:
    """A table (..., rows, columns) without what lies on pixels that padding added.

    y and x are counted from the frame's first pixel. Rows outside of it get the score `NEVER`, and rows are in the
    order of falling scores, as decoders expect them. As it is where nothing was padded, or its rows are not known.
    """
    padded = {id: each for id, each in grown.items() if id in ("y", "x") and each.padded != each.size}
    rows = value.shape[-2] if len(value.shape) > 1 else None
    known = {*padded, "score"} <= set(columns) and value.shape[-1] == len(columns)
    if not padded or rows is None or not known or value.dtype != "float32":
        return value
    shape = tuple(size or 1 for size in value.shape)
    if int(np.prod(shape)) != rows * len(columns):
        return value
    shift = [-float(padded[name].halo) if name in padded else 0.0 for name in columns]
    table = draft.node("Reshape", [value.name, draft.constant([rows, len(columns)], "int64")])
    table = draft.node("Add", [table, draft.constant(shift, "float32")])
    score = _column(draft, table, columns, "score")
    for name, padding in padded.items():
        place = _column(draft, table, columns, name)
        # Pixel centres are whole: the first pixel begins at -0.5.
        after = draft.node("GreaterOrEqual", [place, draft.constant(-0.5, "float32")])
        before = draft.node("Less", [place, draft.constant(padding.size - 0.5, "float32")])
        there = draft.node("And", [after, before])
        score = draft.node("Where", [there, score, draft.constant(NEVER, "float32")])
    falling, order = draft.node("TopK", [score, draft.constant([rows], "int64")], outputs=2, axis=0)
    made = []
    for name in columns:
        ordered = falling
        if name != "score":
            ordered = draft.node("Gather", [_column(draft, table, columns, name), order], axis=0)
        made.append(draft.node("Unsqueeze", [ordered, draft.constant([1], "int64")]))
    table = draft.node("Concat", made, axis=1)
    return replace(value, name=draft.node("Reshape", [table, draft.constant(shape, "int64")], "points"))


def _column(draft: Draft, table: str, columns: Sequence[str], name: str) -> str:
    index = draft.constant(list(columns).index(name), "int64")
    return str(draft.node("Gather", [table, index], axis=1))
