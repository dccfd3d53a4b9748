"""Casts: what NumPy's astype does within the range of a dtype, the nearest value of the range outside it."""

from __future__ import annotations

import numpy as np

from .._draft import Draft, Value

WIDE = ("int32", "uint32", "int64", "uint64", "float64")
"""Dtypes whose values a float32 does not hold."""
CLIPS = ("int32", "uint32", "int64", "uint64", "float32", "float64")
"""Dtypes that ONNX Runtime can clip."""


def working(draft: Draft, value: Value) -> Value:
    """The value as the floats that steps compute with: float32, or float64 where float32 would lose digits."""
    return draft.cast(value, "float64" if value.dtype in WIDE else "float32")


def ensure_dtype(draft: Draft, value: Value, dtype: str) -> Value:
    """The value in `dtype`: fractions are cut off towards zero as by NumPy's astype, what is out of range saturates.

    astype wraps there, or leaves it to the processor (300.0 becomes 44 as uint8, on another machine 255): a pixel that
    is too bright would come out dark. bioimageio.core uses astype; both agree wherever the value can be represented.
    NaN is as the engine casts it.
    """
    to = np.dtype(dtype)
    if value.dtype == dtype or to.kind == "b":
        return draft.cast(value, dtype)
    if to.kind not in "iu" or _within(np.dtype(value.dtype), to):
        return draft.cast(value, dtype)
    if value.dtype not in CLIPS:
        value = draft.cast(value, "float32" if np.dtype(value.dtype).kind == "f" else "int32")
    low, high = _range(np.dtype(value.dtype), to)
    inputs = [value.name, draft.constant(low, value.dtype), draft.constant(high, value.dtype)]
    return draft.cast(Value(draft.node("Clip", inputs), value.dtype, value.axes, value.shape), dtype)


def _within(own: np.dtype, to: np.dtype) -> bool:
    if own.kind == "b":
        return True
    if own.kind not in "iu":
        return False
    return bool(np.iinfo(to).min <= np.iinfo(own).min and np.iinfo(own).max <= np.iinfo(to).max)


def _range(own: np.dtype, to: np.dtype) -> tuple[np.generic, np.generic]:
    """Lowest and highest value of `own` that a value of `to` can have."""
    low, high = np.iinfo(to).min, np.iinfo(to).max
    if own.kind == "f":
        top = own.type(high)
        while int(top) > high:  # 2**32 - 1 is rounded up to 2**32, which no uint32 is
            top = np.nextafter(top, own.type(0))
        return own.type(low), top
    limits = np.iinfo(own)
    return own.type(max(low, limits.min)), own.type(min(high, limits.max))
