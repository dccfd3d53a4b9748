"""Which specimens are for what: seeds that never meet."""

from __future__ import annotations

from enum import StrEnum


class Part(StrEnum):
    """What examples are for: training, choosing between trainings, or measuring, which nothing was chosen by."""

    TRAINING = "training"
    VALIDATION = "validation"
    HELD_OUT = "held-out"


MOST = 10**8
"""Specimens of a part. Scenarios, tests and the networks for beads have smaller seeds than the first part's."""
_FIRST = {part: (place + 1) * MOST for place, part in enumerate(Part)}


def seed_of(part: Part, number: int) -> int:
    """The seed of a part's specimen `number`, 0 and up. Raises ValueError for a number that the part has not."""
    if not 0 <= number < MOST:
        raise ValueError(f"found specimen {number}, expected 0 to {MOST - 1}: further ones are another part's")
    return _FIRST[Part(part)] + number
