"""The action `swap`: another package in a stage's place, prepared while the run goes on."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from onscope.runtime import Event, OnscopeError, PipelineError

from ._can import Swaps

MOST_WORD = 200


class Swapping:
    """Called with the fields of a viewer's message; `packages`: stage and package by the names that the user gave.

    It returns at once: preparing takes a while, and others may want to act meanwhile. The runtime's event "swapped"
    tells when it is done, a warning what went wrong; `done` is called then.
    """

    def __init__(
        self, runtime: Swaps, packages: Mapping[str, tuple[str, str | Path]], done: Callable[[], object]
    ) -> None:
        self._runtime, self._packages, self._done = runtime, dict(packages), done
        self._one = threading.Lock()

    def __call__(self, fields: dict[str, Any]) -> Mapping[str, Any]:
        """Raises PipelineError for a package that was not given, or while another one is being prepared."""
        stage, name = word_of(fields, "stage"), word_of(fields, "package")
        able = [each for each, (of, _) in self._packages.items() if of == stage]
        if name not in able:
            raise PipelineError(
                f"found the package {name!r} for the stage {stage!r}, expected one of {', '.join(able) or '(none)'}: "
                "those that were given with --swap"
            )
        if not self._one.acquire(blocking=False):
            raise PipelineError("found another package that is being prepared, expected one at a time: ask again later")
        package = self._packages[name][1]
        threading.Thread(target=self._swap, args=(stage, name, package), name="onscope-swap", daemon=True).start()
        return {"words": f"{name} is prepared for {stage}, and takes its place then"}

    def _swap(self, stage: str, name: str, package: str | Path) -> None:
        try:
            self._runtime.swap(stage, package)
            self._done()
        except Exception as error:  # broad on purpose: nobody else in this thread would tell of it
            words = str(error) if isinstance(error, OnscopeError) else repr(error)
            self._runtime.tell(Event("warning", f"{name} was not put in the place of {stage}: {words}"))
        finally:
            self._one.release()


def word_of(fields: Mapping[str, Any], name: str) -> str:
    """A name in a viewer's message; raises PipelineError when it is none."""
    word = fields.get(name)
    if not isinstance(word, str) or len(word) > MOST_WORD:
        raise PipelineError(f"found no {name} in what a viewer asked for, expected its name")
    return word
