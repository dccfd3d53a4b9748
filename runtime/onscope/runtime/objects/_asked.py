"""Columns that are measured when they are asked for: they take longer than all others together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from .._errors import PipelineError
from . import _hulls as hulls
from ._perimeter import perimeters
from ._runs import Runs

ASKED = ("perimeter", "area_convex", "solidity", "feret_diameter_max")


def check_asked(columns: Sequence[str]) -> None:
    """Raise PipelineError unless these are different columns of `ASKED`."""
    if len(set(columns)) < len(columns) or not set(columns) <= set(ASKED):
        raise PipelineError(
            f"found the columns {', '.join(map(str, columns))}, expected some of {', '.join(ASKED)}, each once: the "
            "others are always there"
        )


def asked(
    runs: Runs, labels: npt.NDArray[Any], columns: Sequence[str], scale: float
) -> dict[str, npt.NDArray[np.float64]]:
    """The columns by name, a row per object by rising label; `scale`: label pixels per raw pixel."""
    found: dict[str, npt.NDArray[np.float64]] = {}
    if "perimeter" in columns:
        found["perimeter"] = perimeters(runs, labels) / scale
    if set(columns) - {"perimeter"}:
        n, convex = len(runs.labels), hulls.convex(runs)
        around = hulls.areas(convex, n)
        found["area_convex"] = around / scale**2
        found["solidity"] = runs.reduced(runs.lengths) / around
        if "feret_diameter_max" in columns:
            found["feret_diameter_max"] = hulls.diameters(convex, n) / scale
    return {name: found[name] for name in columns}
