"""Times of several things in turns, by the processor's clock: what else runs on the machine does not count."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

import cv2

TURN_S = 0.02
"""Short things are repeated until a turn takes about this long."""


def in_turns(things: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, list[float]]:
    """Milliseconds of processor time of this process (all of its threads) per call, `rounds` turns of each; OpenCV has
    one thread. A turn before the first one does not count."""
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    times: dict[str, list[float]] = {name: [] for name in things}
    repeats: dict[str, int] = {}
    try:
        for turn in range(rounds + 1):
            for name, run in things.items():
                start = time.process_time()
                for _ in range(repeats.get(name, 1)):
                    run()
                taken = time.process_time() - start
                if turn:
                    times[name].append(taken / repeats[name] * 1e3)
                else:
                    repeats[name] = max(1, round(TURN_S / max(taken, 1e-4)))
    finally:
        cv2.setNumThreads(threads)
    return times
