"""The formats by name."""

from __future__ import annotations

from importlib import import_module
from typing import cast

from ..._errors import RecordError
from ._about import Format

DEFAULT = "ome-zarr"
FORMATS = {
    "ome-zarr": ("_zarr", ".ome.zarr"),
    "ome-tiff": ("_ometiff", ".ome.tif"),
    "ndtiff": ("_ndtiff", ".ndtiff"),
}
"""The module of each format, and the end of its images' names."""


def format_of(name: str) -> Format:
    """The format of this name; raises RecordError when there is none, or what it needs is not installed."""
    module, _ = _known(name)
    return cast(Format, import_module(f".{module}", __package__))


def suffix_of(name: str) -> str:
    """How the names of its images end, without importing it; raises RecordError when there is none."""
    return _known(name)[1]


def _known(name: str) -> tuple[str, str]:
    if name not in FORMATS:
        raise RecordError(
            f"found a format of raw frames named {name!r}, expected one of {', '.join(FORMATS)}: choose one of these"
        )
    return FORMATS[name]
