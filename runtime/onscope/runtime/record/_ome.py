"""What an image of OME-Zarr 0.5 says of itself: axes, scales, channels, labels.

Specification: https://ngff.openmicroscopy.org/0.5/
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .._errors import RecordError
from ._files import write_json

LIMITS: Mapping[str, int] = {"uint8": 255, "uint16": 65535}
GREY = ("FFFFFF",)
COLOURS = ("FF00FF", "00FF00", "00FFFF", "FFFF00")
"""Of channels that are shown together, and are not red, green and blue: pairs of them can be told apart by everyone."""


@dataclass(frozen=True, slots=True)
class Layout:
    """What the elements of a series are, where they are more than a frame (y, x) or (y, x, samples).

    `axes` names an element's axes in the order of its array: "yx", "cyx", "zyx" or "czyx". `interval_s` is the time
    between elements in seconds, `step_um` that between z-planes in micrometres (None: unknown), `channels` the names
    along c, `windows` the values (darkest, brightest) that each of them is shown with at first (none: all values of
    the dtype). `labels`: the values are ids of objects, of the image that this one lies in (IMAGE/labels/NAME).
    """

    axes: str
    interval_s: float | None = None
    step_um: float | None = None
    channels: tuple[str, ...] = ()
    windows: tuple[tuple[float, float], ...] = ()
    labels: bool = False

    def check(self, shape: tuple[int, ...]) -> None:
        """Raise RecordError unless elements of `shape` can have these axes."""
        if self.axes not in ("yx", "cyx", "zyx", "czyx") or len(shape) != len(self.axes):
            raise RecordError(
                f"found elements of shape {shape} with the axes {self.axes!r}, expected 'yx', 'cyx', 'zyx' or 'czyx' "
                "with one size each: name the axes in this order"
            )
        if self.channels and ("c" not in self.axes or shape[0] != len(self.channels)):
            raise RecordError(
                f"found {len(self.channels)} names of channels for elements of shape {shape} with the axes "
                f"{self.axes!r}, expected one name per channel: name them all, or none"
            )
        if self.windows and len(self.windows) != len(self.channels):
            raise RecordError(
                f"found {len(self.windows)} windows for {len(self.channels)} channels, expected one each: give one "
                "(darkest, brightest) per name, or none"
            )


def group(
    name: str,
    layout: Layout,
    dtype: str,
    pixel_size_um: float | None,
    attributes: Mapping[str, Any] | None,
    *,
    rgb: bool = False,
) -> dict[str, Any]:
    """zarr.json of the image group: OME-Zarr 0.5 multiscales with one level, and what onscope adds."""
    axes = [_axis("t", layout, pixel_size_um), *(_axis(axis, layout, pixel_size_um) for axis in layout.axes)]
    scales = {"t": layout.interval_s, "z": layout.step_um, "y": pixel_size_um, "x": pixel_size_um}
    transform = [{"type": "scale", "scale": [scales.get(axis["name"]) or 1.0 for axis in axes]}]
    level = {"path": "0", "coordinateTransformations": transform}
    ome: dict[str, Any] = {"version": "0.5", "multiscales": [{"name": name, "axes": axes, "datasets": [level]}]}
    if rgb and dtype in LIMITS:
        ome["omero"] = _omero(("R", "G", "B"), ("FF0000", "00FF00", "0000FF"), dtype)
    elif layout.channels:
        ome["omero"] = _omero(layout.channels, COLOURS if len(layout.channels) > 1 else GREY, dtype, layout.windows)
    if layout.labels:
        ome["image-label"] = {"source": {"image": "../../"}}
    return {"zarr_format": 3, "node_type": "group", "attributes": {"ome": ome, "onscope": dict(attributes or {})}}


def list_labels(image: Path, names: Sequence[str]) -> Path:
    """Make the group of the labels of an image, which holds `names`; returns its folder. Raises RecordError."""
    folder = image / "labels"
    content = {"zarr_format": 3, "node_type": "group", "attributes": {"ome": {"version": "0.5", "labels": list(names)}}}
    try:
        folder.mkdir()
        write_json(folder / "zarr.json", content)
    except OSError as error:
        raise RecordError(
            f"{folder} cannot be made ({error.strerror}): choose a folder that can be written to"
        ) from error
    return folder


def _axis(name: str, layout: Layout, pixel_size_um: float | None) -> dict[str, Any]:
    if name == "t":
        return {"name": "t", "type": "time", **({} if layout.interval_s is None else {"unit": "second"})}
    if name == "c":
        return {"name": "c", "type": "channel"}
    known = layout.step_um if name == "z" else pixel_size_um
    return {"name": name, "type": "space", **({} if known is None else {"unit": "micrometer"})}


def _omero(
    names: Sequence[str], colours: Sequence[str], dtype: str, windows: Sequence[tuple[float, float]] = ()
) -> dict[str, Any]:
    """How channels are shown at first."""
    limit = LIMITS.get(dtype, 1)
    shown = []
    for n, name in enumerate(names):
        start, end = windows[n] if windows else (0, limit)
        window = {"min": min(0, start), "max": max(limit, end), "start": start, "end": end}
        shown.append({"label": name, "color": colours[n % len(colours)], "window": window, "active": True})
    return {"channels": shown}
