"""What OME-XML says of the planes of an OME-TIFF: when they were taken, for how long, and where.

Specification: https://docs.openmicroscopy.org/ome-model/ (2016-06).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree

from onscope.runtime import SourceError

LARGEST = 1 << 28
LENGTHS = {"nm": 1e-3, "µm": 1.0, "μm": 1.0, "um": 1.0, "mm": 1e3, "cm": 1e4, "m": 1e6, "Å": 1e-4}
TIMES = {"ns": 1e-9, "µs": 1e-6, "μs": 1e-6, "us": 1e-6, "ms": 1e-3, "s": 1.0, "min": 60.0, "h": 3600.0}

Place = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Plane:
    """`seconds` since the acquisition began, milliseconds, micrometres; None: not told."""

    seconds: float | None = None
    exposure_ms: float | None = None
    stage_um: tuple[float, float, float] | None = None


@dataclass(frozen=True, slots=True)
class ImageXml:
    """One Image: its planes by (t, c, z), channel names, and pixel size in micrometres."""

    name: str | None = None
    pixel_size_um: float | None = None
    interval_s: float | None = None
    channels: tuple[str, ...] = ()
    planes: Mapping[Place, Plane] = field(default_factory=dict)

    def plane(self, place: Mapping[str, int]) -> Plane:
        """What is told of a plane."""
        at = place.get("t", 0), place.get("c", 0), place.get("z", 0)
        told = self.planes.get(at, Plane())
        if told.seconds is None and self.interval_s is not None:
            return Plane(at[0] * self.interval_s, told.exposure_ms, told.stage_um)
        return told


def read_ome_xml(text: str, where: Path) -> list[ImageXml]:
    """The Images of an OME-TIFF's description; raises SourceError when it leads to files elsewhere or is no XML."""
    if len(text) > LARGEST or "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise SourceError(f"found a description in {where} that is too long or defines entities, expected OME-XML")
    try:
        root = ElementTree.fromstring(text)
    except (ElementTree.ParseError, ValueError) as error:
        raise SourceError(f"found no OME-XML in {where} ({error}), expected it in the first page") from error
    for element in root.iterfind(".//{*}UUID"):
        name = element.get("FileName")
        if name and (Path(name).name != name or "\\" in name or ":" in name):
            raise SourceError(f"found the file {name[:200]!r} named in {where}, expected files beside it: rename it")
    return [_image(each) for each in root.iterfind("{*}Image")]


def _image(image: ElementTree.Element) -> ImageXml:
    pixels = image.find("{*}Pixels")
    if pixels is None:
        return ImageXml(image.get("Name"))
    planes = {}
    for plane in pixels.iterfind("{*}Plane"):
        t, c, z = (_number(plane.get(f"The{axis}"), 1.0) for axis in "TCZ")
        if t is not None and c is not None and z is not None:
            planes[int(t), int(c), int(z)] = _plane(plane)
    return ImageXml(
        image.get("Name"),
        _number(pixels.get("PhysicalSizeX"), LENGTHS.get(pixels.get("PhysicalSizeXUnit", "µm"))),
        _number(pixels.get("TimeIncrement"), TIMES.get(pixels.get("TimeIncrementUnit", "s"))),
        tuple(channel.get("Name") or "" for channel in pixels.iterfind("{*}Channel")),
        planes,
    )


def _plane(plane: ElementTree.Element) -> Plane:
    exposure_s = _number(plane.get("ExposureTime"), TIMES.get(plane.get("ExposureTimeUnit", "s")))
    x, y, z = (
        _number(plane.get(f"Position{axis}"), LENGTHS.get(plane.get(f"Position{axis}Unit", "µm"))) for axis in "XYZ"
    )
    return Plane(
        _number(plane.get("DeltaT"), TIMES.get(plane.get("DeltaTUnit", "s"))),
        exposure_s * 1e3 if exposure_s else None,
        None if x is None or y is None or z is None else (x, y, z),
    )


def _number(text: str | None, factor: float | None) -> float | None:
    """In a unit that is known; positions in "reference frame" are in none."""
    try:
        number = float(text) if text is not None else math.nan
    except ValueError:
        return None
    return number * factor if factor is not None and math.isfinite(number) else None
