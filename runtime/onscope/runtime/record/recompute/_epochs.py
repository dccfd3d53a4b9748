"""A run in which packages were replaced, cut where they were: what ran between two replacements is a manifest."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping
from typing import Any

from ._reasons import CannotBeComputed
from ._windows import Row

MOST = 1000
SAID = ("package", "package_sha256", "settings", "precision")
"""What a replacement says of the stage, by the names that it has in the pipeline too."""


class Epochs:
    """Of a recording's manifest: number 0 is its beginning, and each replacement begins another one.

    A replacement comes between two windows: what was delivered after its moment is of the new package.
    """

    def __init__(self, manifest: Mapping[str, Any]) -> None:
        told = manifest.get("swaps")
        swaps = [each for each in told if _is_swap(each)][:MOST] if isinstance(told, list) else []
        self.swaps: list[Mapping[str, Any]] = sorted(swaps, key=lambda each: int(each["at_ns"]))
        """The replacements, in the order in which they came."""
        self._begin = [int(each["at_ns"]) for each in self.swaps]
        left_out = manifest.get("swaps_left_out")
        since_ns = left_out.get("since_ns") if isinstance(left_out, Mapping) else None
        self.unknown_ns = since_ns if isinstance(since_ns, int) else None
        """Since when there were others that the recording does not tell of; None: there were none."""
        self._manifest = manifest

    def __len__(self) -> int:
        return 1 + len(self.swaps)

    def at(self, row: Row) -> int:
        """The number of a result's; raises CannotBeComputed where that is not known."""
        delivered_ns = row.values.get("delivered_ns")
        if not self.swaps and self.unknown_ns is None:
            return 0
        if not isinstance(delivered_ns, int):
            raise CannotBeComputed("packages were replaced in mid-run, and when it was delivered is not recorded")
        number = self.number(delivered_ns)
        if number < 0:
            raise CannotBeComputed("packages were replaced more often than the recording tells of")
        return number

    def number(self, delivered_ns: int) -> int:
        """The number of what was delivered at a moment; -1: that is not known."""
        if self.unknown_ns is not None and delivered_ns > self.unknown_ns:
            return -1
        return bisect_left(self._begin, delivered_ns)

    def manifest(self, number: int) -> Mapping[str, Any]:
        """The run's manifest as if it had ended with that epoch and begun with it."""
        made = dict(self._manifest)
        for swap in self.swaps[:number]:
            made = _after(made, swap)
        return made


def _after(manifest: dict[str, Any], swap: Mapping[str, Any]) -> dict[str, Any]:
    made = {**manifest, "lanes": swap.get("lanes") if isinstance(swap.get("lanes"), list) else []}
    packages = [each for each in (manifest.get("packages"), swap.get("packages")) if isinstance(each, Mapping)]
    made["packages"] = {name: each for known in packages for name, each in known.items()}
    pipeline = manifest.get("pipeline")
    if isinstance(pipeline, Mapping) and isinstance(pipeline.get("stages"), list):
        said = {name: swap[name] for name in SAID if name in swap}
        stages = [
            {**each, **said} if isinstance(each, Mapping) and each.get("name") == swap["stage"] else each
            for each in pipeline["stages"]
        ]
        made["pipeline"] = {**pipeline, "stages": stages}
    return made


def _is_swap(told: Any) -> bool:
    return (
        isinstance(told, Mapping)
        and isinstance(told.get("at_ns"), int)
        and isinstance(told.get("stage"), str)
        and isinstance(told.get("package_sha256"), str)
        and isinstance(told.get("settings"), Mapping)
    )
