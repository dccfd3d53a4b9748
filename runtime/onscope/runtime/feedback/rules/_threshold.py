"""One test of values: thresholds, hysteresis, references."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from ..._errors import RuleError
from ._look import Look
from ._objects import Objects
from ._test_model import BOUNDS, TestModel
from ._texts import Reference, reference
from ._truth import Truth

Floats = npt.NDArray[np.float64]
ENOUGH = 5
"""Values before, of which a reference is made at least (or all that it is made of, where these are fewer)."""


class Threshold:
    """A test, with what it remembers under its `key`: of each tracked object, else of the frame."""

    def __init__(self, test: TestModel, key: int) -> None:
        self._test, self._key = test, key
        self._latches = test.until_below is not None or test.until_above is not None
        self._reference = None if test.relative_to is None else reference(test.relative_to)
        self.shown: Floats = np.zeros(())
        """What the last values were compared as."""

    @property
    def bounds(self) -> dict[str, float]:
        """Its thresholds, by their words."""
        return {word: bound for word in BOUNDS if (bound := getattr(self._test, word)) is not None}

    def change(self, bound: str, value: float) -> None:
        """Another value of one of them; what is remembered stays. Raises ValueError where they do not fit."""
        relative = {} if self._test.relative_to is None else {"relative_to": self._test.relative_to}
        self._test = TestModel.model_validate({**self.bounds, bound: value, **relative})

    def holds(self, values: Floats, look: Look, objects: Objects | None, classes: Sequence[str] = ()) -> Truth:
        """Whether values (one, or one per object) pass; those that are not finite are not known."""
        if self._reference is not None:
            values = _relative(values, self._reference, (self._key, "before"), look, objects)
        self.shown = values
        known = np.isfinite(values)
        with np.errstate(invalid="ignore"):
            passes = self._passes(values, classes)
            if self._latches:
                passes = self._latched(passes, self._stays(values), known, look, objects)
        return Truth.of(passes, known)

    def _passes(self, values: Floats, classes: Sequence[str]) -> npt.NDArray[np.bool_]:
        test = self._test
        if test.is_ is not None:
            wanted = test.is_ if isinstance(test.is_, list) else [test.is_]
            return np.isin(values, [_plain(one, classes) for one in wanted])
        passes = np.ones(values.shape, bool)
        for bound, compare in (
            (test.above, np.greater),
            (test.at_least, np.greater_equal),
            (test.below, np.less),
            (test.at_most, np.less_equal),
        ):
            if bound is not None:
                passes &= compare(values, bound)
        return passes

    def _stays(self, values: Floats) -> npt.NDArray[np.bool_]:
        test = self._test
        stays = np.ones(values.shape, bool)
        if test.until_below is not None:
            stays &= values >= test.until_below
        elif test.lower is not None:
            stays &= values > test.lower if test.above is not None else values >= test.lower
        if test.until_above is not None:
            stays &= values <= test.until_above
        elif test.upper is not None:
            stays &= values < test.upper if test.below is not None else values <= test.upper
        return stays

    def _latched(
        self,
        passes: npt.NDArray[np.bool_],
        stays: npt.NDArray[np.bool_],
        known: npt.NDArray[np.bool_],
        look: Look,
        objects: Objects | None,
    ) -> npt.NDArray[np.bool_]:
        """What holds already stays, as far as it may; what is not known stays as it was."""
        key = self._key, "held"
        tracked = objects is not None and objects.roster is not None and values_of(passes, objects)
        before = objects.recall(key, False, np.bool_) if tracked and objects else look.spot.field.get(key, False)
        now = np.where(known, passes | (before & stays), before)
        if tracked and objects is not None:
            objects.keep(key, False, now)
        else:
            look.spot.field[key] = bool(now.any()) if known.any() else before
        return now

    def words(self, name: str, at: int, classes: Sequence[str] = ()) -> str:
        """`score 0.93 is above 0.8`."""
        test = self._test
        value = float(self.shown if self.shown.ndim == 0 else self.shown[at])
        whole = int(value) if np.isfinite(value) and value == int(value) else -1
        is_class = bool(classes) and name.rpartition(".")[2] == "class" and 0 <= whole < len(classes)
        shown = classes[whole] if is_class else f"{value:.4g}"
        if test.is_ is not None:
            wanted = test.is_ if isinstance(test.is_, list) else [test.is_]
            if is_class or isinstance(test.is_, bool):
                return f"{name} is {shown if is_class else ('true' if value else 'false')}"
            return f"{name} {shown} is {' or '.join(map(str, wanted))}"
        parts = [f"{word.replace('_', ' ')} {bound:g}" for word in BOUNDS if (bound := getattr(test, word)) is not None]
        of = f" times {test.relative_to}" if test.relative_to is not None else ""
        return f"{name} {shown}{of} is {', '.join(parts)}"


def values_of(values: npt.NDArray[np.generic], objects: Objects | None) -> bool:
    """Whether there is a value for each object."""
    return objects is not None and values.ndim > 0


def _plain(wanted: bool | float | str, classes: Sequence[str]) -> float:
    if not isinstance(wanted, str):
        return float(wanted)
    if wanted not in classes:
        raise RuleError(f"found the class {wanted!r}, expected one of {', '.join(classes) or 'none'}")
    return float(classes.index(wanted))


def _relative(values: Floats, how: Reference, key: tuple[int, str], look: Look, objects: Objects | None) -> Floats:
    """Values over what they were before; the present ones are remembered for later."""
    per_object = values_of(values, objects)
    width = how.frames
    if per_object and objects is not None:
        ring = objects.recall(key, np.nan, tail=(width,))
        count = objects.recall((*key, "count"), 0, np.int64)
    else:
        ring, count = look.spot.field.get(key, (np.full((1, width), np.nan), np.zeros(1, np.int64)))
    told = np.atleast_1d(values)
    before = _statistic(ring, count, how)
    with np.errstate(divide="ignore", invalid="ignore"):
        answer = np.where((before != 0) & (count >= min(ENOUGH, width)), told / before, np.nan)
    known = np.flatnonzero(np.isfinite(told) & ((how.statistic != "first") | (count == 0)))
    ring, count = ring.copy(), count.copy()
    ring[known, count[known] % width] = told[known]
    count[known] += 1
    if per_object and objects is not None:
        objects.keep(key, np.nan, ring)
        objects.keep((*key, "count"), 0, count)
    else:
        look.spot.field[key] = ring, count
    return answer if values.ndim else answer.reshape(())


def _statistic(ring: Floats, count: npt.NDArray[np.int64], how: Reference) -> Floats:
    if how.statistic in ("highest", "lowest"):
        reduce = np.fmax.reduce if how.statistic == "highest" else np.fmin.reduce
        return np.asarray(reduce(ring, axis=1), np.float64)
    held = np.minimum(count, ring.shape[1])
    with np.errstate(invalid="ignore", divide="ignore"):
        mean: Floats = np.nansum(ring, axis=1) / held
    return mean
