"""Values out of heads, checked: what is none of what was expected raises WireError."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ._message import WireError

LARGEST = 1 << 62
_HALF = re.compile("[\ud800-\udfff]")
"""Halves of characters, which JSON lets through: whoever prints or encodes one fails."""
_NAME = re.compile(r"[0-9a-f]{64}\.(?:onnx|npy|tif|tiff|yaml)")


def whole(head: Mapping[str, Any], name: str, low: int = 0, high: int = LARGEST) -> int:
    """A whole number within bounds, both included."""
    value = head.get(name)
    if type(value) is not int or not low <= value <= high:  # True is no number here
        raise WireError(f"found {name} {_short(value)}, expected a whole number from {low} to {high}")
    return value


def text(head: Mapping[str, Any], name: str, most: int = 200) -> str:
    """A text of at most so many characters, all of which can be written as UTF-8."""
    value = head.get(name)
    if not isinstance(value, str) or len(value) > most or _HALF.search(value):
        raise WireError(f"found {name} {_short(value)}, expected a text of at most {most} characters")
    return value


def whole_list(head: Mapping[str, Any], name: str, high: int, most: int) -> list[int]:
    """At most so many whole numbers from 0 to `high`."""
    values = head.get(name)
    if not isinstance(values, list) or len(values) > most:
        raise WireError(f"found {name} {_short(values)}, expected a list of at most {most} numbers")
    if not all(type(value) is int and 0 <= value <= high for value in values):
        raise WireError(f"found {name} {_short(values)}, expected whole numbers from 0 to {high}")
    return values


def name_of(value: object) -> str:
    """A stored file's name: its sha256, and what kind of file it is. No other name ever becomes a path."""
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        raise WireError(f"found the file {_short(value)}, expected SHA256.onnx, .npy, .tif, .tiff or .yaml")
    return value


def _short(value: object) -> str:
    words = repr(value)[:60]
    return f"{words}…" if len(words) == 60 else words
