"""Held-out beads for the packages that were made for them: a scene of each kind for each seed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from .._quality import Sample, simulated
from .._scenes import EVERYTHING, draw, draw_demo

FIRST_SEED = 11_000_000
"""Training draws from one stream with a small seed; the tables of the packages' own READMEs begin at 10 million."""
NOT_EMPTY = replace(EVERYTHING, empty_fraction=0.0)
"""Without anything in it a truth has no span, and PSNR no meaning."""
KINDS = {
    "scenes like the demonstration's": None,
    "all that training covers": NOT_EMPTY,
    "sharp and bright": replace(NOT_EMPTY, sigma_px=(0.8, 1.0), blur=(1.0, 1.1), peak_photons=(200.0, 2000.0)),
}
SHAPE = (256, 256)
DENOISED = """schema: 1
stages:
  denoise: {package: zoo/care-beads}
  answer: {package: "{package}", reads: denoise}
"""
"""The pipeline of what stands behind `care-beads`."""
ABOUT = (
    "Measured through the runtime on simulated beads that training never saw, one scene of each kind for each seed; "
    "mean and standard deviation over the seeds. "
)


@dataclass(frozen=True, slots=True, eq=False)
class Held:
    """Samples of one kind, one for each seed."""

    kind: str
    samples: tuple[Sample, ...]


@cache
def beads(seeds: int) -> tuple[Held, ...]:
    """Of each kind as many scenes as `seeds`."""
    return tuple(Held(kind, tuple(_drawn(kind, FIRST_SEED + number) for number in range(seeds))) for kind in KINDS)


def _drawn(kind: str, seed: int) -> Sample:
    ranges = KINDS[kind]
    if ranges is None:
        return simulated(draw_demo(seed))
    return simulated(draw(np.random.default_rng(seed), SHAPE, ranges, fine=True))
