"""Replay of stored images."""

from __future__ import annotations

from ._source import ReplaySource, replay

__all__ = ["ReplaySource", "replay"]
