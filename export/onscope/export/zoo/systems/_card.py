"""The card of a package: what was measured of it, in `quality.json` beside its description."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import ConfigDict, TypeAdapter, ValidationError, with_config

from ._score import Score

CARD, PICTURE = "quality.json", "quality.jpg"
SCHEMA = 1
QUIET = 0.8
"""Load up to which a machine of two cores or more gives one thread what it asks for."""
STRICT = ConfigDict(extra="forbid", allow_inf_nan=False)


@with_config(STRICT)
@dataclass(frozen=True, slots=True)
class Cost:
    """Milliseconds per window of `frames` frames of `shape` (y, x): median and 99th percentile over `runs`.

    Of the package's compiled graphs alone, on `provider` with so many `threads` of `machine`, whose `load` (how many
    wanted a core in the minute before; None: not known) says what the times are worth.
    """

    p50_ms: float
    p99_ms: float
    shape: tuple[int, int]
    frames: int
    runs: int
    provider: str
    threads: int
    machine: str
    load: float | None = None

    @property
    def busy(self) -> bool:
        """Whether others may have slowed it down."""
        return self.load is None or self.load > QUIET


@with_config(STRICT)
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


@with_config(STRICT)
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
        told = {"schema": SCHEMA, **_FORM.dump_python(self, mode="json")}
        file.write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, file: Path) -> Card:
        """What `save` wrote. Raises OSError, and ValueError, one sentence, for what is no card."""
        try:
            told = json.loads(file.read_text(encoding="utf-8"))
            schema = told.pop("schema", None) if isinstance(told, dict) else None
            if schema is True or schema != SCHEMA:
                raise ValueError(f"no schema {SCHEMA}")
            # By way of JSON, where lists are tuples and all else is as strict as can be.
            return _FORM.validate_json(json.dumps(told), strict=True)
        except ValueError as error:
            why = error.errors()[0]["msg"] if isinstance(error, ValidationError) else str(error)
            raise ValueError(f"found {file} unlike a card ({why}), expected what the measurement wrote") from error


_FORM = TypeAdapter(Card)
