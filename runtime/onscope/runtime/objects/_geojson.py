"""Objects as GeoJSON, as QuPath and those who read its files understand it.

RFC 7946 (https://datatracker.ietf.org/doc/html/rfc7946) is about places on the Earth; QuPath uses its features with
pixels: x and y, (0, 0) being the upper left corner of the first pixel (https://qupath.readthedocs.io/en/stable/docs/
advanced/exporting_annotations.html), `objectType`, `classification` and `measurements` among the properties, and which
image of a series it is in the member `plane` of the geometry (qupath.lib.io, from version 0.4).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from .._errors import RecordError
from ._outlines import Outline, outlines
from ._tables import columns_of, replaced

CORNER = 0.5
"""What is added to coordinates that count from the centre of the first pixel."""
TYPES = ("detection", "annotation", "cell", "tile")


def write_geojson(
    path: str | Path,
    objects: npt.NDArray[Any] | Mapping[int, Outline | npt.NDArray[Any]] | None = None,
    table: Any = None,
    *,
    scale: float = 1.0,
    classes: Sequence[str] | None = None,
    t: int | None = None,
    kind: str = "detection",
) -> None:
    """Write a FeatureCollection with a feature per object; `path` is replaced, whole or not at all.

    `objects` is a label image (y, x) with `scale` label pixels per raw pixel, or outlines or polygons by label as
    `outlines` and `polygons` give them; without it, the rows of `table` become points at their y and x. The numbers of
    `table` (a structured array or a pyarrow.Table, one row per label in its column `label`) become measurements, but
    for those that are not finite: JSON has none. `class` becomes the classification, by its name in `classes` where
    they are given. `t` is the number of the image in a series, from 0; `kind` is QuPath's type of object.

    Raises RecordError when the parts do not fit together or the file cannot be written, PipelineError as `outlines`.
    """
    if kind not in TYPES:
        raise RecordError(f"found the type of object {kind!r}, expected one of {', '.join(TYPES)}")
    columns = {} if table is None else columns_of(table)
    rows = _rows(columns)
    if objects is None:
        geometries = _points(columns)
    else:
        known = outlines(objects, scale) if isinstance(objects, np.ndarray) else objects
        geometries = {int(label): _geometry(each) for label, each in known.items()}
        rows = _by_label(columns, rows) if columns else {}
    features = []
    for label, geometry in geometries.items():
        if t is not None:
            geometry |= {"plane": {"c": -1, "z": 0, "t": t}}
        properties = {"objectType": kind} | _properties(rows.get(label, {}), classes)
        if objects is not None:
            properties["name"] = str(label)
        features.append({"type": "Feature", "geometry": geometry, "properties": properties})
    text = json.dumps({"type": "FeatureCollection", "features": features}, allow_nan=False)
    replaced(Path(path), lambda draft: draft.write_text(text, encoding="utf-8"))


def _rows(columns: Mapping[str, npt.NDArray[Any]]) -> dict[int, dict[str, Any]]:
    """The rows as plain values, by their number."""
    names = list(columns)
    lists = [columns[name].tolist() for name in names]
    return {number: dict(zip(names, row, strict=True)) for number, row in enumerate(zip(*lists, strict=True))}


def _by_label(columns: Mapping[str, Any], rows: Mapping[int, dict[str, Any]]) -> dict[int, dict[str, Any]]:
    if "label" not in columns:
        raise RecordError(
            f"found a table with the columns {', '.join(columns)}, expected one named label: give the table that was "
            "measured on these labels, or no labels for points"
        )
    found = {int(row["label"]): row for row in rows.values()}
    if len(found) < len(rows):
        raise RecordError(
            f"found {len(rows)} rows for {len(found)} labels, expected one each: give the rows of a single frame"
        )
    return found


def _points(columns: Mapping[str, Any]) -> dict[int, dict[str, Any]]:
    if not {"y", "x"} <= columns.keys():
        raise RecordError(
            f"found a table with the columns {', '.join(columns) or 'of none'}, expected y and x: give labels or "
            "outlines, or a table of objects with their places"
        )
    places = np.stack([columns["x"], columns["y"]], axis=1).astype(float) + CORNER
    return {number: {"type": "Point", "coordinates": place} for number, place in enumerate(places.tolist())}


def _geometry(outline: Outline | npt.NDArray[Any]) -> dict[str, Any]:
    parts = outline.parts if isinstance(outline, Outline) else ((outline,),)
    coordinates = [[_closed(ring) for ring in part] for part in parts]
    if len(coordinates) == 1:
        return {"type": "Polygon", "coordinates": coordinates[0]}
    return {"type": "MultiPolygon", "coordinates": coordinates}


def _closed(ring: npt.NDArray[Any]) -> list[list[float]]:
    """x and y of a ring of y and x, the first one again at the end."""
    places: list[list[float]] = (np.asarray(ring, float)[:, ::-1] + CORNER).tolist()
    return [*places, places[0]]


def _properties(row: Mapping[str, Any], classes: Sequence[str] | None) -> dict[str, Any]:
    found: dict[str, Any] = {}
    numbers = {name: float(value) for name, value in row.items() if isinstance(value, int | float)}
    measurements = {name: value for name, value in numbers.items() if np.isfinite(value) and name != "class"}
    if "class" in row:
        found["classification"] = {"name": _class(row["class"], classes)}
    return found | ({"measurements": measurements} if measurements else {})


def _class(value: Any, classes: Sequence[str] | None) -> str:
    if isinstance(value, str) or not np.isfinite(value):
        return str(value)
    number = int(value)  # tables of one dtype have classes as floating numbers
    if classes is None:
        return str(number)
    if not 0 <= number < len(classes):
        raise RecordError(f"found the class {number}, expected 0 to {len(classes) - 1}: give the names of all classes")
    return classes[number]
