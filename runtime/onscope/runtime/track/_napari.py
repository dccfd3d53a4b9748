"""Tracks as napari's layer of tracks takes them."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import numpy.typing as npt

from .._errors import RecordError
from ._table import Tracks

Floats = npt.NDArray[np.float64]


def napari_tracks(tracks: Tracks) -> tuple[Floats, dict[int, list[int]], dict[str, Floats]]:
    """`data`, `graph` and `features` of `viewer.add_tracks(data, graph=graph, features=features)`.

    data is (n, 4): track, frame, y, x in pixels; graph names the mothers of each daughter.
    """
    data = np.stack([tracks.track, tracks.frame, tracks.y, tracks.x], axis=1).astype(np.float64)
    born = tracks.begins & (tracks.parent > 0)
    pairs = zip(tracks.track[born].tolist(), tracks.parent[born].tolist(), strict=True)
    return data, {daughter: [mother] for daughter, mother in pairs}, dict(tracks.columns)


def write_napari(path: str | Path, tracks: Tracks) -> tuple[Path, Path]:
    """Write `path` (CSV: track, frame, y, x and all other columns, a row each) and the graph beside it as JSON.

    Opened with::

        table = numpy.genfromtxt("tracks.csv", delimiter=",", names=True)
        graph = {int(daughter): mothers for daughter, mothers in json.load(open("tracks.graph.json")).items()}
        viewer.add_tracks(numpy.stack([table[name] for name in ("track", "frame", "y", "x")], axis=1), graph=graph)

    Returns both paths; raises RecordError when one is there, or cannot be written.
    """
    data, graph, features = napari_tracks(tracks)
    table, beside = Path(path), Path(path).with_suffix(".graph.json")
    whole = np.concatenate([data, *(values[:, None] for values in features.values())], axis=1)
    try:
        with table.open("x", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(["track", "frame", "y", "x", *features])
            writer.writerows([f"{value:.10g}" for value in row] for row in whole.tolist())
        with beside.open("x", encoding="utf-8") as file:
            json.dump(graph, file)
    except OSError as error:
        raise RecordError(
            f"{error.filename} cannot be written ({error.strerror}): choose a new name on a disk with room"
        ) from error
    return table, beside
