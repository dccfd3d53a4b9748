"""What an image of OME-Zarr 0.5 says of itself: axes, scales, channels, labels.

Specification: https://ngff.openmicroscopy.org/0.5/
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .._errors import RecordError
from ._files import write_json
from ._raw_axes import RawAxes

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
    the dtype). `labels`: the values are ids of objects, of the image that this one lies in (IMAGE/labels/NAME), or
    with `alone` of none that it lies in. `scale` are its pixels per pixel of the raw image: both begin at the same
    border, so that the centre of the first pixel is another. `levels` of a pyramid, each half as large as the former.
    """

    axes: str
    interval_s: float | None = None
    step_um: float | None = None
    channels: tuple[str, ...] = ()
    windows: tuple[tuple[float, float], ...] = ()
    labels: bool = False
    alone: bool = False
    scale: float = 1.0
    levels: int = 1

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
    """zarr.json of the image group: OME-Zarr 0.5 multiscales, and what onscope adds.

    `pixel_size_um` is that of this image; where it is unknown, all is told in pixels of the raw image.
    """
    axes = [_axis("t", layout, pixel_size_um), *(_axis(axis, layout, pixel_size_um) for axis in layout.axes)]
    levels = [_level(number, layout, pixel_size_um) for number in range(layout.levels)]
    scales: dict[str, Any] = {"name": name, "axes": axes, "datasets": levels}
    if layout.levels > 1:
        scales["type"] = "nearest" if layout.labels else "mean"
    ome: dict[str, Any] = {"version": "0.5", "multiscales": [scales]}
    if rgb and dtype in LIMITS:
        ome["omero"] = _omero(("R", "G", "B"), ("FF0000", "00FF00", "0000FF"), dtype)
    elif layout.channels:
        ome["omero"] = _omero(layout.channels, COLOURS if len(layout.channels) > 1 else GREY, dtype, layout.windows)
    if layout.labels:
        # Label 0 is no object. Without any colour ome-zarr-models 1.6 cannot open an image with its labels.
        colours = [{"label-value": 0, "rgba": [0, 0, 0, 0]}]
        ome["image-label"] = {"colors": colours} | ({} if layout.alone else {"source": {"image": "../../"}})
    return {"zarr_format": 3, "node_type": "group", "attributes": {"ome": ome, "onscope": dict(attributes or {})}}


def note_image(image: Path, more: Mapping[str, Any], raw: RawAxes | None = None) -> None:
    """Enter what onscope says of an image that is there; raises RecordError when the disk refuses it.

    With the scales along t and z of the `raw` image that its elements are those of: viewers lay one over the other.
    """
    path = image / "zarr.json"
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        content["attributes"]["onscope"] |= more
        if raw is not None:
            known = {"t": ("second", raw.interval_s), "z": ("micrometer", raw.step_um)}
            _scale(content["attributes"]["ome"]["multiscales"][0], known)
        write_json(path, content)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RecordError(f"{path} cannot be written ({error}): is its disk full?") from error


def _scale(multiscales: dict[str, Any], known: Mapping[str, tuple[str, float | None]]) -> None:
    for number, axis in enumerate(multiscales["axes"]):
        unit, size = known.get(axis["name"], ("", None))
        if size is not None:
            axis["unit"] = unit
            for level in multiscales["datasets"]:
                level["coordinateTransformations"][0]["scale"][number] = size


def list_labels(image: Path, names: Sequence[str]) -> Path:
    """Make the group of the labels of an image, or list others in it: it holds `names`; returns its folder.

    Raises RecordError when the disk refuses it.
    """
    folder = image / "labels"
    content = {"zarr_format": 3, "node_type": "group", "attributes": {"ome": {"version": "0.5", "labels": list(names)}}}
    try:
        folder.mkdir(exist_ok=True)
        write_json(folder / "zarr.json", content)
    except OSError as error:
        raise RecordError(
            f"{folder} cannot be made ({error.strerror}): choose a folder that can be written to"
        ) from error
    return folder


def _level(number: int, layout: Layout, pixel_size_um: float | None) -> dict[str, Any]:
    """Where the pixels of a level of the pyramid are: `translation` is the centre of the first, from the raw one's."""
    pixel = pixel_size_um or 1 / layout.scale
    size = pixel * 2**number
    shift = (size - pixel * layout.scale) / 2
    scales = {"t": layout.interval_s, "z": layout.step_um, "y": size, "x": size}
    axes = f"t{layout.axes}"
    transforms: list[dict[str, Any]] = [{"type": "scale", "scale": [scales.get(axis) or 1.0 for axis in axes]}]
    if layout.scale != 1 or layout.levels > 1:
        shifts = [shift if axis in "yx" else 0.0 for axis in axes]
        transforms.append({"type": "translation", "translation": shifts})
    return {"path": str(number), "coordinateTransformations": transforms}


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
