"""What a batch of windows takes on a provider: measured, never made up; a table that can be written and read."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import NormalDist
from typing import Any

from .._errors import PipelineError

SCHEMA = 1
KEPT = 101
LARGEST = 1 << 20
LONGEST_MS = 1e7


@dataclass(frozen=True, slots=True)
class Cost:
    """Sorted milliseconds per batch, by how many windows are in it; and where that is known from.

    A batch of a size between two that were measured is taken to lie between them; there are none larger. With several
    `instances`, they are what one of so many side by side on a GPU takes.
    """

    ms: Mapping[int, Sequence[float]]
    provider: str = ""
    source: str = ""
    """Where it comes from, in words: measured here, a card, a file; device and versions."""
    instances: int = 1
    shape: tuple[int, ...] = ()
    frames: int = 1
    down_bytes: int | None = None
    """Of a window's answers; None: not told."""
    facts: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.ms or not all(0 < batch <= LARGEST and times for batch, times in self.ms.items()):
            raise PipelineError(f"found costs of the batches {sorted(self.ms)}, expected those of one size at least")
        if not all(0 < each <= LONGEST_MS for times in self.ms.values() for each in times) or self.instances < 1:
            raise PipelineError("found a cost of no time (or instances), expected milliseconds per batch above 0")

    @property
    def largest(self) -> int:
        """The largest batch that was measured."""
        return max(self.ms)

    def mean(self, batch: int) -> float:
        """Mean milliseconds of a batch."""
        times = self.times(batch)
        return sum(times) / len(times)

    def times(self, batch: int) -> list[float]:
        """Sorted milliseconds of a batch of up to `largest` windows."""
        if batch in self.ms:
            return list(self.ms[batch])
        above = min((each for each in self.ms if each > batch), default=None)
        if above is None:
            raise PipelineError(f"found a batch of {batch}, expected at most the {self.largest} that were measured")
        below = max((each for each in self.ms if each < batch), default=None)
        if below is None:
            return list(self.ms[above])  # as if it were filled up
        part = (batch - below) / (above - below)
        low, high = self.ms[below], self.ms[above]
        return sorted(_at(low, at / (KEPT - 1)) * (1 - part) + _at(high, at / (KEPT - 1)) * part for at in range(KEPT))

    def told(self) -> dict[str, Any]:
        """As plain values."""
        batches = {str(batch): [round(each, 4) for each in times] for batch, times in sorted(self.ms.items())}
        told: dict[str, Any] = {"ms_per_batch": batches, "provider": self.provider, "source": self.source}
        told |= {"instances": self.instances, "shape": list(self.shape), "frames": self.frames}
        told["down_bytes"] = self.down_bytes
        return told | {"facts": dict(self.facts)}


def _at(times: Sequence[float], share: float) -> float:
    place = share * (len(times) - 1)
    low = int(place)
    return times[low] + (times[min(low + 1, len(times) - 1)] - times[low]) * (place - low)


def thinned(times: Sequence[float]) -> list[float]:
    """At most KEPT of the times, sorted, evenly by rank."""
    ordered = sorted(times)
    return ordered if len(ordered) <= KEPT else [_at(ordered, at / (KEPT - 1)) for at in range(KEPT)]


def scattered(p50_ms: float, p99_ms: float) -> list[float]:
    """Times of a log-normal distribution with this median and 99th percentile, where no more than these is known."""
    sigma = math.log(max(p99_ms, p50_ms) / p50_ms) / NormalDist().inv_cdf(0.99)
    ranks = [NormalDist().inv_cdf((at + 0.5) / KEPT) for at in range(KEPT)]
    return [p50_ms * math.exp(sigma * rank) for rank in ranks]


def write_costs(path: Path, costs: Mapping[str, Cost]) -> None:
    """Write costs by the names of their cameras; raises PipelineError where that cannot be."""
    content = {"schema": SCHEMA, "costs": {name: cost.told() for name, cost in costs.items()}}
    try:
        path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    except OSError as error:
        raise PipelineError(f"cannot write {path}: {error.strerror}") from error


def read_costs(path: Path) -> dict[str, Cost]:
    """What `write_costs` wrote, or `{"ms_per_batch": {"1": 5.2, "4": 11}}` by hand, which holds for every camera ("").

    Milliseconds of a batch are a number, a list of measured ones, or {"p50": .., "p99": ..}. Raises PipelineError.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if "ms_per_batch" in content:
            return {"": _read(content, path)}
        return {str(name): _read(told, path) for name, told in content["costs"].items()}
    except OSError as error:
        raise PipelineError(f"cannot read {path}: {error.strerror}") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise PipelineError(
            f'found {path} unlike a table of costs ({error!r:.80}), expected {{"ms_per_batch": {{"1": 5.2, "4": 11}}, '
            '"provider": "tensorrt"}, or what `onscope plan --measure --cost FILE` writes'
        ) from error


def _read(told: Mapping[str, Any], path: Path) -> Cost:
    ms = {int(batch): _times(times) for batch, times in told["ms_per_batch"].items()}
    source = str(told.get("source") or "written by hand")
    return Cost(
        ms,
        str(told.get("provider", "")),
        f"{path.name}: {source}",
        int(told.get("instances", 1)),
        tuple(int(side) for side in told.get("shape", ())),
        int(told.get("frames", 1)),
        None if told.get("down_bytes") is None else int(told["down_bytes"]),
        dict(told.get("facts", {})),
    )


def _times(told: Any) -> list[float]:
    if isinstance(told, Mapping):
        return scattered(float(told["p50"]), float(told["p99"]))
    return sorted(float(each) for each in told) if isinstance(told, list) else [float(told)]
