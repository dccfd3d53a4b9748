"""What makes probabilities of a network's last numbers, where neither the network nor a step of its package does."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from ._settings import Setting

ACTIVATION = Setting(
    "activation",
    "word",
    "what makes scores of the network's numbers; none: they are scores",
    "none",
    choices=("none", "sigmoid", "softmax"),
)


def activated(kind: str, numbers: npt.NDArray[Any], axis: int = -1) -> npt.NDArray[np.float32]:
    """Float32 scores of `numbers`, along an axis of which, that of the classes, the softmax is taken."""
    if kind == "none":
        return np.asarray(numbers, np.float32)
    exact = numbers.astype(np.float64)
    if kind == "sigmoid":
        with np.errstate(over="ignore"):
            return np.asarray(1 / (1 + np.exp(-exact)), np.float32)
    with np.errstate(invalid="ignore"):  # of infinite numbers
        raised = np.exp(exact - exact.max(axis=axis, keepdims=True))
    return np.asarray(raised / raised.sum(axis=axis, keepdims=True), np.float32)


def before_activation(kind: str, score: float) -> float:
    """The number that the sigmoid makes this score of; without one the score itself."""
    if kind != "sigmoid":
        return score
    if not 0 < score < 1:
        return -math.inf if score <= 0 else math.inf
    return math.log(score / (1 - score))
