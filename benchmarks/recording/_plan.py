"""How much is measured: in full, in a hurry, or just enough to see that it runs."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Case:
    """`frames` frames of `size` x `size` uint16 per turn."""

    size: int
    frames: int


@dataclass(frozen=True)
class Plan:
    """`rounds` turns of each way in `cases`, `code_rounds` of each codec in `codes`, with images of these `kinds`.

    `everywhere`: in memory as well as on the disk.
    """

    cases: tuple[Case, ...] = (Case(512, 400), Case(2048, 40))
    rounds: int = 3
    codes: tuple[Case, ...] = (Case(512, 32), Case(2048, 6))
    code_rounds: int = 2
    kinds: tuple[str, ...] = ("noise", "camera-like")
    everywhere: bool = True


FULL = Plan()
QUICK = Plan((Case(512, 150), Case(2048, 20)), 1, (Case(512, 48),), 1)
TINY = Plan((Case(64, 12),), 1, (Case(64, 6),), 1, ("camera-like",), everywhere=False)
