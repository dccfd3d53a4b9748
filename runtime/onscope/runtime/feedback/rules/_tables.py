"""The tables of one result, and which rows of several of them are the same object."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from ..._errors import RuleError
from .._proposal import Seen, Table

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
SCORE = "score_"


class Tables:
    """`links` tells of each stage which one it reads, row for row; where it tells nothing, the tables are asked.

    Tables with a column `row` (tracks, crops) say by it which row of the table that they read theirs belongs to.
    """

    def __init__(self, seen: Seen, links: Mapping[str, str]) -> None:
        self.seen, self._links = seen, links
        self._roots: dict[str, str] = {}

    def __getitem__(self, stage: str) -> Table:
        table = self.seen.tables.get(stage)
        if table is None or table.dtype.names is None or table.ndim != 1:
            raise RuleError(f"found no table of the stage {stage!r}, expected one: name a stage that answers with rows")
        return table

    def __contains__(self, stage: str) -> bool:
        return stage in self.seen.tables

    def names(self, stage: str) -> tuple[str, ...]:
        """Columns of a stage's table."""
        return self[stage].dtype.names or ()

    def root(self, stage: str) -> str:
        """The stage whose rows a stage's table goes back to."""
        if stage not in self._roots:
            self._roots[stage] = self._root(stage)
        return self._roots[stage]

    def _root(self, stage: str) -> str:
        if "row" not in self.names(stage):
            return stage
        if stage in self._links:
            return self.root(self._links[stage])
        rows = self[stage]["row"]
        least = int(rows.max()) + 1 if len(rows) else 0
        fits = [name for name in self.seen.tables if self._is_base(name) and len(self[name]) >= least]
        alike = [name for name in fits if len(self[name]) == len(rows)]
        fits = alike if len(fits) > 1 and len(alike) == 1 else fits
        if len(fits) > 1:
            raise RuleError(
                f"found {', '.join(fits)}, expected one that {stage!r} reads: check the rules against the pipeline"
            )
        return fits[0] if fits else stage

    def _is_base(self, stage: str) -> bool:
        names = self.names(stage)
        return "row" not in names and {"y", "x"} <= set(names)

    def rows(self, stage: str) -> Integers:
        """Of each row of a table, the row of its root."""
        table, root = self[stage], self.root(stage)
        if root == stage:
            return np.arange(len(table), dtype=np.int64)
        own, of = np.asarray(table["row"], np.int64), self._links.get(stage, root)
        known = (own >= 0) & (own < len(self[of]))
        return np.where(known, np.append(self.rows(of), -1)[np.where(known, own, -1)], -1)

    def tracked(self, stage: str) -> str | None:
        """The stage that tracks the objects of a stage; None: there is none. Raises RuleError for several."""
        if "track" in self.names(stage):
            return stage
        found = [
            name
            for name in self.seen.tables
            if {"track", "row"} <= set(self.names(name)) and self.root(name) == self.root(stage)
        ]
        if len(found) > 1:
            raise RuleError(f"found {', '.join(found)}, which track {stage!r}, expected one: name it with `tracks:`")
        return found[0] if found else None

    def aligned(self, stage: str, to: str) -> Integers:
        """For each row of the table `to`, the row of `stage` about the same object; -1: there is none."""
        have, want = self.rows(stage), self.rows(to)
        if self.root(stage) != self.root(to):
            raise RuleError(
                f"found the stages {stage!r} and {to!r}, expected such as are about the same objects: look at both"
            )
        if len(have) == len(want) and np.array_equal(have, want):
            return np.arange(len(want), dtype=np.int64)
        if not len(have):
            return np.full(len(want), -1, np.int64)
        order = np.argsort(have, kind="stable")
        at = np.minimum(np.searchsorted(have[order], want), len(have) - 1)
        return np.where(have[order][at] == want, order[at], -1).astype(np.int64)

    def column(self, stage: str, name: str, to: str) -> Floats:
        """A column of `stage`, as float64 by the rows of the table `to`; NaN where there is none."""
        table = self[stage]
        if name not in self.names(stage):
            raise RuleError(
                f"found no column {name!r} of the stage {stage!r}, expected one of {', '.join(self.names(stage))}"
            )
        values = np.asarray(table[name], np.float64)
        if stage == to:
            return values
        at = self.aligned(stage, to)
        return np.where(at >= 0, values[at], np.nan) if len(values) else np.full(len(at), np.nan)

    def places(self, stage: str) -> tuple[Floats, Floats]:
        """y and x of a table's objects in pixels of the raw frame; NaN where nothing tells."""
        for one in (stage, self.root(stage)):
            names = set(self.names(one))
            if {"y", "x"} <= names:
                return self.column(one, "y", stage), self.column(one, "x", stage)
            if {"y0", "x0", "y1", "x1"} <= names:  # boxes: their end is not in them
                y0, x0, y1, x1 = (self.column(one, name, stage) for name in ("y0", "x0", "y1", "x1"))
                return (y0 + y1 - 1) / 2, (x0 + x1 - 1) / 2
        return np.full(len(self[stage]), np.nan), np.full(len(self[stage]), np.nan)

    def labels(self, stage: str) -> Integers:
        """The objects' numbers in the label image; 0 where there is none."""
        one = self.root(stage)
        if "label" not in self.names(one):
            return np.zeros(len(self[stage]), np.int64)
        values = self.column(one, "label", stage)
        return np.where(np.isfinite(values), values, 0).astype(np.int64)

    def classes(self, stage: str) -> list[str]:
        """Names of classes in the order of their numbers, as a stage's columns of scores tell them."""
        return [name.removeprefix(SCORE) for name in self.names(stage) if name.startswith(SCORE)]
