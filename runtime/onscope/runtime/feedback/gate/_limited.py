"""Limits are checked when they are given, copied, and only ever made narrower."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import fields
from types import MappingProxyType
from typing import Any

from ..._errors import RuleError
from .._limits import Limits, LimitsChange
from ._values import FLOATS, INTEGERS, is_one_of

RANGES = ("x_um", "y_um", "z_um", "exposure_ms", "interval_s")
FROM_ZERO = ("exposure_ms", "interval_s")
HIGHEST = ("power_mw", "pulse_ms")
ENDLESS = ("step_um", "z_step_um", "frames_per_s", "field_j_cm2", "object_j_cm2")
"""Numbers that may be infinite: no limit."""


def settled(limits: Limits) -> Limits:
    """A copy of plain values that no later change reaches. Raises RuleError for what is no limit: NaN, a range whose
    ends are reversed or infinite, numbers below 0.
    """
    return Limits(**{each.name: _settled(each.name, getattr(limits, each.name)) for each in fields(Limits)})


def tighten(limits: Limits, change: Limits | LimitsChange) -> Limits:
    """The narrower of both in everything, never looser than `limits`.

    Of `LimitsChange`, what is None and names that are not told stay as they were, and a name that `limits` do not have
    is a mistake. Of `Limits` everything counts: what is not there in one of them is not there. Raises RuleError for
    what is no limit (`settled`), and where nothing would be left of a range.
    """
    device, told = settled(limits), isinstance(change, LimitsChange)
    kept: dict[str, Any] = {}
    for each in fields(Limits):
        old, new = getattr(device, each.name), getattr(change, each.name)
        if told and new is None:
            kept[each.name] = old
            continue
        new = _settled(each.name, new)
        join = _mapping if isinstance(new, Mapping) else _range_within if each.name in RANGES else _number_within
        kept[each.name] = join(each.name, old, new, told)
    return Limits(**kept)


def _number_within(name: str, old: Any, new: Any, told: bool) -> Any:
    return max(old, new) if name == "reserve" else min(old, new)


def _range_within(name: str, old: Any, new: Any, told: bool) -> Any:
    if old is None or new is None:
        return None
    low, high = max(old[0], new[0]), min(old[1], new[1])
    if low > high:
        raise RuleError(
            f"found {new[0]:g} to {new[1]:g} as {name}, expected a part of {old[0]:g} to {old[1]:g}, as the device has "
            "it: set limits within"
        )
    return low, high


def _mapping(name: str, old: Any, new: Any, told: bool) -> Any:
    strange = sorted(set(new) - set(old))
    if told and strange:
        raise RuleError(
            f"found {strange[0]!r} among {name}, expected one of {', '.join(sorted(old)) or 'none'}: a limit of "
            "another name would hold for nothing"
        )
    kept = {key: _both(name, value, new[key]) for key, value in old.items() if key in new}
    if told:
        kept = {key: kept.get(key, value) for key, value in old.items()}
    return MappingProxyType({key: value for key, value in kept.items() if value is not None})


def _both(name: str, old: Any, new: Any) -> Any:
    if name in HIGHEST:
        return min(old, new)
    return old & new if name == "presets" else (old if old == new else None)


def _settled(name: str, value: Any) -> Any:
    if name in RANGES:
        return None if value is None else _range(name, value)
    if name == "presets":
        return _copied(name, value, lambda each: frozenset(str(preset) for preset in each))
    if name == "targets":
        return _copied(name, value, lambda each: tuple(str(word) for word in each))
    if name in HIGHEST:
        return _copied(name, value, lambda each: _number(name, each))
    if name == "frames":
        if not is_one_of(value, INTEGERS) or not 0 <= value <= 10**9:
            raise _wrong(name, value, "a whole number from 0 on")
        return int(value)
    found = _number(name, value, endless=name in ENDLESS)
    if name == "reserve" and not found < 1:
        raise _wrong(name, value, "a part from 0 to below 1")
    return found


def _copied(name: str, value: Any, one: Callable[[Any], Any]) -> Mapping[str, Any]:
    if not isinstance(value, Mapping) or not all(type(key) is str for key in value):
        raise _wrong(name, value, "names with their values")
    if any(each is None or isinstance(each, str) for each in value.values()):
        raise _wrong(name, value, "a value for every name, and of words a list")
    return MappingProxyType({key: one(each) for key, each in value.items()})


def _range(name: str, value: Any) -> tuple[float, float]:
    if not isinstance(value, (tuple, list)) or len(value) != 2:
        raise _wrong(name, value, "(lowest, highest)")
    low, high = (_number(name, each, least=0.0 if name in FROM_ZERO else -math.inf) for each in value)
    if low > high:
        raise _wrong(name, value, "the lowest before the highest")
    return low, high


def _number(name: str, value: Any, *, least: float = 0.0, endless: bool = False) -> float:
    if not is_one_of(value, (*FLOATS, *INTEGERS)):
        raise _wrong(name, value, "a number")
    try:
        found = float(value)
    except OverflowError:
        found = math.nan
    if not (found >= least and (math.isfinite(found) or (endless and found == math.inf))):
        raise _wrong(name, value, f"a finite number{'' if least == -math.inf else ' from 0 on'}")
    return found


def _wrong(name: str, value: Any, expected: str) -> RuleError:
    try:
        words = str(value)[:100]
    except ValueError:  # an integer of too many digits
        words = "a number too large to be told"
    return RuleError(f"found {words} as the limit {name}, expected {expected}: set it right before the start")
