"""Stages whose package was replaced in mid-run: what came after is not computed again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..._pipeline import Pipeline
from ._windows import Row


class Swaps:
    """The replacements that a manifest tells of. Each came between two windows: what was delivered later is of it."""

    def __init__(self, manifest: Mapping[str, Any], pipeline: Pipeline) -> None:
        self._at: dict[str, int] = {}
        told = manifest.get("swaps")
        for each in told if isinstance(told, list) else ():
            if isinstance(each, Mapping) and isinstance(each.get("at_ns"), int):
                self._add(str(each.get("stage")), each["at_ns"], pipeline)

    def _add(self, name: str, at_ns: int, pipeline: Pipeline) -> None:
        affected = {name}
        for stage in pipeline.stages:  # in the order in which they read each other
            if affected.intersection(stage.inputs):
                affected.add(stage.name)
        for stage_name in affected:
            self._at[stage_name] = min(at_ns, self._at.get(stage_name, at_ns))

    def why_not(self, row: Row, name: str) -> str:
        """Why a stage's answer in a row cannot be computed; empty: it can."""
        at_ns = self._at.get(name)
        delivered_ns = row.values.get("delivered_ns")
        if at_ns is None or (isinstance(delivered_ns, int) and delivered_ns <= at_ns):
            return ""
        return "its package, or that of a stage that it reads, was replaced before in mid-run"
