"""What is known of one image, as Micro-Manager puts it beside it: JSON with its names, and ours under "onscope".

Both TIFF formats have it with each image, so that a file tells all by itself, whatever became of the tables.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from ...._frame import FrameSpec

STAGE = ("XPositionUm", "YPositionUm", "ZPositionUm")
_NUMBERS = {"t": "Frame", "c": "ChannelIndex", "z": "SliceIndex", "p": "PositionIndex"}


def about_series(spec: FrameSpec) -> dict[str, Any]:
    """What is known of all images: Micro-Manager's summary metadata."""
    height, width = spec.shape[:2]
    known = {
        "Width": width,
        "Height": height,
        "PixelType": _pixel_type(spec),
        "BitDepth": spec.bit_depth,
        "PixelSize_um": spec.pixel_size_um,
        "Core-Camera": spec.camera,
        "Software": "onscope",
    }
    return {name: value for name, value in known.items() if value is not None}


def about_image(
    spec: FrameSpec,
    note: Mapping[str, Any],
    place: Mapping[str, int],
    axes: Mapping[str, int | str],
    began_ns: int,
) -> bytes:
    """What is known of a frame (see `RawSeries.write`): it is the element `place` by our axes, and `axes` by NDTiff's.

    `began_ns` is when the first image of the series was received.
    """
    height, width = spec.shape[:2]
    run, camera, segment, seq = note["id"]
    index, labels, stage_um = note["index"], note["labels"], note["stage_um"] or ()
    numbers = {**{axis: number for axis, number in index.items() if axis == "p"}, **place}
    optional = {
        "Channel": labels.get("c"),
        "PositionName": labels.get("p"),
        "PixelSizeUm": note["pixel_size_um"],
        "Exposure": note["exposure_ms"],
        **dict(zip(STAGE, stage_um, strict=False)),
    }
    known = {
        "Axes": dict(axes),
        **{_NUMBERS[axis]: number for axis, number in numbers.items()},
        "Width": width,
        "Height": height,
        "PixelType": _pixel_type(spec),
        "BitDepth": spec.bit_depth,
        "Camera": camera,
        "ImageNumber": str(seq),
        "ElapsedTime-ms": (note["received_ns"] - began_ns) / 1e6,
        "ReceivedTime": date(note["wall_ns"]),
        **{name: value for name, value in optional.items() if value is not None},
        "onscope": {
            "place": dict(place),
            "run": run,
            "segment": segment,
            "seq": seq,
            "index": dict(index),
            "labels": dict(labels),
            "received_ns": note["received_ns"],
        },
    }
    return json.dumps(known).encode()


def date(wall_ns: int) -> str:
    """Unix time in ns as date of ISO 8601."""
    return datetime.fromtimestamp(wall_ns / 1e9, tz=UTC).isoformat()


def _pixel_type(spec: FrameSpec) -> str:
    """Micro-Manager's name of a pixel type."""
    if spec.axes == "yxs":
        return "RGB32" if spec.dtype == "uint8" else "RGB64"
    return {"uint8": "GRAY8", "uint16": "GRAY16"}.get(spec.dtype, "GRAY32")
