"""Statistics of raw frames that the host computes and hands to a graph: per window, frozen or running."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from .._types import Note, Raw, Scalar, Statistic
from ._distribution import Counts, Distribution, distributions, merged
from ._groups import Group, Mean, Numbers, groups_of
from ._hot import hot_pixel, saturated

Pixels = npt.NDArray[Any]
KEPT_BYTES = 16 << 20
"""Histograms of frames that later windows may have too."""


class HostScalars:
    """The `scalars` of one compiled graph, for the windows of one lane. Called by one thread, once per window.

    `per_frame` (and `shared`) give every window its own values. `frozen` gives the mean over the windows so far, and
    from the `frozen_frames`-th on what that was: no flicker, and no frame is looked at any more. `running` gives the
    mean over the first `frozen_frames` windows so far, then an exponential mean over every fourth window, in which what
    is k windows ago has (1 - 1 / frozen_frames)**k of the weight of the newest.

    `full_scale` is the largest count of the camera's effective bit depth (None: not known). `warnings` has at most one
    line per stage and kind; `warn` is called with each as it is added.
    """

    def __init__(
        self,
        scalars: Sequence[Scalar],
        raw: Raw,
        *,
        full_scale: int | None = None,
        warn: Callable[[Note], None] | None = None,
    ) -> None:
        self._full_scale, self._warn = full_scale, warn
        self.groups = groups_of(scalars, raw)
        self._by_scalar = {at: group for group in self.groups for at in group.scalars}
        self._names = [(group.stages, group.names) for group in self.groups]
        self._given: list[Numbers] = [np.zeros(0)] * len(self.groups)
        self._only_frozen = bool(scalars) and all(each.normalise == "frozen" for each in scalars)
        self.warnings: list[Note] = []
        self._noted: set[tuple[str, str]] = set()
        self._frames: dict[Hashable, list[Distribution]] = {}
        self.reset()

    def reset(self) -> None:
        """Forget what was frozen and the running means, as at the start of an acquisition; warnings stay."""
        for group in self.groups:
            if group.normalise in ("frozen", "running"):
                group.mean = Mean(group.first, group.normalise == "running")
        self._held: list[npt.NDArray[np.float32]] | None = None
        self._told: dict[str, dict[str, float]] | None = None

    @property
    def frozen(self) -> bool:
        """Whether all frozen values are final; False while one is still being looked for, and without any."""
        wanted = [group.mean for group in self.groups if group.normalise == "frozen"]
        return bool(wanted) and all(mean.final for mean in wanted if mean)

    def final(self) -> list[list[float] | None]:
        """What was frozen, in raw counts, by scalar; None for those that are not frozen, or not yet."""
        means = [self._by_scalar[at].mean for at in range(len(self._by_scalar))]
        return [mean.numbers.tolist() if mean is not None and mean.final else None for mean in means]

    def restore(self, final: Sequence[Sequence[float] | None]) -> bool:
        """Go on with what `final` gave for the same scalars; False, and nothing is changed, when they are others."""
        groups = [self._by_scalar[at] for at in range(len(self._by_scalar))]
        if [values is not None for values in final] != [group.normalise == "frozen" for group in groups]:
            return False
        sizes = [group.size for group in groups]
        if any(values is not None and len(values) != size for values, size in zip(final, sizes, strict=True)):
            return False
        for group, values in zip(groups, final, strict=True):
            if group.mean is not None and values is not None:
                group.mean.seen, group.mean.numbers = group.mean.first, np.array(values, np.float64)
        return True

    def values(self, window: Sequence[Pixels], keys: Sequence[Hashable] | None = None) -> list[npt.NDArray[np.float32]]:
        """One float32 array per scalar, of its shape, in order.

        `window` holds the frames (y, x) or (y, x, s) of `raw`'s dtype. `keys` says who each of them is: a frame whose
        key was in one of the last windows is not counted again, as long as `KEPT_BYTES` hold what is known of it.
        Without keys all are, since slots are used again and an array alone does not tell one frame from the next.
        """
        if self._held is not None:
            return self._held
        self._told = None
        look = _Look(window, keys, self._frames)
        answers: list[Any] = [None] * len(self._by_scalar)
        for number, group in enumerate(self.groups):
            mean = group.mean
            if mean is None:
                self._given[number] = look.measure(group.frames, group.per, group.statistic)
                group.give(self._given[number], answers)
                self._check(look, group)
                continue
            if mean.next():
                mean.update(look.measure(group.frames, group.per, group.statistic))
                self._check(look, group)
            self._given[number] = mean.numbers
            group.give(mean.numbers, answers)
        if keys is not None:
            self._keep(look.kept())
        if self._only_frozen and self.frozen:
            self._held = answers
            self._frames = {}
        return answers

    def parameters(self) -> dict[str, dict[str, float]]:
        """What the last window's scalars were made of, in raw counts, by stage and name; `given` takes it again.

        Of values that are no window's own there is also "windows": how many windows came until now, and of frozen
        ones how many they are the mean of.
        """
        if self._told is None:
            told: dict[str, dict[str, float]] = {}
            for (stages, names), group, numbers in zip(self._names, self.groups, self._given, strict=True):
                values = dict(zip(names, numbers.ravel().tolist(), strict=True))
                if group.mean is not None:
                    values["windows"] = (
                        min(group.mean.seen, group.first) if group.normalise == "frozen" else group.mean.seen
                    )
                for stage in stages:
                    told.setdefault(stage, {}).update(values)
            self._told = told
        return self._told

    def given(self, parameters: Mapping[str, Mapping[str, float]]) -> list[npt.NDArray[np.float32]]:
        """The scalars of a window whose `parameters` are known: no frame is looked at, nothing is remembered.

        Raises KeyError (stage or name) when one is not among them.
        """
        answers: list[Any] = [None] * len(self._by_scalar)
        for (stages, names), group in zip(self._names, self.groups, strict=True):
            group.give(np.array([parameters[stages[0]][name] for name in names], np.float64), answers)
        return answers

    def _keep(self, frames: dict[Hashable, list[Distribution]]) -> None:
        # Windows of several places take turns, so that more is known than the last of them.
        for key, each in frames.items():
            self._frames.pop(key, None)
            self._frames[key] = each
        room = KEPT_BYTES - sum(_nbytes(each) for each in self._frames.values())
        while room < 0:
            room += _nbytes(self._frames.pop(next(iter(self._frames))))

    def _check(self, look: _Look, group: Group) -> None:
        for distribution in look.distributions(group.frames, group.per):
            if group.statistic.kind == "percentile" and not self._noted.issuperset(group.hot):
                self._note(group, "hot pixels", hot_pixel(distribution, group.statistic.percentile))
            if self._full_scale is not None and isinstance(distribution, Counts):
                self._note(group, "saturation", saturated(distribution, self._full_scale))

    def _note(self, group: Group, what: str, why: str) -> None:
        for stage in group.stages if why else ():
            if (stage, what) not in self._noted:
                self._noted.add((stage, what))
                self.warnings.append(Note("warning", stage, what, why))
                if self._warn is not None:
                    self._warn(self.warnings[-1])


class _Look:
    """One window, every frame of which is counted at most once."""

    def __init__(
        self, window: Sequence[Pixels], keys: Sequence[Hashable] | None, known: dict[Hashable, list[Distribution]]
    ) -> None:
        self._window = window
        self._keys: Sequence[Hashable] = [id(frame) for frame in window] if keys is None else keys
        self._frames = {key: known[key] for key in self._keys if key in known}
        self._joined: dict[tuple[tuple[int, ...], str], list[Distribution]] = {}

    def measure(self, frames: tuple[int, ...], per: str, statistic: Statistic) -> Numbers:
        return np.array([each.measure(statistic) for each in self.distributions(frames, per)])

    def kept(self) -> dict[Hashable, list[Distribution]]:
        """What the next window may use again: histograms of named frames, never views into their slots."""
        return {key: each for key, each in self._frames.items() if isinstance(each[0], Counts)}

    def distributions(self, frames: tuple[int, ...], per: str) -> list[Distribution]:
        """What the statistics of these frames are measured with."""
        if (frames, per) not in self._joined:
            parts = [self._frame(at) for at in frames]
            if per == "w":
                joined = [merged(part) for part in parts]
            elif per == "s":
                joined = [merged(part) for part in zip(*parts, strict=True)]
            else:
                joined = [merged([each for part in parts for each in part])]
            self._joined[frames, per] = joined
        return self._joined[frames, per]

    def _frame(self, at: int) -> list[Distribution]:
        key = self._keys[at]
        if key not in self._frames:
            self._frames[key] = distributions(self._window[at])
        return self._frames[key]


def _nbytes(known: list[Distribution]) -> int:
    """What histograms take, with their sums."""
    return sum(2 * each.counts.nbytes for each in known if isinstance(each, Counts))
