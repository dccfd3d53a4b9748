"""Statistics of raw frames that the host computes and hands to a graph: per window, frozen or running."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from .._types import Normalise, Note, Raw, Scalar, Statistic
from ._distribution import Counts, Distribution, distributions, merged
from ._hot import hot_pixel, saturated

Pixels = npt.NDArray[Any]
Numbers = npt.NDArray[np.float64]
Found = tuple[tuple[int, ...], str, Statistic]
"""Frames, along what the values differ, and which statistic: the same for all scalars that share a measurement."""
EVERY = 4
"""A running mean that has begun looks at every fourth window: a look costs as much as the rest of the host's work."""


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
        self._scalars, self._full_scale, self._warn = tuple(scalars), full_scale, warn
        self._found: tuple[Found, ...] = tuple(
            (tuple(at % raw.length for at in each.frames), each.per, replace(each.statistic, part="value", keeps=()))
            for each in self._scalars
        )
        self._looked_at = {(each.stage, found) for each, found in zip(self._scalars, self._found, strict=True)}
        self.warnings: list[Note] = []
        self._frames: dict[Hashable, list[Distribution]] = {}
        self.reset()

    def reset(self) -> None:
        """Forget what was frozen and the running means, as at the start of an acquisition; warnings stay."""
        self._means: dict[tuple[Found, Normalise, int], _Mean] = {}
        self._held: list[npt.NDArray[np.float32]] | None = None

    @property
    def frozen(self) -> bool:
        """Whether all frozen values are final; False while one is still being looked for, and without any."""
        wanted = [self._mean(at) for at, each in enumerate(self._scalars) if each.normalise == "frozen"]
        return bool(wanted) and all(mean.final for mean in wanted if mean)

    def final(self) -> list[list[float] | None]:
        """What was frozen, in raw counts, by scalar; None for those that are not frozen, or not yet."""
        means = [self._mean(at) for at in range(len(self._scalars))]
        return [mean.numbers.tolist() if mean is not None and mean.final else None for mean in means]

    def restore(self, final: Sequence[Sequence[float] | None]) -> bool:
        """Go on with what `final` gave for the same scalars; False, and nothing is changed, when they are others."""
        wanted = [each.normalise == "frozen" for each in self._scalars]
        if [values is not None for values in final] != wanted:
            return False
        sizes = [int(np.prod(each.shape)) for each in self._scalars]
        if any(values is not None and len(values) != size for values, size in zip(final, sizes, strict=True)):
            return False
        for at, values in enumerate(final):
            mean = self._mean(at)
            if mean is not None and values is not None:
                mean.seen, mean.numbers = mean.first, np.array(values, np.float64)
        return True

    def values(self, window: Sequence[Pixels], keys: Sequence[Hashable] | None = None) -> list[npt.NDArray[np.float32]]:
        """One float32 array per scalar, of its shape, in order.

        `window` holds the frames (y, x) or (y, x, s) of `raw`'s dtype. `keys` says who each of them is: a frame whose
        key was in one of the last windows is not counted again, as long as `KEPT_BYTES` hold what is known of it.
        Without keys all are, since slots are used again and an array alone does not tell one frame from the next.
        """
        if self._held is not None:
            return self._held
        look = _Look(window, keys, self._frames)
        answers, updated = [], set[tuple[Found, Normalise, int]]()
        for at, scalar in enumerate(self._scalars):
            mean, key = self._mean(at), (self._found[at], scalar.normalise, scalar.frozen_frames)
            if mean is None:
                numbers = look.measure(self._found[at])
            else:
                if key not in updated and mean.next():
                    mean.update(look.measure(self._found[at]))
                updated.add(key)
                numbers = mean.numbers
            answers.append(_as_input(scalar, numbers))
        self._check(look)
        self._keep(look.kept())
        if self.frozen and all(each.normalise == "frozen" for each in self._scalars):
            self._held = answers
            self._frames = {}
        return answers

    def _keep(self, frames: dict[Hashable, list[Distribution]]) -> None:
        # Windows of several places take turns, so that more is known than the last of them.
        for key, each in frames.items():
            self._frames.pop(key, None)
            self._frames[key] = each
        room = KEPT_BYTES - sum(_nbytes(each) for each in self._frames.values())
        while room < 0:
            room += _nbytes(self._frames.pop(next(iter(self._frames))))

    def _mean(self, at: int) -> _Mean | None:
        scalar = self._scalars[at]
        if scalar.normalise not in ("frozen", "running"):
            return None
        key = (self._found[at], scalar.normalise, scalar.frozen_frames)
        return self._means.setdefault(key, _Mean(max(1, scalar.frozen_frames), scalar.normalise == "running"))

    def _check(self, look: _Look) -> None:
        for stage, found in self._looked_at:
            for distribution in look.looked_at(found):
                if found[2].kind == "percentile" and not self._noted(stage, "hot pixels"):
                    self._note(stage, "hot pixels", hot_pixel(distribution, found[2].percentile))
                if self._full_scale is not None and isinstance(distribution, Counts):
                    self._note(stage, "saturation", saturated(distribution, self._full_scale))

    def _noted(self, stage: str, what: str) -> bool:
        return any((known.stage, known.what) == (stage, what) for known in self.warnings)

    def _note(self, stage: str, what: str, why: str) -> None:
        if why and not self._noted(stage, what):
            self.warnings.append(Note("warning", stage, what, why))
            if self._warn is not None:
                self._warn(self.warnings[-1])


@dataclass
class _Mean:
    """Mean over the first `first` windows; after them the same for ever, or (`running`) an exponential one."""

    first: int
    running: bool
    seen: int = 0
    numbers: Numbers = field(default_factory=lambda: np.zeros(0))

    @property
    def final(self) -> bool:
        return not self.running and self.seen >= self.first

    def next(self) -> bool:
        """Count one window more; whether it is to be looked at, and `update` called."""
        if self.final:
            return False
        self.seen += 1
        return self.seen <= self.first or (self.seen - self.first) % EVERY == 1

    def update(self, numbers: Numbers) -> None:
        if not self.numbers.size:
            self.numbers = numbers
            return
        weight = 1 / self.seen if self.seen <= self.first else 1 - (1 - 1 / self.first) ** EVERY
        self.numbers = self.numbers + (numbers - self.numbers) * weight


class _Look:
    """One window, every frame of which is counted at most once."""

    def __init__(
        self, window: Sequence[Pixels], keys: Sequence[Hashable] | None, known: dict[Hashable, list[Distribution]]
    ) -> None:
        self._window = window
        self._named = keys is not None
        self._keys: Sequence[Hashable] = [id(frame) for frame in window] if keys is None else keys
        self._frames = {key: known[key] for key in self._keys if key in known}
        self._joined: dict[tuple[tuple[int, ...], str], list[Distribution]] = {}
        self._measured: dict[Found, Numbers] = {}

    def measure(self, found: Found) -> Numbers:
        if found not in self._measured:
            frames, per, statistic = found
            self._measured[found] = np.array([each.measure(statistic) for each in self._distributions(frames, per)])
        return self._measured[found]

    def looked_at(self, found: Found) -> list[Distribution]:
        """The distributions that the statistic was measured with."""
        frames, per, _ = found
        return self._joined[frames, per] if found in self._measured else []

    def kept(self) -> dict[Hashable, list[Distribution]]:
        """What the next window may use again: histograms of named frames, never views into their slots."""
        return {key: each for key, each in self._frames.items() if self._named and isinstance(each[0], Counts)}

    def _distributions(self, frames: tuple[int, ...], per: str) -> list[Distribution]:
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


def _as_input(scalar: Scalar, numbers: Numbers) -> npt.NDArray[np.float32]:
    exact = numbers * scalar.gain + (0.0 if scalar.statistic.kind == "std" else scalar.offset)
    near = exact.astype(np.float32)
    if scalar.statistic.part == "rest":
        near = (exact - near).astype(np.float32)
    return near.reshape(scalar.shape)
