"""Tracks as a file of TrackMate (Fiji), which opens it with Plugins > Tracking > Load a TrackMate file."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
import numpy.typing as npt

from .._errors import RecordError
from ._lineage import links, trees
from ._table import Tracks

VERSION = "7.13.2"
"""Of TrackMate, whose files these are like."""
RADIUS = 2.5
"""Pixels, of objects without an area."""
Polygons = Callable[[int], Mapping[int, npt.NDArray[Any]]]


def write_trackmate(
    path: str | Path,
    tracks: Tracks,
    *,
    shape: tuple[int, int] = (0, 0),
    image: str | Path | None = None,
    polygons: Polygons | None = None,
) -> Path:
    """Write a new XML file and return its path.

    `shape` is (rows, columns) of the frames, `image` the file that TrackMate shall open with it (None: it shows an
    empty one). `polygons` gives the outlines of a frame's objects by label, (k, 2) of y and x in pixels; without it
    objects are circles of their area. Lengths are micrometres where the pixel size is known, else pixels; the interval
    is in seconds where it is known, else frames. What divides is one track of TrackMate's with branches. The elements
    are those that TrackMate 7 writes (fiji.plugin.trackmate.io.TmXmlWriter). Raises RecordError when the file is there
    or cannot be written.
    """
    root = ET.Element("TrackMate", version=VERSION)
    ET.SubElement(root, "Log").text = "Tracks of onscope."
    known = _Units(tracks)
    model = ET.SubElement(root, "Model", spatialunits=known.space, timeunits=known.time)
    _declare(model, tracks)
    _spots(model, tracks, known, polygons)
    _lines(model, tracks, known)
    _settings(root, tracks, known, shape, image)
    ET.SubElement(root, "GUIState", state="ConfigureViews")
    ET.indent(root)
    try:
        with Path(path).open("xb") as file:
            ET.ElementTree(root).write(file, encoding="UTF-8", xml_declaration=True)
    except OSError as error:
        raise RecordError(
            f"{path} cannot be written ({error.strerror}): choose a new name on a disk with room"
        ) from error
    return Path(path)


class _Units:
    def __init__(self, tracks: Tracks) -> None:
        self.side = tracks.pixel_size_um or 1.0
        self.interval = tracks.interval_s or 1.0
        self.space = "micron" if tracks.pixel_size_um else "pixel"
        self.time = "sec" if tracks.interval_s else "frame"


def _columns(tracks: Tracks) -> dict[str, str]:
    """Further columns by their names in the file, which are XML's: those that are finite everywhere."""
    return {
        "ONSCOPE_" + re.sub(r"[^A-Z0-9_]", "_", name.upper()): name
        for name, values in tracks.columns.items()
        if np.isfinite(values).all()
    }


def _declare(model: ET.Element, tracks: Tracks) -> None:
    declared = ET.SubElement(model, "FeatureDeclarations")
    spots = [
        ("QUALITY", "Quality", "QUALITY", False),
        ("POSITION_X", "X", "POSITION", False),
        ("POSITION_Y", "Y", "POSITION", False),
        ("POSITION_Z", "Z", "POSITION", False),
        ("POSITION_T", "T", "TIME", False),
        ("FRAME", "Frame", "NONE", True),
        ("RADIUS", "Radius", "LENGTH", False),
        ("VISIBILITY", "Visibility", "NONE", True),
        ("ONSCOPE_TRACK", "Track in onscope", "NONE", True),
        ("ONSCOPE_LABEL", "Label in onscope", "NONE", True),
        *((key, name.replace("_", " "), "NONE", False) for key, name in _columns(tracks).items()),
    ]
    edges = [
        ("SPOT_SOURCE_ID", "Source spot ID", "NONE", True),
        ("SPOT_TARGET_ID", "Target spot ID", "NONE", True),
        ("EDGE_TIME", "Edge time", "TIME", False),
        ("DISPLACEMENT", "Displacement", "LENGTH", False),
    ]
    whole = [("TRACK_INDEX", "Track index", "NONE", True), ("TRACK_ID", "Track ID", "NONE", True)]
    for tag, features in (("SpotFeatures", spots), ("EdgeFeatures", edges), ("TrackFeatures", whole)):
        element = ET.SubElement(declared, tag)
        for key, name, dimension, integer in features:
            isint = str(integer).lower()
            ET.SubElement(element, "Feature", feature=key, name=name, shortname=name, dimension=dimension, isint=isint)


def _spots(model: ET.Element, tracks: Tracks, known: _Units, polygons: Polygons | None) -> None:
    every = ET.SubElement(model, "AllSpots", nspots=str(len(tracks)))
    area = tracks.columns.get("area", np.full(len(tracks), np.nan))
    radius = np.where(area > 0, np.sqrt(np.maximum(area, 0) / math.pi), RADIUS) * known.side
    quality = np.nan_to_num(tracks.columns.get("score", np.ones(len(tracks))))
    more = {key: tracks.columns[name] for key, name in _columns(tracks).items()}
    order = np.lexsort([tracks.track, tracks.frame])
    bounds = np.searchsorted(tracks.frame[order], np.arange(tracks.frames + 1))
    for frame in range(tracks.frames):
        rows = order[bounds[frame] : bounds[frame + 1]].tolist()
        if not rows:
            continue
        together = ET.SubElement(every, "SpotsInFrame", frame=str(frame))
        outlines = polygons(frame) if polygons else {}
        for row in rows:
            known_of_it = {
                "ID": str(row),
                "name": f"ID{row}",
                "QUALITY": _number(quality[row]),
                "POSITION_X": _number(tracks.x[row] * known.side),
                "POSITION_Y": _number(tracks.y[row] * known.side),
                "POSITION_Z": "0.0",
                "POSITION_T": _number(frame * known.interval),
                "FRAME": str(frame),
                "RADIUS": _number(radius[row]),
                "VISIBILITY": "1",
                "ONSCOPE_TRACK": str(tracks.track[row]),
                "ONSCOPE_LABEL": str(tracks.label[row]),
                **{key: _number(values[row]) for key, values in more.items()},
            }
            spot = ET.SubElement(together, "Spot", known_of_it)
            outline = outlines.get(int(tracks.label[row]))
            if outline is not None and len(outline) > 2:  # points are told relative to the spot, x first
                around = (np.asarray(outline, dtype=np.float64) - (tracks.y[row], tracks.x[row]))[:, ::-1] * known.side
                spot.set("ROI_N_POINTS", str(len(around)))
                spot.text = " ".join(map(_number, around.ravel()))


def _lines(model: ET.Element, tracks: Tracks, known: _Units) -> None:
    """Families of more than one spot; a spot alone has no track in TrackMate."""
    linked = links(tracks)
    family = trees(tracks)[linked[:, 0]]
    every, shown = ET.SubElement(model, "AllTracks"), ET.SubElement(model, "FilteredTracks")
    order = np.lexsort([linked[:, 1], family])
    groups = np.split(order, np.flatnonzero(np.diff(family[order])) + 1) if len(order) else []
    for number, group in enumerate(groups):
        track = ET.SubElement(every, "Track", name=f"Track_{number}", TRACK_INDEX=str(number), TRACK_ID=str(number))
        ET.SubElement(shown, "TrackID", TRACK_ID=str(number))
        for source, target in linked[group].tolist():
            way = math.hypot(tracks.y[target] - tracks.y[source], tracks.x[target] - tracks.x[source])
            between = (tracks.frame[source] + tracks.frame[target]) / 2
            ET.SubElement(
                track,
                "Edge",
                SPOT_SOURCE_ID=str(source),
                SPOT_TARGET_ID=str(target),
                EDGE_TIME=_number(between * known.interval),
                DISPLACEMENT=_number(way * known.side),
            )


def _settings(
    root: ET.Element, tracks: Tracks, known: _Units, shape: tuple[int, int], image: str | Path | None
) -> None:
    settings = ET.SubElement(root, "Settings")
    file = None if image is None else Path(image).absolute()
    ET.SubElement(
        settings,
        "ImageData",
        filename=file.name if file else "",
        folder=f"{file.parent}/" if file else "",
        width=str(shape[1]),
        height=str(shape[0]),
        nslices="1",
        nframes=str(tracks.frames),
        pixelwidth=_number(known.side),
        pixelheight=_number(known.side),
        voxeldepth="1.0",
        timeinterval=_number(known.interval),
    )
    ends = {"x": shape[1] - 1, "y": shape[0] - 1, "z": 0, "t": tracks.frames - 1}
    bounds = {
        f"{axis}{side}": str(max(0, end) * (side == "end")) for axis, end in ends.items() for side in ("start", "end")
    }
    ET.SubElement(settings, "BasicSettings", bounds)
    ET.SubElement(settings, "DetectorSettings", DETECTOR_NAME="MANUAL_DETECTOR", RADIUS=_number(RADIUS * known.side))
    ET.SubElement(settings, "InitialSpotFilter", feature="QUALITY", value="0.0", isabove="true")
    ET.SubElement(settings, "SpotFilterCollection")
    ET.SubElement(settings, "TrackerSettings", TRACKER_NAME="MANUAL_TRACKER")
    ET.SubElement(settings, "TrackFilterCollection")
    analyzers = ET.SubElement(settings, "AnalyzerCollection")
    for kind in ("SpotAnalyzers", "EdgeAnalyzers", "TrackAnalyzers"):
        ET.SubElement(analyzers, kind)


def _number(value: Any) -> str:
    return repr(float(value))
