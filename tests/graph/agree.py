"""One package on one frame or window: its compiled graph against the oracle."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from . import oracle, rules
from .describe import IDS
from .generated import Recipe, Steps, image, write
from .run import answers, window_of

Array = npt.NDArray[Any]


def expected(folder: Path, recipe: Recipe, inputs: Mapping[str, Array], side: tuple[int, int]) -> dict[str, Array]:
    """core's own prediction where the network takes the frame as it is and core can; else stage by stage."""
    grown = recipe.pads(side)
    if not any(width for pair in grown.values() for width in pair) and not recipe.core_refuses:
        return oracle.core_prediction(folder, inputs)
    return oracle.staged(folder, inputs, grown)


FLAT = ("constant", "bright background", "two counts")
"""Scenes that are high above zero and hardly vary."""
ROUNDINGS = 4
"""How often as far as the last bit of the network's input moves an answer, it may be off where that is more."""
SPREADS = ("scale_range", "scale_mean_variance", "zero_mean_unit_variance")
"""Steps that divide by how far the values are apart."""


def disagreement(
    root: Path,
    recipe: Recipe,
    side: tuple[int, int] | None = None,
    dtype: str | None = None,
    colour: bool = False,
    scene: str = "ordinary",
) -> str:
    """Write the package, compile it, run it on a test image of `side` pixels; why the two differ, or ""."""
    side = side or recipe.side
    array = image(recipe, side, seed=1, dtype=dtype, scene=scene)
    flat = scene in FLAT or np.ptp(array) == 0
    if flat and any(id in SPREADS for id, _ in recipe.post):
        # What a network makes of them varies by little more than its own rounding, and these steps divide by that.
        recipe = replace(recipe, post=(), answered="float32")
    if flat:
        # A float32 holds 60,000.4 counts to 0.004: a bound between two counts is that far off, and the step behind it
        # divides by a spread of a few counts.
        recipe = replace(recipe, pre=tuple(each for each in recipe.pre if not _between_counts(each)))
    folder = root / f"package {hash(repr(recipe)):x}"
    if not folder.exists():
        write(folder, recipe)
    window, raw = window_of(recipe, array, colour)
    inputs = {"frame": array}
    if undecided(folder, recipe, inputs):
        return ""
    found = answers(folder, window, raw, root / "cache")
    wanted = expected(folder, recipe, inputs, side)
    steps = [id for id, _ in recipe.post]
    tolerance = rules.INSTANCE_NORM if recipe.network == "instance_norm" else rules.RELATIVE
    reasons = []
    for name, array in wanted.items():
        near = None
        if name == "image" and "binarize" in steps:
            before = oracle.staged(folder, inputs, recipe.pads(side), threshold="after")
            near = rules.near_threshold(before[name], _threshold(recipe.post, recipe.out_layout), tolerance)
        own = steps if name == "image" else []
        reason = rules.compare(found[name], array, own, tolerance=tolerance, near=near)
        if reason and array.dtype.kind == "f":
            # 60,000 counts with a spread of 10, shifted and scaled by fixed numbers, or a softmax of large values: the
            # last bit of what the network is fed with may be more than 1e-5 of the answer.
            rounding = rounding_of(folder, inputs, name, array, recipe.pads(side))
            reason = rules.compare(found[name], array, own, tolerance=tolerance, near=near, rounding=rounding)
        reasons += [f"{name}: {reason}"] if reason else []
    if "binarize" in steps:
        twin = replace(recipe, post=recipe.post[: steps.index("binarize")], answered="float32")
        before_it = disagreement(root, twin, side, dtype, colour, scene)
        reasons += [f"before the threshold: {before_it}"] if before_it else []
    return "; ".join(reasons)


def rounding_of(
    folder: Path, inputs: Mapping[str, Array], name: str, wanted: Array, pads: oracle.Pads | None = None
) -> float:
    """How far a float answer may be off: some times as far as the last bit of the network's input moves it."""
    nudged = oracle.staged(folder, inputs, pads, nudged=True)[name]
    return ROUNDINGS * float(np.abs(nudged.astype(np.float64) - wanted).max(initial=0.0))


def _between_counts(step: tuple[str, Mapping[str, Any]]) -> bool:
    return step[0] == "clip" and any(key.endswith("_percentile") for key in step[1])


def undecided(folder: Path, recipe: Recipe, inputs: Mapping[str, Array]) -> bool:
    """Whether a float's rounding decides a threshold of the preprocessing: nothing behind it can be compared then."""
    if not any(id == "binarize" for id, _ in recipe.pre):
        return False
    before = oracle.staged(folder, inputs, threshold="before")["frame"]
    return bool(rules.near_threshold(before, _threshold(recipe.pre, recipe.layout), 1e-6).any())


def _threshold(steps: Steps, layout: str) -> Array | float:
    arguments = next(arguments for id, arguments in steps if id == "binarize")
    if "axis" not in arguments:
        return float(arguments["threshold"])
    axes = [IDS[letter] for letter in layout]
    shape = [-1 if axis == arguments["axis"] else 1 for axis in axes]
    return np.asarray(arguments["threshold"], np.float64).reshape(shape)
