"""What it takes to measure the objects of a frame, beside scikit-image's `regionprops_table` with the same columns."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
from skimage.measure import regionprops_table

from onscope.runtime.objects import ASKED, measure

from .._rows import Row, at_most, spread
from ._decode import crowd
from ._plan import Plan
from ._turns import in_turns

ALWAYS = (
    "label",
    "centroid",
    "bbox",
    "area",
    "axis_major_length",
    "axis_minor_length",
    "orientation",
    "eccentricity",
    "equivalent_diameter_area",
    "extent",
    "intensity_mean",
    "intensity_min",
    "intensity_max",
    "intensity_std",
)
ROUNDS = 5
"""Of scikit-image's seconds no more are needed."""


def objects(plan: Plan, tell: Callable[[str], object]) -> Iterator[Row]:
    """Rows by size: all columns that are always there, and those that are asked for as well."""
    for side, count in plan.sizes:
        tell(f"objects: {count} nuclei in {side}x{side}")
        frame, labels = crowd(side, count)
        for what, columns in (("measure", ()), ("measure with hulls", ASKED)):
            asked: tuple[Any, ...] = tuple(columns)
            times = in_turns(
                {
                    "ours": partial(measure, labels, {"frame": frame}, 0.65, columns=asked),
                    "theirs": partial(regionprops_table, labels, frame, ALWAYS + asked),
                },
                min(plan.rounds, ROUNDS),
            )
            ours, theirs = (float(np.median(times[each])) for each in ("ours", "theirs"))
            yield at_most(
                f"{what}: {len(np.unique(labels)) - 1} objects, {side}x{side}",
                f"{ours:.1f} ms",
                f"scikit-image's {theirs:.1f} ms",
                ours / theirs,
                0.1,
                {"ours_ms": spread(times["ours"]), "scikit_image_ms": spread(times["theirs"])},
            )
