"""What the devices of a bench were commanded, and when."""

from __future__ import annotations

from dataclasses import dataclass

JOURNAL = 10_000
"""Commands that are remembered."""


@dataclass(frozen=True, slots=True)
class Command:
    """What a device was told, at a time of the bench's clock in seconds."""

    at_s: float
    device: str
    verb: str
    value: object = None
