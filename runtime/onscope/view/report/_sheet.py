"""The contact sheet: some frames over the run, raw beside what each stage made of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from onscope.runtime import Frame, FrameId, OnscopeError
from onscope.runtime.drawing import Look, busiest
from onscope.runtime.objects import polygons
from onscope.runtime.record import RecordedRun, read_table

from ._found import BREAKS, Found, column
from ._words import named

WHO = FrameId._fields
ROWS = 4
COLUMNS = 5
"""Stages that are shown beside the raw frame."""
PART = 6
"""The enlarged square has the shorter side of the frame divided by this."""
ENOUGH = 192
"""Pixels of the shorter side from which on a part is enlarged."""
TRAIL = 20
"""Places of a track that are drawn."""
MOST_LINES = 400
"""Outlines, spots or tracks that are drawn on one image."""

Array = npt.NDArray[Any]
Lines = tuple[npt.NDArray[np.float64], ...]


@dataclass(frozen=True)
class Panel:
    """One image: `look` says its contrast; over it `outlines`, `spots` (n, 2) and `tails` (y, x) in raw pixels.

    `scale` pixels per raw pixel; `objects` counts what is drawn, or would be (`left_out` of them are not). The image
    begins at the raw pixel `origin` (y, x); a square is `marked` on it (y, x, side).
    """

    title: str
    image: Array
    look: Look
    scale: float = 1.0
    own_contrast: bool = False
    outlines: Lines = ()
    tails: Lines = ()
    spots: Array | None = None
    objects: int | None = None
    left_out: int = 0
    origin: tuple[int, int] = (0, 0)
    marked: tuple[int, int, int] | None = None


@dataclass(frozen=True)
class Row:
    """A frame with its panels, the raw one first; or `why` it cannot be shown."""

    who: FrameId
    at_s: float
    look: Look | None
    panels: tuple[Panel, ...]
    pixel_um: float | None
    suspicion: float | None = None
    why: str = ""
    detail: bool = False


def sheet(found: Found) -> Iterator[Row]:
    """Rows of frames spread over the run: those with results, or raw ones where there are none."""
    if found.run is None or found.frames is None or not found.frames.num_rows:
        return
    table = found.results if found.results is not None and found.results.num_rows else found.frames
    most = min(ROWS, table.num_rows)
    for row in dict.fromkeys(np.linspace(0, table.num_rows - 1, most).round().astype(int).tolist()):
        told = table.slice(row, 1).to_pylist()[0]
        who = FrameId(*(told[name] for name in WHO))
        at_s = float(found.seconds(told["received_ns"]))
        try:
            yield _row(found, found.run, told if table is found.results else {}, who, at_s)
        except BREAKS as error:
            words = str(error) if isinstance(error, OnscopeError) else f"{type(error).__name__}: {error}"
            yield Row(who, at_s, None, (), None, why=named(words, found.folder))


def with_detail(row: Row) -> list[Row]:
    """The row with its busiest square marked, and that square enlarged; frames that are small are left as they are."""
    if not row.panels or min(row.panels[0].image.shape[:2]) < ENOUGH:
        return [row]
    raw = row.panels[0].image.shape
    side = min(raw[:2]) // PART
    calm = next((panel.image for panel in row.panels[1:] if panel.scale == 1), row.panels[0].image)
    y, x = busiest(calm, side)
    y, x = (max(0, min(at, size - side)) for at, size in zip((y, x), raw, strict=False))
    marked = tuple(replace(panel, marked=(y, x, side)) for panel in row.panels)
    parts = tuple(replace(panel, image=_cut(panel, y, x, side), origin=(y, x), objects=None) for panel in row.panels)
    return [replace(row, panels=marked), replace(row, panels=parts, detail=True)]


def _cut(panel: Panel, y: int, x: int, side: int) -> Array:
    top, left, high = (round(each * panel.scale) for each in (y, x, side))
    return panel.image[top : top + max(1, high), left : left + max(1, high)]


def _row(found: Found, run: RecordedRun, result: dict[str, Any], who: FrameId, at_s: float) -> Row:
    rows = np.flatnonzero(_mine(found.frames, who))
    if not len(rows):
        return Row(who, at_s, None, (), None, why="its raw frame is not in this recording")
    frame = run.frame(int(rows[0]))
    look = Look.of(frame.pixels)
    panels = [Panel("raw", frame.pixels, look), *_stages(found, run, frame, result, look)]
    return Row(who, at_s, look, tuple(panels[: 1 + COLUMNS]), frame.pixel_size_um, _suspicion(found, who))


def _stages(found: Found, run: RecordedRun, frame: Frame, result: dict[str, Any], look: Look) -> Iterator[Panel]:
    grounds = {"frame": Panel("raw", frame.pixels, look)}
    facts = found.about.facts.pipeline.stages if found.about else ()
    stages = {stage.name: stage for stage in facts}
    names = dict.fromkeys([*stages, *(name.removesuffix("_index") for name in result if name.endswith("_index"))])
    for name in names:
        if result.get(f"{name}_index") is None or result.get(f"{name}_array") not in run.images:
            continue
        images = run.images[result[f"{name}_array"]]
        image = images.read(result[f"{name}_index"])
        if images.labels or Look.of(image).labels:
            yield _outlined(name, image, images.scale, grounds["frame"])
        else:
            grounds[name] = _restored(name, image, images.scale, look)
            yield grounds[name]
    for name in dict.fromkeys([*stages, *(found.about.tables if found.about else ())]):
        kind, reads = (stages[name].kind, stages[name].reads) if name in stages else ("network", "frame")
        if kind not in ("network", "track", "pairs") or result.get(f"stage {name}_ms") is None:
            continue
        table = _table(found, name)
        if table is None or not {"y", "x"} <= set(table.column_names):
            continue
        ground = grounds.get(reads, grounds["frame"])
        yield (
            _tracked(name, table, frame.id, grounds["frame"])
            if "track" in table.column_names
            else _spotted(name, table, frame.id, ground)
        )


def _restored(name: str, image: Array, scale: float, look: Look) -> Panel:
    """An image with the raw frame's contrast, where its values are of the same range."""
    own = Look.of(image, look.glow if image.ndim == 2 else None)
    span = look.white - look.black
    alike = own.white <= look.white + span and own.black >= look.black - span and own.white - own.black > 0.1 * span
    title = f"{name}, {scale:g}x as many pixels" if scale != 1 else name
    return Panel(title, image, look if alike else own, scale, not alike)


def _outlined(name: str, labels: Array, scale: float, ground: Panel) -> Panel:
    rings = list(polygons(labels, scale).values())
    kept = tuple(rings[:MOST_LINES])
    return _over(ground, name, outlines=kept, objects=len(rings), left_out=len(rings) - len(kept))


def _spotted(name: str, table: Any, who: FrameId, ground: Panel) -> Panel:
    mine = _mine(table, who)
    places = np.stack([column(table, "y")[mine], column(table, "x")[mine]], axis=1)
    places = places[np.isfinite(places).all(axis=1)]
    kept = places[:MOST_LINES]
    return _over(ground, name, spots=kept, objects=len(places), left_out=len(places) - len(kept))


def _tracked(name: str, table: Any, who: FrameId, ground: Panel) -> Panel:
    """The last places of the tracks that are in this frame."""
    now = table.filter(pa.array(_mine(table, who)))["track"]
    same = pc.and_(pc.is_in(table["track"], value_set=now.combine_chunks()), pc.less_equal(table["seq"], who.seq))
    mine = table.filter(pc.and_(same, pc.greater(table["seq"], who.seq - 5 * TRAIL)))
    track, seq, y, x = (column(mine, each) for each in ("track", "seq", "y", "x"))
    order = np.lexsort([seq, track])
    places = np.stack([y, x], axis=1)[order]
    tails = np.split(places, np.flatnonzero(np.diff(track[order])) + 1) if len(places) else []
    kept = tuple(tail[-TRAIL:] for tail in tails[:MOST_LINES] if np.isfinite(tail).all())
    return _over(ground, name, tails=kept, objects=len(tails), left_out=len(tails) - len(kept))


def _over(ground: Panel, name: str, **drawn: Any) -> Panel:
    title = f"{name}, on {ground.title.split(',')[0]}"
    return Panel(title, ground.image, ground.look, ground.scale, ground.own_contrast, **drawn)


def _mine(table: Any, who: FrameId) -> npt.NDArray[np.bool_]:
    """Which rows are of a frame."""
    same = None
    for name, value in who._asdict().items():
        equal = pc.equal(table[name], value)
        same = equal if same is None else pc.and_(same, equal)
    return np.asarray(same, bool)


def _suspicion(found: Found, who: FrameId) -> float | None:
    if found.values is None:
        return None
    table = found.values.filter(
        pc.and_(pc.equal(found.values["kind"], "trust"), pc.equal(found.values["name"], "suspicion"))
    )
    values = column(table, "value")[_mine(table, who)] if table.num_rows else np.zeros(0)
    return float(values.max()) if len(values) else None


def _table(found: Found, name: str) -> Any:
    try:
        return read_table(found.folder, name)
    except OnscopeError:
        return None
