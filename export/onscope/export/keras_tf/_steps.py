"""The step between sizes that a network takes, found by trying."""

from __future__ import annotations

from collections.abc import Callable, Sequence

Sizes = Sequence[tuple[float, ...]]
STEPS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128)


def step_by(outputs_at: Callable[[tuple[int, int]], Sequence[tuple[int, int]] | None], common: int) -> int | None:
    """The smallest step at which the outputs follow the input, or None: it is tied to one size, or crops.

    `outputs_at` gives the (y, x) of the outputs for an input of (y, x), None where the network takes no such size.
    `common` is a multiple of the steps to try: from there a size shows itself that is no multiple of what is needed.
    """
    return next((step for step in STEPS if common % step == 0 and _follows(outputs_at, step, common)), None)


def _follows(outputs_at: Callable[[tuple[int, int]], Sequence[tuple[int, int]] | None], step: int, common: int) -> bool:
    scales = set()
    for y, x in ((common, common + step), (common + step, common + 3 * step), (common + 5 * step, common + 2 * step)):
        found = outputs_at((y, x))
        if found is None:
            return False
        scales.add(tuple((own[0] / y, own[1] / x) for own in found))
    return len(scales) == 1
