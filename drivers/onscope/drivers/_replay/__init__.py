"""Replay of stored images."""

from __future__ import annotations

from ._open import replay
from ._source import ReplaySource

__all__ = ["ReplaySource", "replay"]
