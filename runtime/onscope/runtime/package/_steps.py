"""Steps beside the graph, by BioImage.IO's names, with all their arguments as plain values."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .._errors import PackageError
from ._description import Step, make_step
from ._files import short


def read_steps(described: Iterable[Any]) -> tuple[Step, ...]:
    """The pre- or postprocessing of a BioImage.IO 0.5 tensor; defaults are written out.

    `custom` has the arguments `callable`, `source` and `kwargs`. Raises PackageError for numbers that are none.
    """
    return tuple(_step(one) for one in described)


def ensure_dtype(dtype: str) -> Step:
    """The format's own cast."""
    return make_step("ensure_dtype", {"dtype": dtype})


def last_dtype(steps: Sequence[Step], first: str) -> str:
    """NumPy name of what comes out of the steps when `first` goes in, as far as the format fixes it."""
    dtype = first
    for step in steps:
        if step.id == "ensure_dtype":
            dtype = str(step.arguments["dtype"])
        elif step.id == "binarize":
            dtype = "bool"
    return dtype


def plain(value: Any, what: str) -> Any:
    """A value of the specification (its texts and nodes are classes of their own) as a plain one; finite numbers."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return str(value)
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        if not math.isfinite(value):
            raise PackageError(f"found {value} among the arguments of {what}, expected finite numbers: correct it")
        return float(value)
    if isinstance(value, Mapping):
        return {str(key): plain(inner, what) for key, inner in value.items()}
    if isinstance(value, Iterable):
        return [plain(inner, what) for inner in value]
    return short(value)


def _step(described: Any) -> Step:
    id = str(described.id)
    if id == "custom":
        arguments = {"callable": described.callable, "source": str(described.source), "kwargs": described.kwargs}
    else:
        kwargs = getattr(described, "kwargs", None)
        fields = type(kwargs).model_fields if kwargs is not None else ()
        # getattr, not model_dump: nodes that were constructed without checks lack their defaults in dumps.
        arguments = {key: getattr(kwargs, key) for key in fields}
    return make_step(id, plain(arguments, id))
