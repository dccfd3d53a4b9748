"""Conditions at work: each is asked for every result, so that those that remember miss none."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from ..._errors import RuleError
from ._look import Look
from ._objects import Objects
from ._region_model import RegionModel, within
from ._roster import Totals
from ._threshold import Threshold
from ._truth import Truth, all_of, any_of

Floats = npt.NDArray[np.float64]


class Node(Protocol):
    """A condition. `words` says of the last result why it holds for the object in a row."""

    def holds(self, look: Look, objects: Objects | None) -> Truth: ...

    def words(self, at: int) -> str: ...


def flag(values: npt.NDArray[np.bool_], at: int) -> bool:
    """Of one object, or of the frame."""
    return bool(values if values.ndim == 0 else values[at])


class Value:
    """A column, or a number, passes a test."""

    def __init__(self, name: str, threshold: Threshold) -> None:
        self._name, self._threshold = name, threshold
        self._classes: Sequence[str] = ()

    def holds(self, look: Look, objects: Objects | None) -> Truth:
        values = None if objects is None else objects.value(self._name)
        self._classes = ()
        if values is None:
            values = np.asarray(number(look, objects, self._name))
        elif objects is not None:
            stage = self._name.rpartition(".")[0]
            self._classes = look.tables.classes(stage if stage in look.tables else objects.stage)
        return self._threshold.holds(values, look, objects, self._classes)

    def words(self, at: int) -> str:
        return self._threshold.words(self._name, at, self._classes)


def number(look: Look, objects: Objects | None, name: str) -> float:
    """A number by its name; NaN where it is not there now. Raises RuleError for what no result ever has."""
    if "." not in name:
        told = "" if objects is None else f" of the stage {objects.stage!r}"
        expected = "a number such as frame.mean" if objects is None else "one of its columns"
        raise RuleError(f"found no value {name!r}{told}, expected {expected}: correct its name")
    return look.number(name)


class Inside:
    """An object lies in one of some regions."""

    def __init__(self, names: Sequence[str], outside: bool) -> None:
        self._names, self._outside = names, outside

    def holds(self, look: Look, objects: Objects | None) -> Truth:
        if objects is None:
            raise RuleError("found a region without objects, expected them: give the rule `each:`")
        parts = [self._in(look.known.regions[name], look, objects) for name in self._names]
        inside = any_of(parts)
        return inside.turned if self._outside else inside

    def _in(self, region: RegionModel, look: Look, objects: Objects) -> Truth:
        height, width = look.seen.shape
        y, x, aspect = objects.y, objects.x, 1.0
        if region.units == "stage_um":
            y, x = objects.y_um, objects.x_um
        elif region.units == "share" and height and width:  # pixels' edges: the frame reaches from 0 to 1
            y, x, aspect = (y + 0.5) / height, (x + 0.5) / width, width / height
        return Truth.of(within(region, y, x, aspect), np.isfinite(y) & np.isfinite(x))

    def words(self, at: int) -> str:
        return f"it is {'outside' if self._outside else 'inside'} {' or '.join(self._names)}"


class Rows:
    """A number that is made of the rows of a stage: how many, which part, a column's mean."""

    def __init__(
        self, word: str, of: str, where: Node | None, gone: bool, column: str | None, threshold: Threshold
    ) -> None:
        self._word, self._of, self._where, self._gone = word, of, where, gone
        self._column, self._threshold = column, threshold

    def holds(self, look: Look, objects: Objects | None) -> Truth:
        rows = look.objects(self._of, gone=self._gone)
        truth = None if self._where is None else self._where.holds(look, rows).yes
        chosen = rows.present if truth is None else np.broadcast_to(truth, len(rows))
        return self._threshold.holds(np.asarray(self._number(rows, chosen), np.float64), look, None)

    def _number(self, rows: Objects, chosen: npt.NDArray[np.bool_]) -> float:
        count = float(np.count_nonzero(chosen))
        if self._column is None:
            return count if self._word == "count" else (count / rows.here if rows.here else np.nan)
        values = rows.value(self._column)
        if values is None:
            raise RuleError(f"found no column {self._column!r} of the stage {self._of!r}, expected one of its own")
        values = values[chosen & np.isfinite(values)]
        return SUMMARIES[self._word](values) if len(values) else np.nan

    def words(self, at: int) -> str:
        which = f"of {self._of}" if self._column is None else f"of {self._column} of {self._of}"
        chosen = "" if self._where is None else " that meet the condition"
        return self._threshold.words(f"{self._word} {which}{chosen}", at)


SUMMARIES: Mapping[str, Callable[[Floats], float]] = {
    "mean": lambda values: float(values.mean()),
    "median": lambda values: float(np.median(values)),
    "highest": lambda values: float(values.max()),
    "lowest": lambda values: float(values.min()),
    "sum": lambda values: float(values.sum()),
}


class Total:
    """How many divisions, new or lost tracks there were since the start."""

    def __init__(self, word: str, of: str, threshold: Threshold) -> None:
        self._word, self._of, self._threshold = word, of, threshold

    def holds(self, look: Look, objects: Objects | None) -> Truth:
        look.roster(self._of)
        totals = look.known.totals.get(self._of, Totals())
        return self._threshold.holds(np.asarray(getattr(totals, self._word), np.float64), look, None)

    def words(self, at: int) -> str:
        return self._threshold.words(f"{self._word.replace('_', ' ')} of {self._of}", at)


class Several:
    """All of some conditions, or any of them."""

    def __init__(self, parts: Sequence[Node], every: bool) -> None:
        self._parts, self._every = parts, every
        self._truths: list[Truth] = []

    def holds(self, look: Look, objects: Objects | None) -> Truth:
        self._truths = [part.holds(look, objects) for part in self._parts]
        return all_of(self._truths) if self._every else any_of(self._truths)

    def words(self, at: int) -> str:
        told = [
            part.words(at) for part, truth in zip(self._parts, self._truths, strict=True) if flag(truth.yes, at)
        ] or [part.words(at) for part in self._parts]
        return " and ".join(told)


class Not:
    """A condition does not hold."""

    def __init__(self, part: Node) -> None:
        self._part = part

    def holds(self, look: Look, objects: Objects | None) -> Truth:
        return self._part.holds(look, objects).turned

    def words(self, at: int) -> str:
        return f"not so that {self._part.words(at)}"
