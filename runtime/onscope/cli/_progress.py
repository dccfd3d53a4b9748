"""A bar for what takes long, in a terminal; elsewhere a line now and then."""

from __future__ import annotations

import time
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

EVERY_S = 30.0
"""Elsewhere than in a terminal, a line is printed so often; what is quicker prints nothing."""


class Bar:
    """A context manager; `tell` may be called for every step of the work."""

    def __init__(self, console: Console) -> None:
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        self._progress = Progress(*columns, console=console, transient=True) if console.is_terminal else None
        self._console, self._told_s = console, time.monotonic()
        self._task = None if self._progress is None else self._progress.add_task("", total=None)

    def __enter__(self) -> Bar:
        if self._progress is not None:
            self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._progress is not None:
            self._progress.stop()

    def tell(self, step: str, done: int, whole: int) -> None:
        """What is done now, how much of it, and of how much (0: not known)."""
        if self._progress is not None and self._task is not None:
            self._progress.update(self._task, description=step, completed=done, total=whole or None)
        elif time.monotonic() - self._told_s >= EVERY_S:
            self._told_s = time.monotonic()
            how_far = f": {done} of {whole}" if whole else f": {done}" if done else ""
            self._console.print(f"{step}{how_far}", highlight=False, soft_wrap=True)
