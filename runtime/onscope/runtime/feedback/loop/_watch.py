"""What the loop watches besides its own parts: a live view, a second program, a person's button."""

from __future__ import annotations

import psutil

from ..._clock import now_ns


class Watch:
    """One of them; made by `Feedback.watch`. A context manager: leaving it in order is not a failure.

    With `within_s` it has to `beat` at least so often; with `pid` that process has to live.
    """

    def __init__(self, name: str, within_s: float | None, pid: int | None) -> None:
        self.name = name
        self._within_s, self._pid = within_s, pid
        self._process = None if pid is None else psutil.Process(pid)
        self._last_ns = now_ns()
        self._closed = False
        self._failure = ""

    def beat(self) -> None:
        """All is well with it; from any thread."""
        self._last_ns = now_ns()

    def close(self) -> None:
        """It needs no watching any more."""
        self._closed = True

    @property
    def closed(self) -> bool:
        return self._closed

    def trouble(self) -> str:
        """What is wrong with it, as a sentence; empty: nothing."""
        if self._closed:
            return ""
        if self._failure:
            return self._failure
        if self._process is not None and not _lives(self._process):
            return f"{self.name} died (process {self._pid})"
        silent_s = (now_ns() - self._last_ns) / 1e9
        if self._within_s is not None and silent_s > self._within_s:
            return f"{self.name} was silent for {silent_s:.1f} s, expected a sign of life every {self._within_s:g} s"
        return ""

    def __enter__(self) -> Watch:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if error is None:
            self.close()
        else:
            self._failure = f"{self.name} failed: {error!r}"


def _lives(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False
