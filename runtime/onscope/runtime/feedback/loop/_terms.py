"""What a feedback was told."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Terms:
    """What a feedback was told: see `Feedback`."""

    armed: bool
    journal: Path
    doses: Path | None
    patience_s: float
    safe_on_exit: bool
