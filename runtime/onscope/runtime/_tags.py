"""What the tags of a Micro-Manager image say: texts or numbers, any of which may be missing or make no sense."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

PLACE = ("Binning", "ROI", "ROI-X-start", "ROI-Y-start")
STEADY = ("PixelType", "Height", "Width", "PixelSize_um", "PixelSizeUm", "Exposure", "Exposure-ms", *PLACE)
"""Tags that stay as they are for most of an acquisition."""
STAGE = ("XPosition_um_Intended", "YPosition_um_Intended", "ZPosition_um_Intended")


@dataclass(frozen=True, slots=True)
class Tags:
    """What the steady tags of an image say; None: not told. Sizes in pixels."""

    pixel_type: Any
    height: int | None
    width: int | None
    pixel_size_um: float | None
    exposure_ms: float | None
    place: tuple[str | None, ...]
    """The texts of `PLACE`."""


def read_tags(metadata: Mapping[str, Any]) -> Tags:
    """Those of an image; what makes no sense is not told."""
    told = [metadata.get(name) for name in PLACE]
    return Tags(
        metadata.get("PixelType"),
        whole(metadata.get("Height")),
        whole(metadata.get("Width")),
        _positive(metadata.get("PixelSize_um") or metadata.get("PixelSizeUm")),
        _positive(metadata.get("Exposure") or metadata.get("Exposure-ms")),
        tuple(None if value is None else str(value) for value in told),
    )


def finite(value: object) -> float | None:
    """A finite float of a tag that may be text, number or missing."""
    if not isinstance(value, (str, int, float)):
        return None
    try:
        number = float(value)
    except ValueError:
        return None
    return number if abs(number) < float("inf") else None


def whole(value: object) -> int | None:
    """A whole number of a tag that may be text, number or missing."""
    number = finite(value)
    return int(number) if number is not None and number == int(number) else None


def _positive(value: object) -> float | None:
    number = finite(value)
    return number if number is not None and number > 0 else None
