"""The catalogue: which module has which system. Nothing is imported before it is asked for."""

from __future__ import annotations

from importlib import import_module

from ._rows import ROWS, Row
from ._system import System

MODULES: dict[str, str] = {
    "care-cells": "restore.care_cells",
    "delta-segment": "track.delta_segment",
    "delta-track": "track.delta_track",
    "axial-depth": "track.axial_depth",
    "cell-association": "track.cell_association",
    "d2nn": "diffractive.d2nn",
    "fourier-d2nn": "diffractive.fourier_d2nn",
    "microtubules": "track.microtubules",
    "multi-output": "track.multi_output",
    "vgg-depth": "track.vgg_depth",
    "ghost-imaging": "diffractive.ghost_imaging",
}
"""The module of each system's key, below this package; each has a constant SYSTEM."""


def system(key: str) -> System:
    """The system of this key. Raises KeyError, a sentence, for another one."""
    if key not in MODULES:
        raise KeyError(f"found the system {key!r}, expected one of {', '.join(sorted(MODULES))}")
    found = import_module(f"{__package__}.{MODULES[key]}").SYSTEM
    assert isinstance(found, System)
    return found


def row_of(key: str) -> Row:
    """The gallery's row that a system stands in. Raises KeyError where there is none."""
    for row in ROWS:
        if key in row.systems:
            return row
    raise KeyError(f"found no row with the system {key!r}, expected one: add it to the rows of the gallery")
