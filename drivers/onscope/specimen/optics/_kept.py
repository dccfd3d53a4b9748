"""Arrays that are worth keeping from frame to frame: transfer functions, fields of light."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

KEPT_BYTES = 2**28

_arrays: OrderedDict[Hashable, Array] = OrderedDict()
_lock = Lock()


def kept(key: Hashable, make: Callable[[], Array]) -> Array:
    """The array that `make` made for this key, made now if it is new, read-only. Any thread.

    Above KEPT_BYTES in all, what was asked for least recently is thrown away.
    """
    with _lock:
        if key in _arrays:
            _arrays.move_to_end(key)
            return _arrays[key]
    made: Array = np.asarray(make())
    made.flags.writeable = False
    with _lock:
        _arrays[key] = made
        total = sum(array.nbytes for array in _arrays.values())
        while total > KEPT_BYTES and len(_arrays) > 1:
            total -= _arrays.popitem(last=False)[1].nbytes
    return made
