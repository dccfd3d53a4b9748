"""The card of a package: what was measured of it, in `quality.json` beside its description."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ._score import Score

CARD, PICTURE = "quality.json", "quality.jpg"


@dataclass(frozen=True, slots=True)
class Cost:
    """Milliseconds per window of `frames` frames of `shape` (y, x): median and 99th percentile over `runs`.

    Of the package's compiled graph alone, on `provider` with so many `threads` of the `machine`.
    """

    p50_ms: float
    p99_ms: float
    shape: tuple[int, int]
    frames: int
    runs: int
    provider: str
    threads: int
    machine: str


@dataclass(frozen=True, slots=True)
class LiveRun:
    """A run on a microscope's core: what came of its frames, and the time of a window in the worker in milliseconds."""

    source: str
    submitted: int
    done: int
    skipped: int
    failed: int
    lost: int
    p50_ms: float
    p99_ms: float

    @property
    def works(self) -> bool:
        """Whether answers came, none failed, and each frame is accounted for."""
        whole = self.done + self.skipped + self.failed + self.lost == self.submitted
        return self.done > 0 and self.failed == 0 and whole


@dataclass(frozen=True, slots=True)
class Card:
    """All of it. `parity` is the largest error of the export over the output's range, `weights_sha256` whose it is."""

    system: str
    weights_sha256: str
    parameters: int
    parity: float
    trained: bool
    cost: Cost
    live: LiveRun
    scores: tuple[Score, ...] = ()
    versions: Mapping[str, str] = field(default_factory=dict)

    @property
    def works(self) -> bool:
        """Whether the export is equal and the live run went well; packages of exports that are not do not exist."""
        return self.live.works

    def save(self, file: Path) -> None:
        """As JSON."""
        told = {
            "schema": 1,
            "system": self.system,
            "weights_sha256": self.weights_sha256,
            "parameters": self.parameters,
            "parity": self.parity,
            "trained": self.trained,
            "cost": _fields(self.cost),
            "live": _fields(self.live),
            "scores": [score.as_dict() for score in self.scores],
            "versions": dict(self.versions),
        }
        file.write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, file: Path) -> Card:
        """What `save` wrote. Raises OSError, and ValueError for what is no card."""
        try:
            told = json.loads(file.read_text(encoding="utf-8"))
            cost, live = dict(told["cost"]), dict(told["live"])
            cost["shape"] = tuple(cost["shape"])
            return cls(
                system=str(told["system"]),
                weights_sha256=str(told["weights_sha256"]),
                parameters=int(told["parameters"]),
                parity=float(told["parity"]),
                trained=bool(told["trained"]),
                cost=Cost(**cost),
                live=LiveRun(**live),
                scores=tuple(map(Score.of, told["scores"])),
                versions=dict(told["versions"]),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"found {file} unlike a card ({error}), expected what the measurement wrote") from error


def _fields(value: Cost | LiveRun) -> dict[str, Any]:
    return {name: getattr(value, name) for name in value.__dataclass_fields__}
