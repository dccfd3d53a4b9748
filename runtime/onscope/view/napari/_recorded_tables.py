"""Objects and tracks of a recording as layers of points and tracks."""

from __future__ import annotations

from typing import Any

import numpy as np

from onscope.runtime.record import RecordedRun, tracked
from onscope.runtime.track import napari_tracks

from ._looks import points_of
from ._reader import LayerData
from ._recorded import about, channel_names, worldly

OWN = ("frames", "results", "values", "inputs")
TRACKING = ("track", "pairs")


def table_layers(run: RecordedRun) -> list[LayerData]:
    """Tracks as tracks, all other tables with places as points, each for every raw image and channel on its own."""
    found: list[LayerData] = []
    stages = _stages(run)
    for name in run.manifest["tables"]:
        if name in OWN:
            continue
        if stages.get(name, {}).get("kind") in TRACKING:
            found += _tracks(run, name, stages[name])
        else:
            found += _points(run, name, stages.get(name, {}))
    return found


def _stages(run: RecordedRun) -> dict[str, dict[str, Any]]:
    told = run.manifest["pipeline"]
    stages = told.get("stages") if isinstance(told, dict) else None
    return {str(each.get("name")): each for each in stages or () if isinstance(each, dict)}


def _points(run: RecordedRun, name: str, stage: dict[str, Any]) -> list[LayerData]:
    table = run.table(name)
    names = set(table.column_names)
    if not table.num_rows or not ({"y", "x"} <= names or {"y0", "x0", "y1", "x1"} <= names):
        return []
    found: list[LayerData] = []
    columns = {each: table[each].to_numpy(zero_copy_only=False) for each in table.column_names}
    arrays = table["raw_array"].to_pylist() if "raw_array" in names else [None] * table.num_rows
    channels = table["raw_c"].to_pylist() if "raw_c" in names else [None] * table.num_rows
    together: dict[tuple[str | None, int | None], list[int]] = {}
    for row, of in enumerate(zip(arrays, channels, strict=True)):
        together.setdefault(of, []).append(row)
    for key, rows in together.items():
        mine = {each: values[rows] for each, values in columns.items()}
        images = run.images.get(key[0] or "")
        size = images.pixel_size_um if images is not None else None
        um, along = size or 1.0, "t"
        before = [_counted(mine, "raw_t", "seq")]
        if images is not None and "z" in images.along:
            along = "tz"
            before.append(_counted(mine, "raw_z", "raw_z"))
        data = np.concatenate([np.stack(before, axis=1), points_of(mine, None)], axis=1)
        own = {each: values for each, values in mine.items() if not each.startswith("raw_")}
        given = {
            "name": _name(run, name, key[0], key[1]), "features": own, "scale": [*[1.0] * len(before), um, um],
            "size": 8, "face_color": "transparent", "border_color": "cyan", "border_width": 0.15,
            "metadata": about(run, stage=stage, table=name), **worldly(along, size),
        }  # fmt: skip
        found.append((data, given, "points"))
    return found


def _counted(columns: dict[str, Any], name: str, otherwise: str) -> Any:
    values = np.asarray(columns.get(name, columns[otherwise]), float)
    return np.where(np.isfinite(values), values, np.asarray(columns[otherwise], float))


def _tracks(run: RecordedRun, name: str, stage: dict[str, Any]) -> list[LayerData]:
    found: list[LayerData] = []
    for place in tracked(run, name):
        if not len(place.tracks):
            continue
        data, graph, features = napari_tracks(place.tracks)
        um, along = place.tracks.pixel_size_um or 1.0, "t"
        array, z = (place.table[column][0].as_py() for column in ("raw_array", "raw_z"))
        scale = [1.0, um, um]
        images = run.images.get(array or "")
        if images is not None and "z" in images.along:
            data = np.insert(data, 2, float(z or 0), axis=1)
            scale.insert(1, 1.0)
            along = "tz"
        given = {
            "name": _name(run, name, array, place.table["raw_c"][0].as_py()), "graph": graph, "features": features,
            "scale": scale, "metadata": about(run, stage=stage, table=name),
            **worldly(along, place.tracks.pixel_size_um),
        }  # fmt: skip
        found.append((data, given, "tracks"))
    return found


def _name(run: RecordedRun, name: str, array: str | None, channel: int | None) -> str:
    """The stage's, with the raw image where there are several, and the channel."""
    many = sum(images.role == "raw" for images in run.images.values()) > 1
    words = [name, str(array or "").removesuffix(".ome.zarr") if many else ""]
    if channel is not None:
        words.append(channel_names(run).get(int(channel), f"c{channel}"))
    return " ".join(word for word in words if word)
