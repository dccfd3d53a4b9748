"""How well scores set what is true before what is not."""

from __future__ import annotations

import numpy as np


def average_precision(truth: list[float], scores: list[float]) -> float:
    """Mean precision at each true one, in falling order of the scores; NaN without a true one."""
    order = np.argsort(-np.asarray(scores), kind="stable")
    hits = np.asarray(truth)[order] > 0
    precision = np.cumsum(hits) / np.arange(1, len(hits) + 1)
    return float(precision[hits].mean()) if hits.any() else float("nan")
