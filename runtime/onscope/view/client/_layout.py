"""A Layout as it came over the wire, back as a value."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from .._values import ImageLayout, Layout, Setting, TableLayout
from .._wire import WireError

MOST_AXES = 8


def layout_from(told: Mapping[str, Any]) -> Layout:
    """The Layout that a server told (`Layout.as_json`); what a newer one has more is left out. Raises WireError."""
    try:
        size = told["pixel_size_um"]
        return Layout(
            run=str(told["run"]),
            shape=(int(told["shape"][0]), int(told["shape"][1])),
            dtype=str(told["dtype"]),
            pixel_size_um=_positive(size) if size else None,
            images=tuple(_image(each) for each in told["images"]),
            tables=tuple(_table(each) for each in told.get("tables", ())),
            cameras=tuple(str(each) for each in told.get("cameras", ("",))),
            axes={str(axis): [str(name) for name in names] for axis, names in told.get("axes", {}).items()},
            settings=tuple(_setting(each) for each in told.get("settings", ())),
            actions=tuple(str(each) for each in told.get("actions", ())),
            packages={str(stage): str(name) for stage, name in told.get("packages", {}).items()},
            live=bool(told.get("live", True)),
            frames=int(told.get("frames", 0)),
            swaps={str(stage): [str(name) for name in names] for stage, names in told.get("swaps", {}).items()},
        )
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, OverflowError) as error:
        raise WireError(f"found a layout that cannot be read ({error!r}), expected one of version 1") from error


def _positive(told: Any) -> float:
    value = float(told)
    if not (math.isfinite(value) and value > 0):
        raise ValueError(f"found a size of {value}, expected one above 0")
    return value


def _image(told: Mapping[str, Any]) -> ImageLayout:
    shape, dtype = tuple(int(side) for side in told["shape"]), str(told["dtype"])
    if len(shape) > MOST_AXES or min(shape, default=0) < 0 or (dtype and np.dtype(dtype).kind not in "iufb"):
        raise ValueError(f"found an image of {dtype} {shape}, expected numbers in rows and columns")
    return ImageLayout(
        str(told["name"]),
        dtype,
        shape,
        _positive(told.get("scale", 1.0)),
        bool(told.get("labels", False)),
    )


def _table(told: Mapping[str, Any]) -> TableLayout:
    return TableLayout(
        str(told["name"]),
        {str(name): str(dtype) for name, dtype in told["columns"].items()},
        tuple(str(kind) for kind in told.get("kinds", ())),
        str(told.get("labels", "")),
    )


def _setting(told: Mapping[str, Any]) -> Setting:
    least, most = (None if told[name] is None else float(told[name]) for name in ("least", "most"))
    return Setting(str(told["of"]), str(told["name"]), float(told["value"]), least, most, str(told.get("meaning", "")))
