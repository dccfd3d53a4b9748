"""Thresholds of rules that may be changed while they are asked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from pydantic import ValidationError

from ..._errors import RuleError
from ._compile import Location
from ._test_model import TestModel
from ._threshold import Threshold

INFINITE = float("inf")


class TunableRule(NamedTuple):
    """A threshold of a rule: `name` is where it stands in `when` ("score.above", "any.0.area.below")."""

    rule: str
    name: str
    value: float
    least: float
    most: float
    meaning: str


class Thresholds:
    """Those of a book, by where they are written."""

    def __init__(self, written: Mapping[Location, Threshold]) -> None:
        self._written: dict[tuple[str, str], Threshold] = {}
        for at, threshold in written.items():
            _, rule, _, *path = map(str, at)
            self._written[rule, ".".join(path)] = threshold

    def __iter__(self) -> Iterator[TunableRule]:
        for (rule, path), threshold in self._written.items():
            for bound, value in threshold.bounds.items():
                words = f"{path}: {TestModel.model_fields[bound].description}"
                yield TunableRule(rule, f"{path}.{bound}", value, -INFINITE, INFINITE, words)

    def tune(self, rule: str, name: str, value: float) -> float:
        """Change one; returns what it was. Raises RuleError for one that is not there, or a value of no use."""
        path, _, bound = name.rpartition(".")
        threshold = self._written.get((rule, path))
        if threshold is None or bound not in threshold.bounds:
            able = ", ".join(f"{each.rule}: {each.name}" for each in self) or "(the rules have no thresholds)"
            raise RuleError(f"found {name!r} of the rule {rule!r} to tune, expected one of {able}: correct it")
        before = threshold.bounds[bound]
        try:
            if isinstance(value, bool) or not isinstance(value, int | float):
                raise ValueError("expected a finite number")
            threshold.change(bound, float(value))
        except ValidationError as error:
            why = error.errors()[0]["msg"].removeprefix("Value error, ")
            raise RuleError(f"found {value!r:.60} for {name} of the rule {rule!r}: {why}; it is as before") from error
        except ValueError as error:
            raise RuleError(f"found {value!r:.60} for {name} of the rule {rule!r}, {error}: correct it") from error
        return before
