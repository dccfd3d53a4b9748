"""What the tables of a recording say of its images: which elements have a row, and why another has none."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from .._errors import RecordError
from ._who import WHO, ids_of


def elements(table: Any, prefix: str, path: str) -> npt.NDArray[np.int64]:
    """Elements (rows, axes) of the image `path` that rows name, by the columns `array` and `index` behind the prefix.

    Rows of layout 2 have numbers instead of lists. Raises RecordError for a table that is not one of elements.
    """
    array, index = f"{prefix}array", f"{prefix}index"
    if not {array, index} <= set(table.column_names):
        return np.zeros((0, 1), np.int64)
    chosen = np.flatnonzero(table[array].to_numpy(zero_copy_only=False) == path)
    if not len(chosen):
        return np.zeros((0, 1), np.int64)
    try:
        mine = table[index].combine_chunks().take(chosen)
        flat = mine.flatten() if hasattr(mine, "flatten") else mine
        return np.asarray(flat, np.int64).reshape(len(chosen), -1)
    except (ValueError, TypeError, OverflowError) as error:
        raise RecordError(
            f"found {table[index].type} in the column {index} of a table, expected elements with as many numbers each "
            f"({error}): restore the table"
        ) from error


def frame_at(frames: Any, array: str, at: tuple[int, ...]) -> dict[str, Any] | None:
    """The row of the frame at an element; of several (a rolling window) the last."""
    places = elements(frames, "", array)
    if places.shape[1] != len(at):
        return None
    same = np.flatnonzero((places == at).all(axis=1))
    if not len(same):
        return None
    row = np.flatnonzero(frames["array"].to_numpy(zero_copy_only=False) == array)[same[-1]]
    return dict(frames.slice(int(row), 1).to_pylist()[0])


def rows_of(results: Any, frames: Any) -> Any:
    """The rows of results whose frames have a row in the table of frames."""
    told = set(ids_of(frames))
    return results.take([number for number, who in enumerate(ids_of(results)) if who in told])


def why_missing(folder: Path, frames: Any, entry: dict[str, Any], at: tuple[int, ...]) -> str:
    """Why an element of an image is not there, in words: what became of the raw frame, as far as it is known."""
    raw = entry["path"] if entry["role"] == "raw" else entry.get("raw")
    if raw is None:
        return "its raw frame is not in this recording"
    if entry.get("channel") is not None:
        at = (*at[:1], entry["channel"], *at[1:])
    frame = frame_at(frames, raw, at)
    if frame is None:
        return "no raw frame was saved there"
    who = [frame[name] for name in WHO]
    return f"frame {'/'.join(map(str, who))} {_fate(folder / 'ledger.csv', who)}"


def _fate(ledger: Path, who: list[Any]) -> str:
    try:
        with open(ledger, newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                first = int(row["seq"])
                same = [row["run"], row["camera"], row["segment"]] == [str(each) for each in who[:3]]
                if same and first <= who[3] < first + int(row["frames"]):
                    return f"is {row['state']}" + (f": {row['reason']}" if row["reason"] else "")
    except (OSError, ValueError, KeyError, TypeError):  # of a run that was cut off, or changed by hand
        pass
    return "has no row in its ledger"
