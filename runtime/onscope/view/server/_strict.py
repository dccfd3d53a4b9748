"""JSON of somebody who is not trusted: what is ambiguous or excessive in it is refused."""

from __future__ import annotations

import json
import math
from typing import Any, NoReturn

MOST_DEEP = 8
MOST_DIGITS = 20
MOST_LETTERS = 200


def strict(text: str) -> Any:
    """Its value. Numbers are finite, names stand once in an object, lists and objects at most eight in one another,
    and texts are printable and of at most 200 letters. Raises ValueError."""
    try:
        value = json.loads(
            text, parse_constant=_no_number, parse_float=_finite, parse_int=_whole, object_pairs_hook=_each_once
        )
    except RecursionError as error:
        raise ValueError("it is too deep") from error
    _check(value, 0)
    return value


def _check(value: Any, deep: int) -> None:
    if deep > MOST_DEEP:
        raise ValueError("it is too deep")
    if isinstance(value, str) and not (len(value) <= MOST_LETTERS and value.isprintable()):
        raise ValueError(f"a text is not printable, or longer than {MOST_LETTERS} letters")
    if isinstance(value, dict):
        for name, each in value.items():
            _check(name, deep)
            _check(each, deep + 1)
    elif isinstance(value, list):
        for each in value:
            _check(each, deep + 1)


def _no_number(word: str) -> NoReturn:
    raise ValueError(f"{word} is no number")


def _finite(word: str) -> float:
    number = float(word)
    if not math.isfinite(number):
        _no_number(word[:MOST_DIGITS])
    return number


def _whole(word: str) -> int:
    if len(word) > MOST_DIGITS:
        _no_number(word[:MOST_DIGITS] + "...")
    return int(word)


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name stands twice in an object")
    return found
