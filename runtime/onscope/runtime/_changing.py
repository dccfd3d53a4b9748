"""What may be changed of a runtime while frames run."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ._changes import Change
from ._clock import now_ns
from ._errors import PipelineError, WorkerError
from ._keeper import Keeper
from ._live_path import LivePath, closed_error
from ._pipeline import Pipeline
from ._queued import Queued
from ._repeat import Changes, Repeat
from ._stage import Stage
from ._swap import Swapped, described, swapped_stage, swapped_words
from ._takeover import Takeover
from ._tune import Tunable, Tuned, changed_words, tunable, tune_message, tuned_stage
from .package import Package

FIRST_S = 1.0
"""How long a change waits for the first frame that it holds for."""


class Changing(Queued):
    """The part of `Runtime` that changes stages, and knows what holds; any thread may call its methods."""

    pipeline: Pipeline
    """As it is now."""
    _path: LivePath
    _one_swap: threading.Lock
    _keeper: Keeper | None
    _auto: frozenset[str]
    """Stages that choose their weights themselves."""

    @property
    def level(self) -> int:
        """How many steps of its budget are taken now; 0 without a budget."""
        governor = self._path.dispatcher.governor
        return 0 if governor is None else governor.level

    @property
    def statistics(self) -> list[dict[str, Any]]:
        """What `normalise: frozen` has frozen so far: camera, shape, channel, and the values in raw counts by name."""
        return [each for route in list(self._path.dispatcher.routes.values()) for each in route.statistics]

    @property
    def tunable(self) -> tuple[Tunable, ...]:
        """Numbers of decoders that `tune` may change, with their values now; those compiled into graphs are not."""
        return tuple(tunable(self.pipeline))

    def tune(self, stage: str, **settings: float) -> Tuned:
        """Change numbers of a stage's decoder: `tune("cells", threshold=0.4)`; windows that are sent later have them.

        Waits up to a second for the first of them, which the answer names; the event "tuned" does, too, whenever it
        comes. A result's `parameters` tell what was tuned as "setting threshold". A worker that comes after a death has
        the same. Raises PipelineError for what cannot be changed, or be such a value, WorkerError when the runtime is
        closed or has no worker any more; nothing is changed then.
        """
        change, before, after = self._tune(stage, settings)
        self._wait(change)
        return Tuned(stage, before, after, change.first)

    def swap(self, stage: str, package: Package | str | Path) -> Swapped:
        """Run another package of the same kind as a stage, from a window on that the answer names.

        It is compiled, opened and warmed up in a second worker beside the run, which takes minutes for some engines and
        the memory of two; then this worker takes over between two windows. Frames wait, or not, as the admission says,
        and every account is closed as ever. Settings that the pipeline states, and those that were tuned, go on; what
        networks remember, statistics that are frozen or running, and tracks begin anew. The event "swapped" says so,
        and the provenance of results. Raises PackageError, PipelineError, ProviderError for a package that cannot take
        the place, WorkerError when the runtime is closed or the second worker dies; the old one runs on then.
        """
        started, before, after = self._swap(stage, package)
        self._wait(started)
        return Swapped(stage, before, after, started.first)

    def repeat(self, changes: Changes) -> Repeat:
        """Have numbers and packages changed at the same frames as in a recorded run (`record.compare.changes_of`).

        To be called before the first frame; what it answers counts what was changed, and what could not be. A package
        is replaced while frames wait: meant for a replay, with an admission of `block`.
        """
        dispatcher = self._path.dispatcher

        def before(stage: str) -> str:
            return next((each.package.package_sha256 for each in self.pipeline.networks if each.name == stage), "")

        def go_on() -> None:
            with dispatcher.changed:
                dispatcher.pump()

        made = Repeat(changes, self._tune, before, self._swap, go_on)
        with dispatcher.changed:
            dispatcher.changes.script = made if changes else None
        return made

    def _tune(self, stage: str, settings: Mapping[str, float]) -> tuple[Change, dict[str, Any], dict[str, Any]]:
        path = self._path
        while True:
            pipeline = self.pipeline
            made, before = tuned_stage(pipeline, stage, settings)
            after = {name: made.settings[name] for name in before}
            change = Change("tuned", stage, changed_words(stage, before, after), path.tell)
            with path.dispatcher.changed:
                if self.pipeline is pipeline:  # else somebody else has changed it meanwhile
                    self._change(change)
                    self._replace(made)
                    path.supervisor.send(tune_message(made))
                    return change, before, after

    def _swap(self, stage: str, package: Package | str | Path) -> tuple[Change, str, str]:
        path, started = self._path, Change("swapped", stage, "", self._path.tell)
        if (governor := path.dispatcher.governor) is not None and governor.ways:
            raise PipelineError(
                f"found a swap of {stage!r} in a run whose budget has ways of its own open, expected one without: "
                "make a new Runtime, or leave out the steps roi, swap, precision and skip"
            )
        with self._one_swap:
            how = path.supervisor.terms.provider, stage in self._auto
            pipeline = self.pipeline
            made, before = swapped_stage(pipeline, stage, package, *how)

            def change() -> None:
                nonlocal made, before
                if self.pipeline is not pipeline:  # something was tuned meanwhile
                    made, before = swapped_stage(self.pipeline, stage, made.package, *how)
                started.words = swapped_words(made, before)
                self._change(started)
                self._replace(made)
                if self._keeper is not None:  # before the lanes are told that run it
                    self._keeper.notes.swap(described(now_ns(), made, before))

            Takeover(path.supervisor, path.dispatcher, made).run(change)
        return started, before.package.package_sha256, made.package.package_sha256

    def _change(self, change: Change) -> Change:
        """Have a change begin with the next window; called with the account's lock held. Raises WorkerError."""
        if self._path.closed:
            raise closed_error()
        if self._path.supervisor.broken:
            raise WorkerError(f"{self._path.supervisor.broken}: nothing can be changed any more, make a new Runtime")
        self._path.dispatcher.changes.pending.append(change)
        return change

    def _replace(self, stage: Stage) -> None:
        self.pipeline = self._path.cameras.pipeline = self.pipeline.replaced(stage)
        for route in self._path.dispatcher.routes.values():
            route.replace(stage)
        if (governor := self._path.dispatcher.governor) is not None:
            governor.replace(stage)

    def _wait(self, change: Change) -> None:
        changed = self._path.dispatcher.changed
        with changed:
            changed.wait_for(lambda: change.first is not None or self._path.closed, FIRST_S)
