"""What the two ends of a link count: plain numbers, added to where it happens and read when somebody asks.

Each number is added to by one thread at a time; reading one needs no lock.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from ._histogram import Histogram

Greeting = Literal["new", "resumed", "refused"]


@dataclass(slots=True)
class LinkCounters:
    """Of the link from the scope PC to a box, for as long as the runtime lives."""

    up: bool = False
    """Whether the box is there now."""
    cuts: int = 0
    windows: int = 0
    resent: int = 0
    """Messages that were sent again after a cut."""
    sent_bytes: int = 0
    saved_bytes: int = 0
    """What packing made the sent bytes fewer by."""
    received_bytes: int = 0
    clock_offset_s: float = 0.0
    """The box's clock minus this machine's."""
    clock_uncertainty_s: float = float("inf")
    """The offset is right within so much; infinite: not measured yet."""
    round_trip_s: float = 0.0


@dataclass(slots=True)
class BoxCounters:
    """Of a box, over all PCs that came."""

    windows: int = 0
    failed: int = 0
    """Windows that the worker could not run."""
    received_bytes: int = 0
    sent_bytes: int = 0
    saved_bytes: int = 0
    """What packing made the sent bytes fewer by."""
    malformed: int = 0
    """Messages that were not what the protocol says."""
    files: int = 0
    """Files of packages that were sent to it and stored."""
    worker_deaths: int = 0
    greetings: dict[Greeting, int] = field(default_factory=lambda: {"new": 0, "resumed": 0, "refused": 0})
    took: Histogram = field(default_factory=Histogram)
    """Seconds of a window in the box, from its last byte in to its first byte out."""
