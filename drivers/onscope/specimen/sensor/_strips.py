"""Work on large frames strip by strip: random numbers are drawn in one thread while others work on the last strips."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from ._deviates import Draw, draw

Array = npt.NDArray[Any]

STRIP_PIXELS = 2**16  # what a strip's few float32 arrays take fits a core's own cache
PARALLEL_PIXELS = 2**19

ENDLESS = np.float32(1e7)
"""Electrons that no pixel can hold, nor 4 x 4 of them: more light is as good as this."""


def checked(photons: Array) -> Array:
    """The photons. Raises ValueError where they are negative, or no numbers."""
    if photons.size and not photons.min() >= 0:
        raise ValueError(
            f"found {photons.min():g} photons in a pixel, expected none below 0 and numbers everywhere: give means"
        )
    return photons


def strips(shape: tuple[int, int]) -> list[slice]:
    """Rows of a frame in strips of about STRIP_PIXELS."""
    rows = max(STRIP_PIXELS // max(shape[1], 1), 1)
    return [slice(top, min(top + rows, shape[0])) for top in range(0, shape[0], rows)]


def with_deviates(shape: tuple[int, int], rng: np.random.Generator, work: Callable[[slice, Array], None]) -> None:
    """Calls `work` with each strip's rows and standard normal deviates (float32), which it may overwrite.

    In two more threads for large frames: the same deviates on any number of cores, for they are drawn in this one.
    """

    def one(rows: slice, drawn: Draw) -> None:
        work(rows, drawn.deviates())

    parallel = shape[0] * shape[1] >= PARALLEL_PIXELS
    jobs = []
    for rows in strips(shape):
        drawn = draw(rng, (rows.stop - rows.start, shape[1]))
        if parallel:
            jobs.append(_pool().submit(one, rows, drawn))
        else:
            one(rows, drawn)
    for job in jobs:
        job.result()


def with_generators(shape: tuple[int, int], rng: np.random.Generator, work: Callable[[slice, Any], None]) -> None:
    """Calls `work` with each strip's rows and a generator of its own, seeded by `rng`; in two threads when large."""
    jobs = []
    for rows in strips(shape):
        own = np.random.Generator(np.random.PCG64(int(rng.integers(2**63))))
        jobs.append((rows, own))
    if shape[0] * shape[1] < STRIP_PIXELS:
        for rows, own in jobs:
            work(rows, own)
        return
    for done in [_pool().submit(work, rows, own) for rows, own in jobs]:
        done.result()


@lru_cache(maxsize=1)
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(2, thread_name_prefix="onscope-sensor")
