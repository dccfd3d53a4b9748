"""Casts: what NumPy's astype does within the range of a dtype, the nearest value of the range outside it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

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
        name = _saturated(draft, value.name, low, high, value.dtype)
    return draft.cast(replace(value, name=name), dtype)


def _saturated(draft: Draft, name: str, low: str, high: str, dtype: str) -> str:
    """The tensor between two constants, and between those of a step just before it, with one look at the pixels.

    ONNX Runtime would take a Clip into a convolution before it. It computes those in blocks of 16 channels, so that an
    image of one channel is clipped 16 times over: 0.24 ms instead of 0.05 at 512x512 on two threads (measured with its
    ConvActivationFusion on and off). Behind an Unsqueeze it stays on its own, and takes half of a Max and a Min.
    """
    least, most = _number(draft, low).item(), _number(draft, high).item()
    while (before := _before(draft, name)) is not None:
        kind, name, bound = before
        if kind == "Max":
            least = min(max(least, bound), most)
        else:
            most = max(min(most, bound), least)
    first = draft.constant([0], "int64")
    apart = draft.node("Unsqueeze", [name, first])
    kept = draft.node("Clip", [apart, draft.constant(least, dtype), draft.constant(most, dtype)])
    return str(draft.node("Squeeze", [kept, first]))


def _before(draft: Draft, name: str) -> tuple[str, str, Any] | None:
    """The Max or Min with one number that made a tensor, what it was made of, and the number; None: made otherwise."""
    made = next((node for node in reversed(draft.nodes) if name in node.output), None)
    if made is None or made.op_type not in ("Max", "Min") or len(made.input) != 2:
        return None
    bound = _number(draft, made.input[1])
    return (made.op_type, made.input[0], bound.item()) if bound.size == 1 else None


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
