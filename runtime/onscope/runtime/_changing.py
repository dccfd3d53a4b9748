"""What may be changed of a runtime while frames run."""

from __future__ import annotations

import threading

from ._changes import Change
from ._errors import WorkerError
from ._live_path import LivePath, closed_error
from ._pipeline import Pipeline
from ._stage import Stage
from ._tune import Tunable, Tuned, changed_words, tunable, tune_message, tuned_stage

FIRST_S = 1.0
"""How long a change waits for the first frame that it holds for."""


class Changing:
    """The part of `Runtime` that changes stages; any thread may call its methods."""

    pipeline: Pipeline
    """As it is now."""
    _path: LivePath
    _one_change: threading.Lock

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
        with self._one_change:
            made, before = tuned_stage(self.pipeline, stage, settings)
            after = {name: made.settings[name] for name in before}
            words = changed_words(stage, before, after)
            path = self._path
            with path.dispatcher.changed:
                change = self._change(Change("tuned", stage, words, path.tell))
                self._replace(made)
                path.supervisor.send(tune_message(made))
        self._wait(change)
        return Tuned(stage, before, after, change.first)

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

    def _wait(self, change: Change) -> None:
        changed = self._path.dispatcher.changed
        with changed:
            changed.wait_for(lambda: change.first is not None or self._path.closed, FIRST_S)
