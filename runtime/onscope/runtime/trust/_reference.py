"""What is usual: input statistics of frames that a package was made for, and how far values may be from usual ones."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from .._errors import PackageError
from ._statistics import STATISTICS

Array = npt.NDArray[np.float64]
VALUES = ("bias", "whiteness y", "whiteness x", "removed", "rse", "rsp", "distance", "disagreement")
"""What may be looked at, in this order."""
SIDES = {"rse": "high", "rsp": "low", "distance": "high", "disagreement": "high"}
"""Values that are doubtful on one side alone."""
QUIET = 0.99
"""Share of good frames on which nothing is flagged."""
ENOUGH = 100
"""Good frames from which on limits are percentiles; of fewer they are standard deviations."""
WIDTHS = 4.0
SMALLEST_SPREAD = 0.03
"""Of a statistic, in decades: few frames may be alike by chance."""
USUAL_DISTANCE = 4.86
"""The square root of the 99.5th percentile of chi squared with nine degrees of freedom."""


@dataclass(frozen=True, slots=True)
class Limits:
    """A value is usual from `low` to `high`, around `centre`; None: no value is too small, or too large."""

    low: float | None
    centre: float
    high: float | None

    def excess(self, value: float) -> float:
        """How far it is from the centre, in units of the way to the limit: above 1 outside of the limits."""
        limit = self.high if value > self.centre else self.low
        if limit is None or value == self.centre:
            return 0.0
        way = limit - self.centre
        return (value - self.centre) / way if way else math.inf


@dataclass(frozen=True)
class Reference:
    """Mean and covariance of `input_statistics` over `frames` frames that a package was made for, and limits by value.

    `limits` are such that nothing is flagged on 99 % of good frames that mean and covariance were not taken of.
    `source` says in words which frames those were.
    """

    mean: tuple[float, ...]
    covariance: tuple[tuple[float, ...], ...]
    frames: int
    limits: Mapping[str, Limits] = field(default_factory=dict, hash=False)
    source: str = ""

    @cached_property
    def _whiten(self) -> Array:
        return np.asarray(np.linalg.inv(np.linalg.cholesky(np.array(self.covariance))))

    def distance(self, statistics: Array) -> float:
        """Mahalanobis' distance of a frame's statistics: in standard deviations, whatever goes with what."""
        return float(np.linalg.norm(self._whiten @ (statistics - np.array(self.mean))))

    def judge(self, values: Mapping[str, float]) -> tuple[float, tuple[str, ...]]:
        """The largest `Limits.excess` of the values, and which are outside of their limits."""
        known = {name: self.limits[name].excess(value) for name, value in values.items() if name in self.limits}
        return max(known.values(), default=0.0), tuple(name for name, excess in known.items() if excess > 1)

    def plain(self) -> dict[str, Any]:
        """As plain values for a package's description or a message; `reference_from` reads them back."""
        limits = {name: [each.low, each.centre, each.high] for name, each in self.limits.items()}
        covariance = [list(row) for row in self.covariance]
        return {
            "source": self.source,
            "frames": self.frames,
            "statistics": list(STATISTICS),
            "mean": list(self.mean),
            "covariance": covariance,
            "limits": limits,
        }


def fit_reference(statistics: Sequence[Array], values: Sequence[Mapping[str, float]], source: str = "") -> Reference:
    """The reference of frames' `input_statistics`, with limits from the `values` of (other) good frames.

    The covariance is drawn towards its diagonal the more, the fewer frames there are (O. Ledoit, M. Wolf, J.
    Multivariate Anal. 88, 365 (2004), with the share of the number of statistics over that of frames). `distance` among
    the values is that to these very statistics; see `limited`. Raises ValueError without any statistics.
    """
    if not len(statistics):
        raise ValueError("found no statistics of frames, expected those of one frame at least")
    samples = np.stack(list(statistics))
    count, size = samples.shape
    mean = samples.mean(axis=0)
    covariance = (samples - mean).T @ (samples - mean) / max(1, count - 1)
    share = min(1.0, size / count)
    covariance = (1 - share) * covariance + share * np.diag(np.diag(covariance)) + SMALLEST_SPREAD**2 * np.eye(size)
    rounded = [[_short(value) for value in row] for row in covariance]
    found = Reference(tuple(map(_short, mean)), tuple(map(tuple, rounded)), count, {}, source)
    return limited(found, values)


def limited(reference: Reference, values: Sequence[Mapping[str, float]]) -> Reference:
    """The same with limits such that on 99 % of these good frames' values no limit is passed at all.

    From 100 frames on half of that one percent is the distance's; the other limits lie at the same rank of each value's
    sorted ones, the largest that keeps to it. Of fewer frames they are four standard deviations from the median, and
    beyond all that was seen; the distance's is not below that of a normal distribution, which is there without any
    values too.
    """
    known = {name: np.array([each.get(name, np.nan) for each in values], np.float64) for name in VALUES}
    known = {name: column[np.isfinite(column)] for name, column in known.items()}
    known = {name: column for name, column in known.items() if len(column)}
    if len(values) < ENOUGH:
        limits = {name: _from_few(column, SIDES.get(name, "both")) for name, column in known.items()}
        far = limits.get("distance", Limits(None, 0.0, 0.0))
        limits["distance"] = Limits(None, far.centre, max(USUAL_DISTANCE, far.high or 0.0))
        return replace(reference, limits=limits)
    found, apart = reference, int((1 - QUIET) / 2 * len(values))
    for rank in range(len(values) // 4, -1, -1):
        ranks = {**dict.fromkeys(known, rank), "distance": apart}
        limits = {name: _at_rank(column, SIDES.get(name, "both"), ranks[name]) for name, column in known.items()}
        found = replace(reference, limits=limits)
        if np.mean([bool(found.judge(each)[1]) for each in values]) <= 1 - QUIET:
            break
    return found


def _at_rank(known: Array, side: str, rank: int) -> Limits:
    ordered, centre = np.sort(known), float(np.median(known))
    low, high = float(ordered[rank]), float(ordered[-1 - rank])
    return _limits(low, centre, high, side)


def _from_few(known: Array, side: str) -> Limits:
    centre = float(np.median(known))
    way = WIDTHS * max(float(known.std()), 0.02 * abs(centre), 0.005)
    way = max(way, 1.25 * float(np.abs(known - centre).max()))
    return _limits(centre - way, centre, centre + way, side)


def _limits(low: float, centre: float, high: float, side: str) -> Limits:
    # Outwards, so that what the limit was made of does not pass it.
    low, high = _short(low - 1e-5 * abs(low)), _short(high + 1e-5 * abs(high))
    return Limits(None if side == "high" else low, _short(centre), None if side == "low" else high)


def _short(value: float) -> float:
    return float(f"{value:.6g}")


def reference_from(plain: object) -> Reference:
    """What `Reference.plain` gave, from anywhere; raises PackageError, one sentence."""
    if not isinstance(plain, Mapping):
        raise _refuse("no named values")
    names = plain.get("statistics")
    if list(names) != list(STATISTICS) if isinstance(names, (list, tuple)) else True:
        raise _refuse(f"other statistics than {', '.join(STATISTICS)}")
    size = len(STATISTICS)
    try:
        mean = np.array(plain.get("mean"), np.float64)
        covariance = np.array(plain.get("covariance"), np.float64)
    except (TypeError, ValueError, OverflowError):
        raise _refuse("a mean or covariance of something else than numbers") from None
    if mean.shape != (size,) or covariance.shape != (size, size):
        raise _refuse(f"a mean {mean.shape} and covariance {covariance.shape} of {size} statistics")
    if not (np.isfinite(mean).all() and np.isfinite(covariance).all() and np.array_equal(covariance, covariance.T)):
        raise _refuse("a mean or covariance that is none")
    try:
        np.linalg.cholesky(covariance)
    except np.linalg.LinAlgError:
        raise _refuse("a covariance that is not positive definite") from None
    frames, source = plain.get("frames"), plain.get("source", "")
    if not isinstance(frames, int) or isinstance(frames, bool) or frames < 1 or not isinstance(source, str):
        raise _refuse("no number of frames")
    limits = plain.get("limits")
    stated = limits.items() if isinstance(limits, Mapping) else ()
    usual = {str(name): _read(each) for name, each in stated}
    return Reference(tuple(mean.tolist()), tuple(map(tuple, covariance.tolist())), frames, usual, source)


def _read(stated: Any) -> Limits:
    numbers = stated if isinstance(stated, (list, tuple)) and len(stated) == 3 else ("", "", "")
    for place, each in enumerate(numbers):
        number = isinstance(each, (int, float)) and not isinstance(each, bool) and math.isfinite(each)
        if not number and (each is not None or place == 1):
            raise _refuse("limits that are no low, centre and high")
    low, centre, high = numbers
    if (low is not None and low > centre) or (high is not None and high < centre):
        raise _refuse("limits that do not rise")
    return Limits(*(None if each is None else float(each) for each in numbers))  # type: ignore[arg-type]


def _refuse(found: str) -> PackageError:
    return PackageError(
        f"found config.onscope.trust with {found}, expected what an export wrote there: export the package again, or "
        "remove it"
    )
