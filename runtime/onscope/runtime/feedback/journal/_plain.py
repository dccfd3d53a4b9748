"""Values as JSON can hold them, and back: whatever a rule or a device hands over gives a readable line.

JSON has no NaN and nothing infinite: these are written as {"number": "nan"}, which every reader of JSON takes.
"""

from __future__ import annotations

import base64
import math
import zlib
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from pathlib import PurePath
from typing import Any

import numpy as np

from ..._errors import RecordError
from .._actions import Action
from .._wishes import Wish

DEEPEST = 8
MOST_ITEMS = 4096
MOST_CHARACTERS = 20_000
MOST_DIGITS = 2**63
SMALL_ARRAY = 64
MOST_MASK_PIXELS = 1 << 26
NUMBERS: Mapping[str, float] = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}


def plain(value: object, depth: int = 0) -> Any:
    """`value` of numbers, texts, lists and dicts alone; what is too long or too deep is cut, what is unknown named."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return str(value) if len(value) <= MOST_CHARACTERS else value[:MOST_CHARACTERS] + "…"
    if isinstance(value, int):
        return int(value) if -MOST_DIGITS <= value < MOST_DIGITS else _named(value)
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else {"number": str(float(value))}
    if depth > DEEPEST:
        return "…"
    if isinstance(value, np.ndarray):
        return _array(value, depth)
    if isinstance(value, np.generic):
        inner = value.item()
        return _named(value) if isinstance(inner, np.generic) else plain(inner, depth + 1)
    if isinstance(value, Mapping):
        items = list(value.items())[:MOST_ITEMS]
        return {_key(key): plain(each, depth + 1) for key, each in items}
    if isinstance(value, (tuple, list, set, frozenset)):
        some = sorted(value, key=str) if isinstance(value, (set, frozenset)) else list(value)
        return [plain(each, depth + 1) for each in some[:MOST_ITEMS]]
    if isinstance(value, (Action, Wish)):
        return {"kind": type(value).kind, **_fields(value, depth)}
    if is_dataclass(value) and not isinstance(value, type):
        return _fields(value, depth)
    return str(value) if isinstance(value, PurePath) else _named(value)


def numbers_back(pairs: dict[str, Any]) -> Any:
    """For `json.loads(object_hook=...)`: the numbers that JSON has none for."""
    if len(pairs) == 1 and isinstance(word := pairs.get("number"), str) and word in NUMBERS:
        return NUMBERS[word]
    return pairs


def mask_of(action: Mapping[str, Any]) -> np.ndarray[Any, Any]:
    """The mask (y, x; uint8) of a journalled projection; raises RecordError when there is none that can be read."""
    held = action.get("mask")
    try:
        y, x = held["shape"]  # type: ignore[index]
        if not (isinstance(y, int) and isinstance(x, int) and y >= 0 and x >= 0 and y * x <= MOST_MASK_PIXELS):
            raise ValueError("its shape is none")
        opened = zlib.decompressobj()
        pixels = opened.decompress(base64.b64decode(held["zlib"], validate=True), y * x + 1)  # type: ignore[index]
        return np.frombuffer(pixels, np.uint8).reshape(y, x)
    except (TypeError, KeyError, ValueError, zlib.error) as error:
        raise RecordError(
            f"found no mask that can be read in this action ({error}), expected one of a projection: look at its kind"
        ) from error


def _array(value: np.ndarray[Any, Any], depth: int) -> Any:
    if value.ndim == 0:
        return plain(value[()], depth + 1)
    if value.ndim == 1 and value.dtype.kind in "biufU" and len(value) <= SMALL_ARRAY:
        return [plain(each, depth + 1) for each in value.tolist()]
    about: dict[str, Any] = {"shape": list(value.shape), "dtype": str(value.dtype)}
    if value.dtype.kind in "biuf":
        about["lit"] = int(np.count_nonzero(value))
    if value.ndim == 2 and value.dtype == np.uint8 and value.size <= MOST_MASK_PIXELS:
        about["zlib"] = base64.b64encode(zlib.compress(value.tobytes(), 1)).decode("ascii")
    return about


def _fields(value: Any, depth: int) -> dict[str, Any]:
    return {one.name: plain(getattr(value, one.name), depth + 1) for one in fields(value)}


def _key(key: object) -> str:
    return key[:200] if isinstance(key, str) else _named(key)


def _named(value: object) -> str:
    """What is neither number nor text, by its own words; those of a stranger may fail."""
    try:
        words = repr(value)
    except Exception:  # anything may be in a repr, and a journal must not suffer from it
        words = f"<{type(value).__name__}>"
    return words[:200]
