"""What the overview shows beside a result's own frame: the mean of its phases, and the other channels of its time."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import numpy as np

from ._reader import RecordedRun
from ._who import WHO

Array = np.ndarray[Any, Any]
PLACES = {"c": "", "z": "z ", "i": "phase "}
"""How a frame's place is said; a channel by its name, where it has one."""


def named(run: RecordedRun, who: dict[str, Any]) -> str:
    """What a raw frame is: "raw, frame 48, transmitted, z 6"."""
    row = _row(run, who)
    position = {} if row is None else json.loads(row["position"] or "{}")
    labels = {} if row is None else json.loads(row["labels"] or "{}")
    said = [f"{PLACES[axis]}{labels.get(axis, position[axis])}" for axis in PLACES if axis in position]
    return ", ".join([f"raw, frame {who['seq']}", *said])


def beside(run: RecordedRun, result: dict[str, Any]) -> dict[str, Array]:
    """By title: the mean of the window's frames, where they are phases, and one frame of each other channel.

    Of another channel the frame of the same time point that is nearest in z. Frames that are not there are left out.
    """
    found: dict[str, Array] = {}
    known = run.manifest["pipeline"]
    window = known.get("window") if isinstance(known, dict) else None
    gathered = result.get("window") or []
    if isinstance(window, dict) and window.get("along") == "i" and len(gathered) > 1:
        frames = [_pixels(run, {**_who(result), **one}) for one in gathered]
        there = [one for one in frames if one is not None]
        if len(there) == len(gathered) and len({one.shape for one in there}) == 1:
            found[f"mean of the {len(there)} phases"] = np.asarray(np.mean(there, axis=0, dtype=np.float32))
    return found | _channels(run, result)


def _channels(run: RecordedRun, result: dict[str, Any]) -> dict[str, Array]:
    mine = _row(run, _who(result))
    here = {} if mine is None else json.loads(mine["position"] or "{}")
    if "c" not in here:
        return {}
    table = run.table("frames")
    best: dict[int, tuple[int, dict[str, Any]]] = {}
    same = {name: result[name] for name in ("run", "camera", "segment")}
    for row in _rows(table, same).select(["array", "index", "seq", "position", "labels"]).to_pylist():
        place = json.loads(row["position"] or "{}")
        if "c" in place and place["c"] != here["c"] and all(place.get(a) == here.get(a) for a in ("t", "p")):
            far = abs(place.get("z", 0) - here.get("z", 0))
            if place["c"] not in best or far < best[place["c"]][0]:
                best[place["c"]] = far, row
    found = {}
    for number, (_, row) in sorted(best.items()):
        name = json.loads(row["labels"] or "{}").get("c", f"channel {number}")
        found[f"raw, frame {row['seq']}, {name}"] = run.images[row["array"]].read(row["index"])
    return found


def classed(run: RecordedRun, table: Any, places: Any, who: dict[str, Any]) -> tuple[str, Array] | None:
    """Of a table of classes of crops: how many objects of each class, and places (y, x) of all but the commonest.

    `places` is the table of the objects. None: nothing of this frame.
    """
    rows, objects = _rows(table, who), _rows(places, who)
    names = [name.removeprefix("score_") for name in rows.column_names if name.startswith("score_")]
    chosen = rows["class"].to_pylist()
    if not chosen or not names or {"y", "x"} - set(objects.column_names):
        return None
    counts = Counter(chosen)
    told = ", ".join(f"{count} {names[number]}" for number, count in counts.most_common() if 0 <= number < len(names))
    usual = counts.most_common(1)[0][0]
    at = [row for row, one in zip(rows["row"].to_pylist(), chosen, strict=True) if one != usual and row < len(objects)]
    yx = np.stack([objects[axis].to_numpy() for axis in ("y", "x")], axis=1).astype(float)
    return told, yx[at] if at else np.zeros((0, 2))


def plane_of(image: Array, result: dict[str, Any], raw: Array | None, scale: float) -> tuple[Array, str]:
    """An image (y, x) or (y, x, c) as it is; of a stack (z, y, x) the plane of the result's own frame, and its number.

    It is a stack where its last two sides are those of the `raw` frame, `scale` times as large, and its first two not;
    of one that has other planes than the window has frames, the middle.
    """
    if raw is None or image.ndim != 3:
        return image, ""
    sides = tuple(round(side * scale) for side in raw.shape[:2])
    if image.shape[1:] != sides or image.shape[:2] == sides:
        return image, ""
    target = result.get("target")
    plane = target if image.shape[0] == result.get("frames") and target is not None else image.shape[0] // 2
    return np.asarray(image[plane]), f", plane {plane} of {image.shape[0]}"


def _pixels(run: RecordedRun, who: dict[str, Any]) -> Array | None:
    row = _row(run, who)
    return None if row is None else run.images[row["array"]].read(row["index"])


def _row(run: RecordedRun, who: dict[str, Any]) -> dict[str, Any] | None:
    rows = _rows(run.table("frames"), who).to_pylist()
    return rows[0] if rows else None


def _who(result: dict[str, Any]) -> dict[str, Any]:
    return {name: result[name] for name in WHO}


def _rows(table: Any, who: dict[str, Any]) -> Any:
    import pyarrow.compute as pc

    for name, value in who.items():
        table = table.filter(pc.equal(table[name], value))
    return table
