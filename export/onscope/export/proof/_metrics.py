"""Task metrics: what the export's errors mean for the answer, by what the answer is.

Always between the network's answer and the export's, both behind all steps of the package; neither is rescaled.

image    PSNR = 20 log10(range / rms error) in dB, with the range (maximum - minimum) of the network's own answer, and
         SSIM (Wang et al. 2004, with K1 = 0.01, K2 = 0.03 and the same range; even 7x7 windows and unbiased variances,
         as scikit-image has them, where the paper has Gaussian ones of 11x11), the mean over all planes and channels.
         Where the network gives an image of its input's size and channels: the share of change, rms(export - network) /
         rms(network - input), both before the output's steps and behind the input's, where they have one scale.
points   their number, and F1 of matching within 1 pixel, both above the threshold. Points without a partner whose
         score is within 2e-4 of the scores' range of the threshold count neither way.
labels   objects, F1 of matching at an intersection over union (IoU) of 0.5, mean IoU of the matched objects.
classes  agreement: share of pixels whose most probable class is the same.
mask     agreement: share of pixels that are the same.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from .._agreement import MATCH_IOU, objects, overlaps, psnr_db, rms, span
from .._original import Array
from ._answers import Answers
from ._parity import MAX_LIMIT, flips
from ._points import MATCH_PX, matched_rows

PSNR_LIMIT_DB, SSIM_LIMIT, MATCH_LIMIT, AGREEMENT_LIMIT = 60.0, 0.999, 0.99, 0.999
WINDOW = 7
"""Pixels of SSIM's window."""


@dataclass(frozen=True, slots=True)
class Metric:
    """One number about one output on one input; `note` says of what it is, `limit` what it must reach (None: nothing).

    `value` is infinite for the PSNR of equal answers; counts are the export's, which must be as near to the network's
    as `passed` says.
    """

    output: str
    where: str
    name: str
    value: float
    unit: str
    note: str
    limit: float | None = None
    passed: bool = True

    @property
    def words(self) -> str:
        """The value with its unit; "equal" for answers without a difference."""
        if math.isinf(self.value):
            return "equal"
        digits = f"{self.value:.1f}" if self.unit == "dB" else f"{self.value:.3g}"
        if self.unit == "%":
            digits = f"{self.value:.2g}"
        elif self.unit == "":
            digits = f"{int(self.value)}" if self.name in COUNTS else f"{self.value:.6f}".rstrip("0").rstrip(".")
        return f"{digits} {self.unit}".strip()

    @property
    def least(self) -> str:
        """The limit with its unit; empty where there is none."""
        return "" if self.limit is None else f"{self.limit:.4g} {self.unit}".strip()

    def to_json(self) -> dict[str, Any]:
        """Plain values; an infinite one as "equal"."""
        return {**asdict(self), "value": "equal" if math.isinf(self.value) else self.value}


COUNTS = ("points", "objects")


def metrics(one: Answers) -> tuple[Metric, ...]:
    """What there is to measure of this answer; nothing where shapes differ or values are no numbers."""
    first, second = one.labels or one.whole
    if first.shape != second.shape and one.kind not in ("points", "labels"):
        return ()
    if any(array.dtype.kind == "f" and not np.isfinite(array).all() for array in (first, second)):
        return ()
    match one.kind:
        case "points":
            return _of_points(one)
        case "labels":
            return _of_labels(one)
        case "classes":
            place = one.axes.index("c")
            return (_agreement(one, first.argmax(axis=place), second.argmax(axis=place), "the most probable class"),)
        case "mask":
            return (_agreement(one, first, second, "the value"),)
    return _of_image(one)


def _of_image(one: Answers) -> tuple[Metric, ...]:
    first, second = (array.astype(np.float64) for array in one.whole)
    width, value, limit = span(first), psnr_db(first, second), PSNR_LIMIT_DB
    if one.whole[0].dtype.kind in "iu":  # as many as the parity lets go may be rounded the other way
        limit = min(limit, 20 * math.log10(width / math.sqrt(flips(width))))
    note = f"data range {width:.6g} (the network's answer), not rescaled"
    found = [Metric(one.output, one.where, "PSNR", value, "dB", note, limit, value >= limit)]
    planes = [_planes(array, one.axes) for array in (first, second)]
    if planes[0] is not None and planes[1] is not None and min(planes[0].shape[1:]) >= WINDOW:
        similar = _ssim(planes[0], planes[1], width)
        kept = one.whole[0].dtype.kind == "f"
        found.append(
            Metric(one.output, one.where, "SSIM", similar, "", note, SSIM_LIMIT if kept else None,
                   not kept or similar >= SSIM_LIMIT)
        )  # fmt: skip
    share = share_of_change(one)
    if share is not None:
        words = "rms(export - network) / rms(network - input), before the output's steps"
        found.append(Metric(one.output, one.where, "share of change", 100 * share, "%", words))
    return tuple(found)


def share_of_change(one: Answers) -> float | None:
    """Error of the export relative to what the network changes, rms over rms; None where the input is no such image.

    Between the network's input behind its steps and its output before its own, which have one scale. None where shapes
    differ, or where the network changes nothing.
    """
    network, export = (array.astype(np.float64) for array in one.bare)
    order = [one.frame_axes.find(letter) for letter in one.axes]
    if -1 in order or len(order) != one.fed.ndim or "y" not in one.axes:
        return None
    given = one.fed.transpose(order).astype(np.float64)
    changed = rms(network - given) if given.shape == network.shape else 0.0
    return rms(export - network) / changed if changed else None


def _of_points(one: Answers) -> tuple[Metric, ...]:
    threshold = one.settings.get("threshold")
    pairs = matched_rows(one)
    first, second, left = pairs.first.scores, pairs.second.scores, pairs.left
    lonely = np.concatenate([np.delete(first, left), np.delete(second, pairs.right)])
    at_threshold = MAX_LIMIT * span(np.concatenate([first, second]))
    near = int(np.sum(np.abs(lonely - (threshold or 0.0)) <= at_threshold))
    f1 = 1.0 if len(lonely) == near else 2 * len(left) / (2 * len(left) + len(lonely) - near)
    above = "above 0" if threshold is None else f"from the threshold {threshold:g} on"
    return (
        Metric(one.output, one.where, "points", len(second), "", f"the network finds {len(first)} {above}",
               len(first), abs(len(first) - len(second)) <= near),
        Metric(one.output, one.where, "F1", f1, "", f"matched within {MATCH_PX:g} px, {above}", MATCH_LIMIT,
               f1 >= MATCH_LIMIT),
    )  # fmt: skip


def _of_labels(one: Answers) -> tuple[Metric, ...]:
    first, second = one.labels or one.whole
    found, count, other = overlaps(first, second), objects(first), objects(second)
    f1 = 2 * len(found) / (count + other) if count + other else 1.0
    mean = float(np.mean(found)) if len(found) else 1.0
    allowed = max(count // 100, min(count // 50, 1))  # from 50 on F1 lets one go
    note = f"objects matched at IoU {MATCH_IOU:g}"
    return (
        Metric(one.output, one.where, "objects", other, "", f"the network's answer has {count}", count,
               abs(count - other) <= allowed),
        Metric(one.output, one.where, "F1", f1, "", note, MATCH_LIMIT, f1 >= MATCH_LIMIT),
        Metric(one.output, one.where, "IoU", mean, "", f"mean over {note}", MATCH_LIMIT, mean >= MATCH_LIMIT),
    )  # fmt: skip


def _agreement(one: Answers, first: Array, second: Array, what: str) -> Metric:
    share = float(np.mean(first == second)) if first.size else 1.0
    note = f"share of elements where {what} is the same"
    return Metric(one.output, one.where, "agreement", share, "", note, AGREEMENT_LIMIT, share >= AGREEMENT_LIMIT)


def _planes(array: Array, axes: str) -> Array | None:
    """All planes (n, y, x) of an image; None where it has no y or x."""
    if "y" not in axes or "x" not in axes:
        return None
    moved = np.moveaxis(array, (axes.index("y"), axes.index("x")), (-2, -1))
    return moved.reshape(-1, *moved.shape[-2:])


def _ssim(first: Array, second: Array, width: float) -> float:
    from skimage.metrics import structural_similarity

    compare: Callable[..., float] = structural_similarity  # scikit-image states no types
    pairs = zip(first, second, strict=True)
    return float(np.mean([compare(a, b, data_range=width, win_size=WINDOW) for a, b in pairs]))
