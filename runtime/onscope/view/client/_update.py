"""An update as a value: what its head says, with the arrays where they belong, checked as anybody's message is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .._values import Rect
from .._wire import MOST_SIDE, MOST_VIEWS, Array, WireError

MOST_DRAWN = 128
"""Drawings over the pictures of one update, and tables."""
MOST_ROWS = 100_000
"""Of a table; a server of version 1 tells 2,000."""


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """What was wanted under `id`: `pixels` uint8 or uint16, (rows, columns) or with three samples, of the part `rect`.

    `low` and `high` are the counts of black and white; `histogram` 256 counts of the whole image from `bounds[0]` to
    `bounds[1]` (None: not told). `values` are what 0 and 65535 of 16 bits stand for.
    """

    id: int
    image: str
    pixels: Array
    rect: Rect
    low: float
    high: float
    histogram: Array | None = None
    bounds: tuple[float, float] = (0.0, 0.0)
    values: tuple[float, float] = (0.0, 65535.0)


@dataclass(frozen=True, slots=True, eq=False)
class Vectors:
    """What is drawn over picture `id`, in raw pixels as `rect` is (0 at the edge of the first).

    `points` are (n, 2) y, x; of boxes (m, 4) y0, x0, y1, x1. Polygon k of outlines and tails is
    `points[starts[k] : starts[k + 1]]`, of row `rows[k]` of the table.
    """

    id: int
    kind: str
    table: str
    points: Array
    starts: Array | None = None
    rows: Array | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Update:
    """The newest pictures, what is drawn over them, and their tables, as columns by name; all of one frame.

    `frame` is who it is (run, camera, segment, seq, index ...); `age_ms` from the core's receipt of it to the sending,
    `latency_ms` to its result. Arrays are read-only, and share the memory of one message.
    """

    frame: Mapping[str, Any]
    age_ms: float
    latency_ms: float
    pictures: Mapping[int, Picture]
    vectors: tuple[Vectors, ...]
    tables: Mapping[str, Mapping[str, Array]]
    trust: Mapping[str, Any]
    suspect: Mapping[str, Any]


def update_from(head: Mapping[str, Any], arrays: Sequence[Array]) -> Update:
    """The update of a message that `unpack` took apart. Raises WireError when it is not what the contract says."""
    try:
        views, drawn, tables = (head.get(name, ()) for name in ("views", "vectors", "tables"))
        if len(views) > MOST_VIEWS or max(len(drawn), len(tables)) > MOST_DRAWN:
            raise WireError(
                f"found an update of {len(views)} pictures and {len(drawn)} drawings over them with {len(tables)} "
                f"tables, expected at most {MOST_VIEWS} and {MOST_DRAWN}"
            )
        pictures = [_picture(told, arrays) for told in views]
        return Update(
            frame=dict(head["frame"]),
            age_ms=float(head.get("age_ms") or 0.0),
            latency_ms=float(head.get("latency_ms") or 0.0),
            pictures={each.id: each for each in pictures},
            vectors=tuple(_vectors(told, arrays) for told in drawn),
            tables={str(told["name"]): _columns(told["columns"], arrays) for told in tables},
            trust=dict(head.get("trust") or {}),
            suspect=dict(head.get("suspect") or {}),
        )
    except WireError:
        raise
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, OverflowError) as error:
        raise WireError(f"found an update that cannot be read ({error!r}), expected one of version 1") from error


def array_of(told: Any, arrays: Sequence[Array]) -> Array:
    """The array that is named by its number, or by {"array": number}."""
    try:
        number = int(told["array"] if isinstance(told, Mapping) else told)
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise WireError(f"found an array named by {told!r:.100}, expected its number") from error
    if not 0 <= number < len(arrays):
        raise WireError(f"found array {number} named in an update of {len(arrays)}, expected one that it has")
    return arrays[number]


def _picture(told: Mapping[str, Any], arrays: Sequence[Array]) -> Picture:
    pixels = array_of(told["array"], arrays)
    shaped = pixels.ndim == 2 or (pixels.ndim == 3 and pixels.shape[2] == 3)
    shaped = shaped and max(pixels.shape) <= MOST_SIDE
    if not shaped or pixels.dtype.name not in ("uint8", "uint16") or not pixels.size:
        raise WireError(
            f"found a picture of {pixels.dtype} {pixels.shape}, expected uint8 or uint16, at most {MOST_SIDE} rows and "
            "columns"
        )
    y0, x0, y1, x1 = (float(side) for side in told["rect"])
    if not (y1 > y0 and x1 > x0 and np.isfinite([y0, x0, y1, x1]).all()):
        raise WireError(f"found a picture of the part {told['rect']}, expected y0 < y1 and x0 < x1")
    histogram, values = told.get("histogram"), told.get("values") or (0, 65535)
    return Picture(
        int(told["id"]),
        str(told["image"]),
        pixels,
        (y0, x0, y1, x1),
        float(told.get("low") or 0.0),
        float(told.get("high") or 0.0),
        None if histogram is None else array_of(histogram, arrays),
        (0.0, 0.0) if histogram is None else (float(histogram["from"]), float(histogram["to"])),
        (float(values[0]), float(values[1])),
    )


def _vectors(told: Mapping[str, Any], arrays: Sequence[Array]) -> Vectors:
    points = array_of(told["points"], arrays)
    starts, rows = (array_of(told[name], arrays) if name in told else None for name in ("starts", "rows"))
    kind = str(told["kind"])
    wide = 4 if kind == "boxes" else 2
    if points.ndim != 2 or points.shape[1] != wide or points.dtype.kind not in "iuf":
        raise WireError(f"found {kind} with points of {points.dtype} {points.shape}, expected (n, {wide}) numbers")
    if kind in ("outlines", "tails"):
        if starts is None or starts.ndim != 1 or starts.dtype.kind not in "iu" or not len(starts):
            raise WireError(f"found {kind} without whole numbers `starts`, expected where each begins, and the end")
        bounds = starts.astype("int64")
        if rows is not None and (rows.shape != (len(starts) - 1,) or rows.dtype.kind not in "iu"):
            raise WireError(
                f"found {kind} with `rows` of {rows.dtype} {rows.shape}, expected one whole number for each"
            )
        if bounds[0] != 0 or bounds[-1] != len(points) or (bounds[1:] < bounds[:-1]).any():
            raise WireError(f"found {kind} whose `starts` do not rise from 0 to {len(points)}, expected them to")
    return Vectors(int(told["id"]), kind, str(told["table"]), points, starts, rows)


def _columns(told: Mapping[str, Any], arrays: Sequence[Array]) -> dict[str, Array]:
    columns = {str(name): array_of(where, arrays) for name, where in told.items()}
    if len({each.shape for each in columns.values()}) > 1 or any(each.ndim != 1 for each in columns.values()):
        raise WireError("found a table whose columns differ in length, expected one value per row in each")
    rows = max((len(each) for each in columns.values()), default=0)
    if rows > MOST_ROWS:
        raise WireError(f"found a table of {rows} rows, expected at most {MOST_ROWS}")
    return columns
