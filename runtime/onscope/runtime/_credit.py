"""How many windows a worker has at once, and how many slots that takes."""

from __future__ import annotations

from .worker import WorkerLink

LENDABLE = 4
"""Results whose slots readers may hold at once before they get copies."""


def answer_slots(link: WorkerLink) -> int:
    """Slots of a lane for answers: of windows that the worker has, of readers, of one that is being made a result."""
    return most_at_once(link) + LENDABLE + 1


def most_at_once(link: WorkerLink) -> int:
    """Windows that a worker ever has. A box has its own credit, which is made for a long way."""
    return max(link.credit, credit_for(link.deepest)) if link.here else link.credit


def credit_for(depth: int, newest: bool = False) -> int:
    """Windows for a worker that begins `depth` at once: the next one lies there when one of them is done.

    Where the `newest` matter none lies there: what is computed does not wait for it, where computing takes longest.
    """
    return depth if newest else depth + 1
