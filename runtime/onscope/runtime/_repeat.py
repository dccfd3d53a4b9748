"""What was changed in mid-run, changed again at the same frames: for a replay that is held against its recording."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from ._errors import OnscopeError
from ._frame import FrameId
from .package import Package

NOTHING: Mapping[str, Mapping[str, float]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Replacement:
    """Of a stage's package, once; `package` None: it is not at hand, and `why`."""

    stage: str
    before_sha256: str
    package: Package | None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Changes:
    """What was changed of a run. `numbers` are those that were tuned, by frame, stage and name, of frames that any held
    for; `epochs` how many of the `replacements` came before a frame (none: not told). `left_out`: frames whose answers
    cannot come out as they did, and why.
    """

    numbers: Mapping[FrameId, Mapping[str, Mapping[str, float]]]
    replacements: Sequence[Replacement] = ()
    epochs: Mapping[FrameId, int] = field(default_factory=lambda: MappingProxyType({}))
    left_out: Mapping[FrameId, str] = field(default_factory=lambda: MappingProxyType({}))

    def __bool__(self) -> bool:
        return bool(self.numbers or self.replacements)


class Repeat:
    """Asked before each window is sent, with the account's lock held: whether it may be.

    `tune(stage, settings)` changes numbers at once, `before(stage)` tells the sha256 of the package in use, `swap`
    replaces it and may take long, and `go_on` is called when windows may be sent again.
    """

    def __init__(
        self,
        changes: Changes,
        tune: Callable[[str, Mapping[str, float]], object],
        before: Callable[[str], str],
        swap: Callable[[str, Package], object],
        go_on: Callable[[], object],
    ) -> None:
        self.left_out: dict[FrameId, str] = dict(changes.left_out)
        """Frames whose answers are not those of the run, and why; it grows."""
        self.tuned = self.swapped = 0
        """How often either was changed."""
        self._changes = changes
        self._tune, self._before, self._swap, self._go_on = tune, before, swap, go_on
        self._now: dict[str, Mapping[str, float]] = {}
        self._refused: dict[str, str] = {}
        """Why a stage is not as it was, by its name."""
        self._epoch = 0
        self._changing = False
        first: dict[str, str] = {}
        for each in changes.replacements:
            first.setdefault(each.stage, each.before_sha256)
        self.others = frozenset(stage for stage, sha256 in first.items() if before(stage) != sha256)
        """Stages that run another package than the run's began with: theirs are not replaced."""

    def __call__(self, who: FrameId) -> bool:
        if self._changing:
            return False
        epoch = self._changes.epochs.get(who, self._epoch)
        if epoch > self._epoch:
            self._changing = True
            threading.Thread(target=self._replace, args=(epoch,), name="onscope-repeat", daemon=True).start()
            return False
        if epoch < self._epoch:
            self.left_out.setdefault(who, "a package that was replaced after it is in use already")
        self._set_numbers(who)
        if self._refused:
            self.left_out.setdefault(who, "; ".join(self._refused.values()))
        return True

    def _set_numbers(self, who: FrameId) -> None:
        told = self._changes.numbers.get(who, NOTHING)
        for stage, settings in told.items():
            if settings == self._now.get(stage):
                continue
            try:
                self._tune(stage, settings)
            except OnscopeError as error:
                self._refused[stage] = f"what was tuned of {stage} cannot be set here ({error})"
            else:
                self.tuned += 1
            self._now[stage] = settings

    def _replace(self, epoch: int) -> None:
        for each in self._changes.replacements[self._epoch : epoch]:
            if each.stage in self.others:
                continue
            self._refused.pop(each.stage, None)
            if each.package is None:
                self._refused[each.stage] = each.why
            elif self._before(each.stage) != each.package.package_sha256:
                try:
                    self._swap(each.stage, each.package)
                    self.swapped += 1
                except Exception as error:  # whatever it is: frames wait for this
                    self._refused[each.stage] = f"the package {each.package.name} did not take its place ({error})"
        self._epoch, self._changing = epoch, False
        self._go_on()
