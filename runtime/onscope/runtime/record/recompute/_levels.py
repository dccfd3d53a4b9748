"""Results that were made at a level of a budget of time: computed again with what ran at that level."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...worker import LEVEL
from ._reasons import CannotBeComputed

MOST = 64
"""Levels of one budget."""


def at_level(manifest: Mapping[str, Any], level: int) -> tuple[Mapping[str, Any], float]:
    """The manifest as if all had run at a level, and the share of the frame's sides that the stages saw.

    Raises CannotBeComputed for a level that the manifest does not tell of.
    """
    told = manifest.get("budget")
    levels = told.get("levels") if isinstance(told, Mapping) else None
    pipeline = manifest.get("pipeline")
    if level == 0:
        return manifest, 1.0
    found = levels[level] if isinstance(levels, list) and 0 < level < min(len(levels), MOST) else None
    if not isinstance(found, Mapping) or not isinstance(pipeline, Mapping):
        raise CannotBeComputed(f"what ran at level {level} of the budget is not in the recording")
    if found.get("way") == 0:  # its stages are those of level 0, also where their packages were replaced
        return manifest, 1.0
    known = {**_mapping(manifest.get("packages")), **_mapping(found.get("packages"))}
    like = {**manifest, "pipeline": {**pipeline, "stages": found.get("stages")}, "packages": known}
    # The images' precision is that of level 0.
    return like | {"lanes": _lanes(manifest, found.get("way")), "images": []}, _share(found)


def level_of(parameters: Mapping[str, Mapping[str, float]]) -> int:
    """The level that a result was made at, by its recorded parameters."""
    return max((int(each[LEVEL]) for each in parameters.values() if LEVEL in each), default=0)


def _lanes(manifest: Mapping[str, Any], way: Any) -> list[Mapping[str, Any]]:
    """What ran for which frames, as of the level's way of running."""
    lanes = manifest.get("lanes")
    found = [each for each in lanes if isinstance(each, Mapping)] if isinstance(lanes, list) else []
    if not isinstance(way, int) or way < 1:
        return found
    ways = [each.get("ways") for each in found]
    graphs = [each[way - 1] if isinstance(each, list) and way <= len(each) else [] for each in ways]
    return [{**lane, "graphs": each} for lane, each in zip(found, graphs, strict=True)]


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _share(level: Mapping[str, Any]) -> float:
    share = level.get("roi")
    return float(share) if isinstance(share, int | float) and 0 < share <= 1 else 1.0
