"""Trouble on purpose: a seeded schedule of frames that are lost or late, and of models that are slow, fail or die.

schedule = faults.parse("seed=3,drop=2%,jitter_ms=4,burst=1%x8,slow=5%x200ms,die=0.1%")
with schedule.inject(source, provider="cpu") as (source, provider), Runtime(pipeline, provider=provider) as runtime:
    for result in runtime.stream(source):
        ...
"""

from __future__ import annotations

from ._schedule import FaultSchedule
from ._source import FaultySource
from ._words import parse, read

__all__ = ["FaultSchedule", "FaultySource", "parse", "read"]
