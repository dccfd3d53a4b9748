"""The catalogue: which module has which system. Nothing is imported before it is asked for."""

from __future__ import annotations

from importlib import import_module

from ._rows import ROWS, Row
from ._system import System

MODULES: dict[str, str] = {
    "anna-palm-microtubules": "superresolve.anna_palm_microtubules",
    "care-cells": "restore.care_cells",
    "cross-modality-cells": "superresolve.cross_modality_cells",
    "dl-sim-filaments": "superresolve.dl_sim_filaments",
    "drcn": "superresolve.drcn",
    "srcnn-cells": "superresolve.srcnn_cells",
    "srgan-cells": "superresolve.srgan_cells",
    "vdsr-cells": "superresolve.vdsr_cells",
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
