"""`raw.json`: what the recorder process knows of a recording while it is open.

`recording.json` belongs to the acquisition process, this file to the recorder; at the end the images that it lists
go into the manifest and it is removed. A recording that has both was cut off, and the reader looks at both.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ..._errors import RecordError
from ..._frame import FrameSpec
from .._checked import check_images, check_keep
from .._files import write_json
from ..formats import DEFAULT, RawAbout

NAME = "raw.json"


@dataclass(slots=True)
class RawState:
    """`images` are entries as in the manifest, in the order they were made; `keep` is the rolling window.

    `error` says why no more could be saved; `closed` that all files are as they stay.
    """

    keep: int | None = None
    images: list[dict[str, Any]] = field(default_factory=list)
    error: str | None = None
    closed: bool = False

    def save(self, folder: Path) -> None:
        """Write the file; raises RecordError when the disk refuses it."""
        try:
            write_json(folder / NAME, asdict(self))
        except OSError as error:
            raise RecordError(
                f"{folder / NAME} could not be written ({error.strerror}): choose a folder on a disk with room"
            ) from error


def read_state(folder: Path) -> RawState | None:
    """The state of an open recording; None when there is no such file. Raises RecordError when it cannot be read."""
    try:
        state = RawState(**json.loads((folder / NAME).read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, RecursionError) as error:
        raise RecordError(f"{folder / NAME} cannot be read ({error}), expected JSON: restore it from a copy") from error
    check_keep(folder / NAME, state.keep)
    check_images(folder / NAME, state.images)
    for entry in state.images:
        if entry["role"] != "raw":
            raise RecordError(f"found {entry['path']} in {folder / NAME}, expected raw images: restore it from a copy")
    return state


def entry_of(about: RawAbout, format: str) -> dict[str, Any]:
    """How an image of raw frames is described."""
    spec = about.spec
    return {
        "role": "raw",
        "path": about.path.name,
        "format": format,
        "camera": spec.camera,
        "shape": list(spec.shape),
        "dtype": spec.dtype,
        "axes": spec.axes,
        "along": about.leading,
        "pixel_size_um": spec.pixel_size_um,
        "bit_depth": spec.bit_depth,
        "length": about.length,
        "frames": None,
    }


def about_entry(folder: Path, entry: dict[str, Any], expected: int | None = None) -> RawAbout:
    """What a format is told of an image that is described so."""
    return RawAbout(
        folder / entry["path"], spec_of_entry(entry), entry.get("along", "t"), entry.get("length"), expected
    )


def format_of_entry(entry: dict[str, Any]) -> str:
    """The name of the format of an image that is described so."""
    return str(entry.get("format", DEFAULT))


def spec_of_entry(entry: dict[str, Any]) -> FrameSpec:
    """What the frames of a raw image look like."""
    return FrameSpec(
        tuple(entry["shape"]),
        entry["dtype"],
        entry["axes"],
        entry["camera"],
        entry["pixel_size_um"],
        entry["bit_depth"],
    )
