"""Small words about Keras models that several files here need."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def flat(answer: Any) -> list[Any]:
    """The outputs of a model as a list, whatever holds them."""
    if isinstance(answer, dict):
        return [one for value in answer.values() for one in flat(value)]
    return [one for value in answer for one in flat(value)] if isinstance(answer, (tuple, list)) else [answer]


def layers_of(model: Any) -> Iterator[Any]:
    """The model and every layer in it, those of models inside it too."""
    waiting, seen = [model], set()
    while waiting:
        one = waiting.pop(0)
        if id(one) not in seen:
            seen.add(id(one))
            yield one
            waiting.extend(getattr(one, "_layers", ()))


def input_shapes(model: Any) -> list[tuple[int | None, ...]]:
    """The shapes of the model's inputs, None where they are free."""
    return [tuple(one.shape) for one in getattr(model, "inputs", None) or ()]


def input_dtypes(model: Any) -> list[str]:
    """What the model takes: the dtypes of its inputs, or else the one that it computes with."""
    taken = getattr(model, "inputs", None)
    return [str(one.dtype) for one in taken] if taken else [str(model.compute_dtype)]
