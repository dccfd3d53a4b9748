"""What a recording says of itself, looked at before it is believed: it may have come from anywhere."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np

from .._errors import RecordError
from ._links import are_links
from ._who import are_entries
from .formats import DEFAULT, FORMATS, suffix_of

NAME = re.compile(r"\w[\w.-]*")
"""A file or folder beside the manifest, never a way to another one."""
IMAGE = re.compile(r"\w[\w.-]*\.ome\.zarr(/labels/\w[\w.-]*)?")
"""Of answers: beside the manifest, or labels in a raw image."""
ALONG = ("t", "tc", "tz", "tcz")
"""Axes that elements of images are counted along."""
EXPECTED: dict[str, tuple[type, ...]] = {
    "images": (list,), "tables": (list,), "clock": (dict,), "state": (str,), "error": (str, type(None)),
}  # fmt: skip
OPTIONAL: dict[str, tuple[type, ...]] = {
    "began": (str,), "notes": (dict,), "versions": (dict,), "machine": (dict,), "keep": (int, type(None)),
    "statistics": (list,), "command": (list,), "packages": (dict,), "runtime": (dict,), "lanes": (list,),
    "sources": (list,), "events": (list,), "answers_ended": (str, type(None)),
}  # fmt: skip


def check_content(path: Path, content: dict[str, Any]) -> None:
    """Raise RecordError unless this is what `recording.json` may hold."""
    for name, kinds in EXPECTED.items():
        if not isinstance(content.get(name, ...), kinds):
            raise _wrong(path, name, content.get(name))
    for name, kinds in OPTIONAL.items():
        if name in content and not isinstance(content[name], kinds):
            raise _wrong(path, name, content[name])
    clock = content["clock"]
    if set(clock) != {"wall_ns", "monotonic_ns"} or not all(isinstance(value, int) for value in clock.values()):
        raise _wrong(path, "clock", clock)
    check_keep(path, content.get("keep"))
    if not are_links(content.get("links", [])):
        raise _wrong(path, "links", content["links"])
    if not are_entries(content.get("unsaved", [])):
        raise _wrong(path, "unsaved", content["unsaved"])
    if not all(isinstance(name, str) for name in content["tables"]):
        raise _wrong(path, "tables", content["tables"])
    check_images(path, content["images"])


def check_keep(path: Path, keep: object) -> None:
    """Raise RecordError unless this is a rolling window."""
    if keep is not None and (not isinstance(keep, int) or keep < 1):
        raise _wrong(path, "keep", keep)


def check_images(path: Path, images: object) -> None:
    """Raise RecordError unless these are entries of image series."""
    if not isinstance(images, list):
        raise _wrong(path, "images", images)
    for entry in images:
        if not isinstance(entry, dict) or not _is_image(entry):
            raise _wrong(path, "an image", entry)


def _is_image(entry: dict[str, Any]) -> bool:
    shape, size, scale = entry.get("shape"), entry.get("pixel_size_um", ""), entry.get("scale", 1.0)
    name = NAME if entry.get("role") == "raw" else IMAGE
    if not isinstance(entry.get("path"), str) or not name.fullmatch(entry["path"]):
        return False
    if not isinstance(shape, list) or len(shape) not in (2, 3) or not all(isinstance(n, int) and n > 0 for n in shape):
        return False
    if not isinstance(size, (int, float, type(None))) or not isinstance(scale, (int, float)) or not scale:
        return False
    if not isinstance(entry.get("stage"), (str, type(None))) or entry.get("along", "t") not in ALONG:
        return False
    if not isinstance(entry.get("raw"), (str, type(None))) or not isinstance(entry.get("labels", False), bool):
        return False
    if not isinstance(entry.get("channel"), (int, type(None))):
        return False
    try:
        if not isinstance(entry.get("dtype"), str) or np.dtype(entry["dtype"]).kind not in "biuf":
            return False
    except TypeError:
        return False
    if entry.get("role") != "raw":
        return entry.get("role") == "derived"
    format, length = entry.get("format", DEFAULT), entry.get("length")
    if not isinstance(format, str) or format not in FORMATS or not entry["path"].endswith(suffix_of(format)):
        return False
    if length is not None and (not isinstance(length, int) or length < 1):
        return False
    wanted: dict[str, type] = {"axes": str, "camera": str, "bit_depth": int}
    return all(isinstance(entry.get(name), kind) for name, kind in wanted.items())


def _wrong(path: Path, name: str, found: object) -> RecordError:
    words = repr(found)
    return RecordError(
        f"found {words if len(words) < 80 else words[:80] + '...'} as {name} in {path}, expected what a recording of "
        "onscope holds: restore it from a copy"
    )
