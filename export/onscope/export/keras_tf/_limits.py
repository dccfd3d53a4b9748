"""What opening a file may cost: a network has no more weights than its file, whatever its configuration says."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator
from typing import Any

SLACK = 1 << 20


@contextlib.contextmanager
def at_most(values: int) -> Iterator[None]:
    """While it lasts, layers raise ValueError before they have taken memory for more weights than that (and a few)."""
    import keras

    held, left = keras.layers.Layer.add_weight, values + SLACK

    def add_weight(self: Any, shape: Any = None, *args: Any, **options: Any) -> Any:
        nonlocal left
        left -= math.prod(shape) if isinstance(shape, (tuple, list)) else int(shape or 1)
        if left < 0:
            raise ValueError(f"its layers ask for more weights than the {values} values that the file holds")
        return held(self, shape, *args, **options)

    keras.layers.Layer.add_weight = add_weight
    try:
        yield
    finally:
        keras.layers.Layer.add_weight = held
