"""Values of a config.json, each asked for by its type and bounds: a file that anybody may have written."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any

from onscope.runtime import ExportError

from .._original import one_line

REQUIRED: Any = object()
ACTIVATIONS = (
    "linear", "relu", "elu", "selu", "gelu", "sigmoid", "softplus", "softsign", "swish", "silu", "tanh", "leaky_relu",
)  # fmt: skip
"""Activations that Keras knows by name."""
PREFIX = re.compile(r"[A-Za-z0-9_-]{0,32}")


class Fields:
    """The names with values of a JSON file; every question raises ExportError for what is not as expected."""

    def __init__(self, content: Mapping[str, Any], file: str = "config.json") -> None:
        self._content, self._file = content, file

    def __contains__(self, name: str) -> bool:
        return self._content.get(name) is not None

    def whole(self, name: str, low: int, high: int, default: Any = REQUIRED) -> int:
        """A whole number between two others."""
        value = self._get(name, default)
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise self._wrong(name, value, f"a whole number from {low} to {high}")
        return value

    def number(self, name: str, low: float, high: float, default: Any = REQUIRED) -> float:
        """A finite number between two others."""
        value = self._get(name, default)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
            raise self._wrong(name, value, f"a number from {low:g} to {high:g}")
        return float(value)

    def flag(self, name: str, default: Any = REQUIRED) -> bool:
        """true or false."""
        value = self._get(name, default)
        if not isinstance(value, bool):
            raise self._wrong(name, value, "true or false")
        return value

    def word(self, name: str, choices: Sequence[str], default: Any = REQUIRED) -> str:
        """One of some words."""
        value = self._get(name, default)
        if not isinstance(value, str) or value not in choices:
            raise self._wrong(name, value, f"one of {', '.join(choices)}")
        return value

    def activation(self, name: str, default: Any = REQUIRED) -> str:
        """An activation of Keras'."""
        return self.word(name, ACTIVATIONS, default)

    def prefix(self, name: str) -> str:
        """What names of layers begin with: letters, digits, _ and -; nothing where it is not stated."""
        value = self._get(name, "")
        if not isinstance(value, str) or not PREFIX.fullmatch(value):
            raise self._wrong(name, value, "at most 32 letters, digits, _ or -")
        return value

    def wholes(self, name: str, count: int, low: int, high: int, default: Any = REQUIRED) -> tuple[int, ...]:
        """So many whole numbers; a single one stands for all of them."""
        value = self._get(name, default)
        each = [value] * count if isinstance(value, int) else value
        if (
            not isinstance(each, (list, tuple))
            or len(each) != count
            or any(isinstance(one, bool) or not isinstance(one, int) or not low <= one <= high for one in each)
        ):
            raise self._wrong(name, value, f"{count} whole numbers from {low} to {high}")
        return tuple(each)

    def numbers(self, name: str, count: int, low: float, high: float) -> tuple[float, ...]:
        """So many finite numbers between two others."""
        value = self._get(name, REQUIRED)
        each = value if isinstance(value, list) and len(value) == count else [None]
        if any(isinstance(one, bool) or not isinstance(one, (int, float)) or not low <= one <= high for one in each):
            raise self._wrong(name, value, f"{count} numbers from {low:g} to {high:g}")
        return tuple(map(float, each))

    def inner(self, name: str) -> Fields:
        """Names with values under a name."""
        value = self._get(name, REQUIRED)
        if not isinstance(value, dict):
            raise self._wrong(name, value, "names with values")
        return Fields(value, f"{name} of {self._file}")

    def texts_of_numbers(self, name: str, count: int) -> tuple[float, ...]:
        """So many finite numbers, as numbers or as texts, which is how N2V keeps them; one may stand alone."""
        value = self._get(name, REQUIRED)
        each = value if isinstance(value, list) else [value]
        try:
            numbers = [float(one) for one in each if isinstance(one, (str, int, float)) and not isinstance(one, bool)]
        except (ValueError, OverflowError):
            numbers = []
        if len(each) != count or len(numbers) != count or not all(map(isfinite, numbers)):
            raise self._wrong(name, value, f"{count} finite numbers")
        return tuple(numbers)

    def axes(self, dimensions: Sequence[int] = (2, 3)) -> str:
        """The network's axes such as "YXC", channels last, as letters of packages, with the batch: "byxc"."""
        value = self._get("axes", REQUIRED)
        letters = value.upper() if isinstance(value, str) and len(value) <= 8 else ""
        spatial = letters[:-1]
        known = len(set(letters)) == len(letters) and not set(spatial) - set("TZYX") and {"Y", "X"} <= set(spatial)
        if not known or letters[-1:] != "C" or len(spatial) not in dimensions:
            raise self._wrong("axes", value, "YXC, ZYXC or TYXC (channels last)")
        return f"b{letters.lower()}"

    def sizes(self, name: str, count: int) -> tuple[int | None, ...]:
        """Sizes along the axes of an image; None: any."""
        value = self._get(name, [None] * (count + 1))
        each = value[:-1] if isinstance(value, list) and len(value) == count + 1 else None
        if each is None or any(one is not None and not (type(one) is int and 1 <= one <= 1 << 16) for one in each):
            raise self._wrong(name, value, f"{count} sizes or nulls, and the channels")
        return tuple(each)

    def _get(self, name: str, default: Any) -> Any:
        value = self._content.get(name, default)
        if value is REQUIRED:
            raise ExportError(f"found no {name} in {self._file}, expected it as training writes it: take that file")
        return value

    def _wrong(self, name: str, value: object, expected: str) -> ExportError:
        return ExportError(f"found {name} {one_line(repr(value), 60)} in {self._file}, expected {expected}")
