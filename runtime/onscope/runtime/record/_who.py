"""Whose a row of a table is: the columns of a frame's identity."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from typing import Any

import pyarrow as pa

from .._frame import FrameId

WHO = FrameId._fields
COLUMNS = list(zip(WHO, (pa.string(), pa.string(), pa.int64(), pa.int64()), strict=True))
"""Name and type of each, for the schema of a table."""


def id_of(row: Mapping[str, Any]) -> FrameId:
    """The frame that a row belongs to; raises KeyError when it lacks a column."""
    return FrameId(*(row[name] for name in WHO))


def ids_of(table: Any) -> Iterator[FrameId]:
    """The frames that the rows of a table belong to."""
    columns = (table[name].to_pylist() for name in WHO)
    return (FrameId(*who) for who in zip(*columns, strict=True))


def runs_of(ids: Iterable[FrameId]) -> Iterator[tuple[FrameId, int]]:
    """Frames that follow one another together: the first of them, and how many; one that comes twice counts once."""
    for place, members in groupby(sorted(set(ids)), lambda each: each[:3]):
        numbers = [each[3] for each in members]
        for _, together in groupby(enumerate(numbers), lambda each: each[1] - each[0]):
            found = [number for _, number in together]
            yield FrameId(place[0], place[1], place[2], found[0]), len(found)


def as_entries(ids: Iterable[FrameId]) -> list[dict[str, Any]]:
    """`runs_of` as a manifest holds it."""
    return [{**first._asdict(), "frames": frames} for first, frames in runs_of(ids)]


def are_entries(found: object) -> bool:
    """Whether a manifest may hold this as `as_entries`."""
    kinds = {"run": str, "camera": str, "segment": int, "seq": int, "frames": int}
    return isinstance(found, list) and all(
        isinstance(entry, dict) and all(isinstance(entry.get(name), kind) for name, kind in kinds.items())
        for entry in found
    )


def among(ids: Iterable[FrameId], entries: Iterable[Mapping[str, Any]]) -> set[FrameId]:
    """Those of `ids` that `as_entries` told of."""
    told: dict[tuple[Any, ...], list[range]] = {}
    for entry in entries:
        first = id_of(entry)
        told.setdefault(first[:3], []).append(range(first.seq, first.seq + entry["frames"]))
    return {id for id in ids if any(id.seq in each for each in told.get(id[:3], ()))}
