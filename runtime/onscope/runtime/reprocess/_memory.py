"""What chains remember, as plain values and arrays: put down after a chunk, and taken again after a death."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from ..worker import Chain, Numbers, Ways

Arrays = dict[str, npt.NDArray[Any]]


def told_of_place(chain: Chain, state: int | None) -> tuple[dict[str, Any], Arrays]:
    """What a chain's networks remember of one place, as `take_place` takes it."""
    kept = [group.states.known(state) for group in chain.groups]
    arrays = {f"{g} {n}": each for g, states in enumerate(kept) for n, each in enumerate(states)}
    return {"counts": [len(states) for states in kept]}, arrays


def take_place(chain: Chain, state: int | None, told: Mapping[str, Any], arrays: Mapping[str, Any]) -> None:
    """Have a chain remember of a place what another one did."""
    for g, (group, count) in enumerate(zip(chain.groups, told["counts"], strict=True)):
        group.states.forget(state)
        if count:
            group.states.hold(state, [np.array(arrays[f"{g} {n}"]) for n in range(count)])


def told_of_all(ways: Mapping[int, Ways], numbers: Numbers) -> tuple[dict[str, Any], Arrays] | None:
    """What chains of several looks of frames remember together; None where some of it cannot be told."""
    lanes: dict[str, Any] = {}
    arrays: Arrays = {}
    for lane, each in ways.items():
        trackers = _trackers(each.now)
        if trackers is None:
            return None
        one: dict[str, dict[str, Any]] = {"places": {}, "trackers": {}}
        lanes[str(lane)] = one
        for place in dict.fromkeys(place for group in each.now.groups for place in group.states.places):
            told, known = told_of_place(each.now, place)
            one["places"][str(place)] = told
            arrays |= {f"{lane} place {place} {name}": array for name, array in known.items()}
        for name, stage in trackers.items():
            told, tables = stage.known()
            one["trackers"][name] = told
            arrays |= {f"{lane} {name} {n}": table for n, table in enumerate(tables) if table is not None}
    return {"lanes": lanes, "numbers": numbers.all}, arrays


def take_all(ways: Mapping[int, Ways], numbers: Numbers, told: Mapping[str, Any], arrays: Mapping[str, Any]) -> None:
    """Have new chains remember what others did."""
    numbers.raise_to(told["numbers"])
    for name, one in told["lanes"].items():
        chain = ways[int(name)].now
        for place, known in one["places"].items():
            of = f"{name} place {place} "
            mine = {each.removeprefix(of): array for each, array in arrays.items() if each.startswith(of)}
            take_place(chain, None if place == "None" else int(place), known, mine)
        trackers = _trackers(chain) or {}
        for stage, places in one["trackers"].items():
            tables = [arrays.get(f"{name} {stage} {n}") for n in range(len(places))]
            trackers[stage].take(places, tables)


def _trackers(chain: Chain) -> dict[str, Any] | None:
    """The stages that track, by name; None where another kind of stage remembers, which cannot tell what."""
    named = chain.host.named
    if any(kind == "pairs" for _, kind, _ in named):
        return None
    return {name: stage for name, kind, stage in named if kind == "track"}
