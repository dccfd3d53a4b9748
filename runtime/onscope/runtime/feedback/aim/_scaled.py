"""Factors that bring a value towards another one."""

from __future__ import annotations

import math

from ..._errors import RuleError
from .._wishes import ScaleExposure, ScalePower


def factor(wish: ScaleExposure | ScalePower) -> float:
    """What exposure or power is multiplied by: `damping` of the way in logarithms, at most `most` or 1 / `most`.

    Raises RuleError for what is no number above 0.
    """
    if not all(math.isfinite(each) and each > 0 for each in (wish.value, wish.target)):
        raise RuleError(
            f"found a value of {wish.value} and a target of {wish.target}, expected numbers above 0: subtract no more "
            "than the camera's offset"
        )
    if not (0 <= wish.damping <= 1 and math.isfinite(wish.most) and wish.most >= 1):
        raise RuleError(
            f"found damping {wish.damping} and a largest factor of {wish.most}, expected 0 to 1, and 1 or more"
        )
    largest = math.log(wish.most)
    # Logarithms one by one: the quotient of two ordinary numbers may be none.
    way = wish.damping * (math.log(wish.target) - math.log(wish.value))
    return math.exp(min(max(way, -largest), largest))
