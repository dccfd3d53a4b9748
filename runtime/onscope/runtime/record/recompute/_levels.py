"""Results that were made at a level of a budget of time: computed again with what ran at that level."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ...worker import LEVEL
from ._rebuilt import Rebuilt, rebuild

MOST = 64
"""Levels of one budget."""


def levels_of(manifest: Mapping[str, Any], folders: Sequence[Path], spare: Path) -> dict[int, tuple[Rebuilt, float]]:
    """By the level's number, what ran and the share of the frame's sides that it saw, as the manifest tells.

    `spare` is as for `rebuild`. Without a budget there is level 0 alone.
    """
    own = rebuild(manifest, folders, spare)
    found = {0: (own, 1.0)}
    told = manifest.get("budget")
    levels = told.get("levels") if isinstance(told, Mapping) else None
    pipeline = manifest.get("pipeline")
    if not isinstance(levels, list) or not isinstance(pipeline, Mapping):
        return found
    for number, level in enumerate(levels[:MOST]):
        if number and isinstance(level, Mapping):
            known = {**_mapping(manifest.get("packages")), **_mapping(level.get("packages"))}
            like = {**manifest, "pipeline": {**pipeline, "stages": level.get("stages")}, "packages": known}
            like |= {"lanes": _lanes(manifest, level.get("way")), "images": []}  # whose precision is that of level 0
            found[number] = rebuild(like, folders, spare), _share(level)
    return found


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
