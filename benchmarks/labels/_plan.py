"""How much is measured: in full, in a hurry, or just enough to see that it runs."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Plan:
    """`seeds` specimens of each kind, a number of its own for each; a spread is that between them.

    Fields are `side` pixels wide (None: as each scenario has them). Spots are looked for in `scenes` frames per seed;
    crops are cut from `looks` images of a dividing and a dying culture each per seed; movies have `frames`. Times are
    taken over `rounds` of images of these `sizes`: (side in pixels, nuclei). `kinds` are the scenarios (None: all).
    """

    seeds: int = 5
    frames: int = 30
    scenes: int = 4
    looks: int = 6
    rounds: int = 20
    side: int | None = None
    sizes: tuple[tuple[int, int], ...] = ((512, 200), (2048, 2000))
    kinds: tuple[str, ...] | None = None


FULL = Plan()
QUICK = Plan(seeds=1, frames=6, scenes=1, looks=1, rounds=2, side=256, sizes=((512, 200),))
TINY = Plan(seeds=2, frames=4, scenes=1, looks=1, rounds=2, side=128, sizes=((256, 40),), kinds=("dividing-cells",))
