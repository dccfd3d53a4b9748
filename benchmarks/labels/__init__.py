"""Labels: how good instances, spots, classes and tracks are, beside classical ways; what decoders take per frame."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from .._rows import Row
from ._classes import classes
from ._decode import decode
from ._instances import instances, real_images
from ._measure import objects
from ._phases import phases
from ._plan import FULL, QUICK, TINY, Plan
from ._spots import spots
from ._tracking import tracks

Tell = Callable[[str], object]
MEASUREMENTS: dict[str, Callable[[Plan, Tell], Iterator[Row]]] = {
    "instances": instances,
    "real": real_images,
    "spots": spots,
    "classes": classes,
    "phases": phases,
    "tracks": tracks,
    "decode": decode,
    "objects": objects,
}
NAMES = tuple(MEASUREMENTS)

__all__ = ["FULL", "NAMES", "QUICK", "TINY", "Plan", "measure"]


def measure(plan: Plan, names: Sequence[str] = NAMES, tell: Tell = print) -> Iterator[Row]:
    """Every named measurement, one after the other, a row as it is known; `tell` hears as each part begins."""
    for name in names:
        yield from MEASUREMENTS[name](plan, tell)
