"""Values that came out of rules: plain numbers, words and places, or a refusal.

Types are compared by identity, so that no code of a value's own class runs: a subclass of float may say one thing when
it is judged and another one when it is applied. What is let through is made anew.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .._limits import Range

LONGEST = 4000
"""Characters of words."""
LARGEST = 2**53
"""Integers beyond it are no exact floats."""
FLOATS = (float, np.float64, np.float32, np.float16)
INTEGERS = (int, np.int64, np.int32, np.int16, np.int8, np.uint64, np.uint32, np.uint16, np.uint8)


class RefusedError(Exception):
    """What is asked for does not pass; the words say what was found, what is allowed, and what to do."""


def is_one_of(value: object, types: tuple[type, ...]) -> bool:
    """Whether it is of exactly one of these types."""
    kind = type(value)
    return any(kind is each for each in types)


def shown(value: Any) -> str:
    """A value in a sentence; of types that are not plain the name alone."""
    if is_one_of(value, INTEGERS) and not -LARGEST <= value <= LARGEST:
        return "an integer beyond 2^53"
    if is_one_of(value, INTEGERS):
        return str(int(value))
    if value is None or is_one_of(value, (bool, str)):
        return repr(value[:100] if isinstance(value, str) else value)
    if is_one_of(value, FLOATS):
        return repr(float(value))
    return f"a value of type {type(value).__name__[:100]}"


def number(value: Any, what: str) -> float:
    """A finite float."""
    if type(value) is not float:
        if is_one_of(value, INTEGERS):
            value = float(value) if -LARGEST <= value <= LARGEST else math.nan
        elif is_one_of(value, FLOATS):
            value = float(value)
        else:
            raise RefusedError(f"found {shown(value)} as {what}, allowed is a number: look at what the rule computes")
    if not math.isfinite(value):
        raise RefusedError(f"found {value} as {what}, allowed is a finite number: look at what the rule computes")
    return float(value)


def whole(value: Any, what: str, least: int, most: int) -> int:
    """An integer within a range."""
    if not is_one_of(value, INTEGERS):
        raise RefusedError(f"found {shown(value)} as {what}, allowed is a whole number: look at what the rule computes")
    if not least <= value <= most:
        raise RefusedError(f"found {shown(value)} as {what}, allowed are {least} to {most}: ask for one of these")
    return int(value)


def words(value: Any, what: str) -> str:
    """A text that files and programs can be given."""
    if type(value) is not str:
        raise RefusedError(f"found {shown(value)} as {what}, allowed is a text: look at what the rule says")
    if len(value) > LONGEST or "\0" in value or not _encodable(value):
        raise RefusedError(
            f"found {what} of {len(value)} characters, allowed are {LONGEST} that UTF-8 has and no zero: say it shorter"
        )
    return value


def _encodable(value: str) -> bool:
    if value.isascii():
        return True
    try:
        value.encode()
    except UnicodeEncodeError:  # half of a surrogate pair
        return False
    return True


def within(value: Any, allowed: Range | None, what: str, unit: str) -> float:
    """A number in a range of the limits, both ends allowed; refused where the limits have none."""
    if allowed is None:
        raise RefusedError(
            f"found {what} asked for, allowed is none: this microscope has no such device, or its limits do not tell it"
        )
    found = number(value, what)
    if not allowed[0] <= found <= allowed[1]:
        raise RefusedError(
            f"found {found:g} {unit} as {what}, allowed are {allowed[0]:g} to {allowed[1]:g} {unit}: ask for a value "
            "of these, or set wider limits before the start"
        )
    return found


def at_most(value: Any, most: float, what: str, unit: str, *, zero: bool = False) -> float:
    """A number above 0 (or from 0 on) up to the highest that is allowed."""
    found = number(value, what)
    if not (found >= 0.0 if zero else found > 0.0) or found > most:
        raise RefusedError(
            f"found {found:g} {unit} as {what}, allowed are {'0' if zero else 'above 0'} to {most:g} {unit}: ask for a "
            "value of these"
        )
    return found


def positive(value: Any, what: str) -> float:
    """A number above 0."""
    found = number(value, what)
    if not found > 0:
        raise RefusedError(f"found {found:g} as {what}, allowed are numbers above 0: look at what the rule computes")
    return found


def known(value: float | None) -> float | None:
    """What a setting tells; NaN is not known."""
    return value if value is not None and math.isfinite(value) else None


def listed(names: Any) -> str:
    """Names in a sentence."""
    return ", ".join(sorted(names)[:10]) or "none"
