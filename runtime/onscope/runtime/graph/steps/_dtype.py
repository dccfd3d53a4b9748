"""Casts: what NumPy's astype does within the range of a dtype, the nearest value of the range outside it."""

from __future__ import annotations

from dataclasses import replace

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
    low, high = (draft.constant(each, value.dtype) for each in _range(np.dtype(value.dtype), to))
    if value.dtype == "int64":  # ONNX Runtime 1.31 clips it wrongly (Min and Max, too): 2**31 to 0..255 becomes 0
        above = draft.node("Where", [draft.node("Less", [value.name, low]), low, value.name])
        name = draft.node("Where", [draft.node("Greater", [above, high]), high, above])
    else:
        name = _saturated(draft, value.name, low, high)
    return draft.cast(replace(value, name=name), dtype)


def _saturated(draft: Draft, name: str, low: str, high: str) -> str:
    """The tensor between two constants; those that a step before it keeps already cost nothing.

    Not by Clip: ONNX Runtime takes that into a convolution before it, which it computes in blocks of 16 channels, so
    that an image of one channel is clipped 16 times over (0.5 ms more at 512x512, 10 ms at 2048x2048).
    """
    least, most = _bounds(draft, name)
    if least < _number(draft, low).min():
        name = draft.node("Max", [name, low])
    return name if most <= _number(draft, high).max() else draft.node("Min", [name, high])


def _bounds(draft: Draft, name: str) -> tuple[float, float]:
    """Least and largest value that a tensor can have, as far as Max and Min with constants just before it say so."""
    made = next((node for node in reversed(draft.nodes) if name in node.output), None)
    if made is None or made.op_type not in ("Max", "Min") or len(made.input) != 2:
        return -np.inf, np.inf
    values = _number(draft, made.input[1])
    if not values.size:
        return -np.inf, np.inf
    take = max if made.op_type == "Max" else min
    least, most = _bounds(draft, made.input[0])
    return take(least, float(values.min())), take(most, float(values.max()))


def _number(draft: Draft, name: str) -> np.ndarray:
    """The values of a constant; of anything else none."""
    from onnx import numpy_helper

    held = next((tensor for tensor in draft.initializers if tensor.name == name), None)
    return np.empty(0) if held is None else numpy_helper.to_array(held)


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
