"""`onscope plan` beside a short real run on this machine."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from onscope.runtime import Pipeline
from onscope.runtime.capacity import Checked, check

if TYPE_CHECKING:
    from ._planned_costs import Known

STAND_IN_MS = 20.0
N = 2
SECONDS = 3.0


def checked(pipeline: Pipeline, known: Known, threads: int | None, progress: Callable[[str], object]) -> list[Checked]:
    """Two Runtimes whose engine only waits, at a load that is below and one that is above what their workers can do.

    What is checked is everything but the network: cameras, admission, hand-overs, order. It is scaled down to frames of
    256x256 and an engine that waits for 20 ms, so that a small machine is busy with nothing else.
    """
    return check(
        pipeline,
        f"null:{STAND_IN_MS:g}",
        STAND_IN_MS,
        n=N,
        loads=(0.8, 1.6),
        seconds=SECONDS,
        threads=threads,
        progress=progress,
    )
