"""What the overview shows of a recording's last result: raw, images, labels, and objects and tracks on them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ._panels_beside import beside, classed, named, plane_of
from ._reader import RecordedRun
from ._who import WHO

TRAIL = 25
"""Frames of a track that are drawn."""


@dataclass(frozen=True, slots=True)
class Panel:
    """One column: an image, its pixels per raw pixel, and what to draw on it: points (y, x), or trails of them by track
    (the newest last), in raw pixels."""

    title: str
    image: np.ndarray[Any, Any]
    scale: float = 1.0
    points: np.ndarray[Any, Any] | None = None
    trails: tuple[np.ndarray[Any, Any], ...] = ()


def panels_of(run: RecordedRun) -> list[Panel]:
    """Raw and what is beside it, each image stage, and for each stage of points the image it reads with the points."""
    if not len(run):
        return []
    last = _last_result(run)
    if last is None:
        frame = run.frame(len(run) - 1)
        return [Panel(f"raw, frame {frame.id.seq}", frame.pixels)]
    who = {name: last[name] for name in WHO}
    raw = _raw_of(run, who)
    panels = {"frame": Panel(named(run, who), raw)} if raw is not None else {}
    panels |= {f" {title}": Panel(title, image) for title, image in beside(run, last).items()}  # no name of a stage
    stages = {stage["name"]: stage for stage in stages_of(run)}
    tracked = {stage["reads"] for stage in stages.values() if stage.get("kind") in ("track", "pairs")}
    for name in last:
        stage = name.removesuffix("_index")
        if name.endswith("_index") and last[name] is not None:
            images = run.images[last[f"{stage}_array"]]
            size = f", {images.scale:g}x" if images.scale != 1 else ""
            image, plane = plane_of(images.read(last[name]), last, raw, images.scale)
            panels[stage] = Panel(stage + size + plane, image, images.scale)
    tables = [name for name in run.manifest["tables"] if name not in ("frames", "results")]
    tables = [name for name in tables if last.get(f"stage {name}_ms") is not None]  # that ran on this frame
    marked = []
    for stage in tables:
        table = run.table(stage)
        plan = stages.get(stage, {})
        # Where objects lie is seen best on the frame; of those that are tracked, the tracks say it too.
        reads = plan.get("reads", "frame") if plan.get("kind", "network") == "network" else "frame"
        ground = panels.get(reads) or next(iter(panels.values()), None)
        if ground is None or stage in tracked:
            continue
        if {"track", "y", "x"} <= set(table.column_names):
            paths = _trails(table, who)
            title = f"{stage}: {len(paths)} on {ground.title.split(',')[0]}"
            marked.append(Panel(title, ground.image, ground.scale, trails=paths))
        elif plan.get("kind") == "crops" and {"row", "class"} <= set(table.column_names):
            if plan["reads"] in run.manifest["tables"] and (told := classed(run, table, run.table(plan["reads"]), who)):
                marked.append(Panel(f"{stage}: {told[0]}", ground.image, ground.scale, told[1]))
        elif {"y", "x"} <= set(table.column_names):
            rows = _rows_of(table, who)
            points = np.stack([rows["y"].to_numpy(), rows["x"].to_numpy()], axis=1).astype(float)
            title = f"{stage}: {len(points)} on {ground.title.split(',')[0]}"
            marked.append(Panel(title, ground.image, ground.scale, points))
    return [*panels.values(), *marked]


def _trails(table: Any, who: dict[str, Any]) -> tuple[np.ndarray[Any, Any], ...]:
    """Where the objects of a frame have been until then, a path (n, 2) each: the last TRAIL places of its track."""
    import pyarrow as pa
    import pyarrow.compute as pc

    now = _rows_of(table, who)["track"]
    mine = table.filter(pc.is_in(table["track"], value_set=pa.array(now.to_pylist(), now.type)))
    mine = mine.filter(pc.less_equal(mine["seq"], who["seq"]))
    columns = [mine[name].to_numpy() for name in ("track", "seq", "y", "x")]
    order = np.lexsort(columns[1::-1])
    track, _, y, x = (column[order] for column in columns)
    ends = np.flatnonzero(np.diff(track)) + 1
    places = np.stack([y, x], axis=1).astype(float)
    return tuple(path[-TRAIL:] for path in np.split(places, ends)) if len(places) else ()


def stages_of(run: RecordedRun) -> list[dict[str, Any]]:
    """The stages of the pipeline that ran, as the recording describes them."""
    known = run.manifest["pipeline"]
    stages = known.get("stages") if isinstance(known, dict) else known  # layout 2 had the stages alone
    return stages if isinstance(stages, list) else []


def _last_result(run: RecordedRun) -> dict[str, Any] | None:
    if "results" not in run.manifest["tables"]:
        return None
    results = run.table("results")
    return results.slice(results.num_rows - 1, 1).to_pylist()[0] if results.num_rows else None


def _rows_of(table: Any, who: dict[str, Any]) -> Any:
    import pyarrow.compute as pc

    chosen = None
    for name, value in who.items():
        same = pc.equal(table[name], value)
        chosen = same if chosen is None else pc.and_(chosen, same)
    return table.filter(chosen)


def _raw_of(run: RecordedRun, who: dict[str, Any]) -> np.ndarray[Any, Any] | None:
    rows = _rows_of(run.table("frames"), who).to_pylist()
    return run.images[rows[0]["array"]].read(rows[0]["index"]) if rows else None
