"""Values as JSON can hold them, whatever they are and however many."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from itertools import islice
from typing import Any

import numpy as np

MOST_LETTERS = 2000
"""Of one text."""
MOST_ITEMS = 4096
"""Of one list or object."""
MOST_DEEP = 12
MOST_WHOLE = 1 << 63


def plain(value: Any, deep: int = 0) -> Any:
    """The same as JSON's own values: NumPy's numbers as Python's, numbers that are none (NaN, infinite, or of more
    than 63 bits) as None. Texts and lists that are too long are cut, and what is too deep is None."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return int(value) if abs(value) < MOST_WHOLE else None
    if isinstance(value, str):
        return shortened(value)
    if deep >= MOST_DEEP:
        return None
    if isinstance(value, Mapping):
        return {shortened(str(name)): plain(each, deep + 1) for name, each in islice(value.items(), MOST_ITEMS)}
    if isinstance(value, (list, tuple, set, frozenset)) or (isinstance(value, np.ndarray) and value.ndim):
        return [plain(each, deep + 1) for each in islice(value, MOST_ITEMS)]
    return shortened(str(value))


def shortened(words: str) -> str:
    """A text of at most 2,000 letters."""
    return words if len(words) <= MOST_LETTERS else words[: MOST_LETTERS - 1] + "…"


def size_of(message: Any) -> int:
    """Bytes of a message as it is sent."""
    return len(json.dumps(message, separators=(",", ":")))
