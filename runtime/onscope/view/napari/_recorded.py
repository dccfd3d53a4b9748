"""Raw frames, answers and labels of a recording as layers of napari, where they lie, with where they come from."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import numpy as np

from onscope.runtime import RecordError
from onscope.runtime.record import RecordedImages, RecordedRun

from ._lazy import lazy
from ._looks import OPACITY, contrast
from ._places import units
from ._reader import LayerData

FACTS = ("schema", "state", "began", "ended", "versions")


def image_layers(run: RecordedRun) -> list[LayerData]:
    """A layer per image and channel: images first, then labels. Images of which nothing is there are left out."""
    found = [layer for images in run.images.values() if images.present.any() for layer in _layers(run, images)]
    return sorted(found, key=lambda layer: layer[2] == "labels")


def about(run: RecordedRun, **more: Any) -> dict[str, Any]:
    """Where a layer comes from, for its `metadata`."""
    manifest = run.manifest
    told = {name: manifest.get(name) for name in FACTS if name in manifest}
    return {"onscope": {"folder": str(run.folder.resolve()), **told, **more}}


def worldly(along: str, um: float | None) -> dict[str, Any]:
    """Names and units of a layer's axes: those `along` which its frames stand, and y, x."""
    return {"axis_labels": (*along, "y", "x"), "units": (*["pixel"] * len(along), *units(um))}


def _layers(run: RecordedRun, images: RecordedImages) -> Iterator[LayerData]:
    data, name = lazy(images), images.path.name.removesuffix(".ome.zarr")
    um = images.pixel_size_um or 1 / images.scale
    first = 0.5 * um * (1 - images.scale)  # the middle of the first pixel, from that of the first raw one
    entry = next(each for each in run.manifest["images"] if run.folder / each["path"] == images.path)
    there = images.present
    along = images.along.replace("c", "")
    scale = [*[1.0] * len(along), um, um]
    translate = [*[0.0] * len(along), first, first]
    samples = len(images.shape) == 3
    for channel, label in _channels(run, images):
        part = data if channel is None else data[(slice(None),) * images.along.index("c") + (channel,)]
        present = there if channel is None else there.take(channel, axis=images.along.index("c"))
        if not present.any():
            continue
        element = tuple(int(axis[0]) for axis in np.nonzero(present))
        told = about(run, image=entry, missing=int(present.size - present.sum()), channel=label or images.channel)
        given = {"name": f"{name} {label}".strip(), "scale": scale, "translate": translate, "metadata": told}
        given |= worldly(along, images.pixel_size_um)
        if images.labels:
            yield part, {**given, "opacity": OPACITY}, "labels"
        elif samples and images.shape[2] == 3 and images.dtype == np.uint8:
            yield part, {**given, "rgb": True}, "image"
        elif samples:
            for number in range(images.shape[2]):
                one = {**given, "name": f"{given['name']} {number}"}
                yield part[..., number], {**one, **_limits(part[element][..., number])}, "image"
        else:
            yield part, {**given, **_limits(part[element])}, "image"


def _limits(frame: Any) -> dict[str, Any]:
    """Contrast by the first frame: napari would read many to choose one."""
    limits = contrast(np.asarray(frame))
    return {} if limits is None else {"contrast_limits": limits}


def _channels(run: RecordedRun, images: RecordedImages) -> list[tuple[int | None, str]]:
    """The channels along an image's axes, each with its name where one is known; [(None, "")] where it has none."""
    if "c" not in images.along:
        return [(None, "")]
    names = channel_names(run)
    size = images.present.shape[images.along.index("c")]
    return [(number, names.get(number, f"c{number}")) for number in range(size)]


def channel_names(run: RecordedRun) -> dict[int, str]:
    """Names of the acquisition's channels by their numbers, by the first frame of each."""
    frames = run.table("frames")
    pairs = set(zip(frames["position"].to_pylist(), frames["labels"].to_pylist(), strict=True))
    found: dict[int, str] = {}
    for position, labels in sorted(pairs):
        try:
            at, name = json.loads(position).get("c"), json.loads(labels).get("c")
        except (ValueError, AttributeError, TypeError, RecursionError) as error:
            raise RecordError(
                f"found frames in {run.folder} whose place cannot be read ({error}): restore it"
            ) from error
        if isinstance(at, int) and name:
            found.setdefault(at, str(name))
    return found
