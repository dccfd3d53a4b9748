"""What Micro-Manager wrote beside an image: when it was taken, for how long, where, of which channel."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

STAGES = (
    ("XPositionUm", "YPositionUm", "ZPositionUm"),
    ("XPosition_um_Intended", "YPosition_um_Intended", "ZPosition_um_Intended"),
)
"""Where the stage was, and where it was sent, by who wrote it: the first that tells all three counts."""


@dataclass(frozen=True, slots=True)
class Told:
    """`seconds` since the acquisition began, `exposure_ms` in milliseconds, the rest in micrometres; None: not told."""

    seconds: float | None = None
    exposure_ms: float | None = None
    pixel_size_um: float | None = None
    stage_um: tuple[float, float, float] | None = None
    camera: str | None = None
    channel: str | None = None
    position: str | None = None


def read_tags(tags: object) -> Told:
    """What the metadata of an image tell; what makes no sense is not told."""
    if not isinstance(tags, Mapping):
        return Told()
    milliseconds = _number(tags.get("ElapsedTime-ms"))
    return Told(
        None if milliseconds is None else milliseconds / 1e3,
        _positive(tags, "Exposure-ms", "Exposure"),
        _positive(tags, "PixelSizeUm", "PixelSize_um"),
        next((where for names in STAGES if (where := _place(tags, names)) is not None), None),
        _text(tags, "Camera", "Core-Camera"),
        _text(tags, "Channel", "Core-Channel"),
        _text(tags, "PositionName"),
    )


def _place(tags: Mapping[str, Any], names: tuple[str, str, str]) -> tuple[float, float, float] | None:
    x, y, z = (_number(tags.get(name)) for name in names)
    return None if x is None or y is None or z is None else (x, y, z)


def _positive(tags: Mapping[str, Any], *names: str) -> float | None:
    return next((value for name in names if (value := _number(tags.get(name))) is not None and value > 0), None)


def _number(value: object) -> float | None:
    """Numbers are texts in some versions."""
    try:
        number = float(value) if isinstance(value, (str, int, float)) else math.nan
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _text(tags: Mapping[str, Any], *names: str) -> str | None:
    return next((value for name in names if isinstance(value := tags.get(name), str) and 0 < len(value) <= 200), None)
