"""The watchdog: looks after all that feedback stands on, takes the hold when something stops, and makes safe."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import Protocol

from ..._clock import now_ns
from ..._events import log
from ._hold import Heartbeat, Hold

LOOK_S = 0.05
Check = Callable[[], str]
"""A sentence that says what is wrong; empty: nothing."""


class Watchdog:
    """A thread of its own. `checks` are asked every 50 ms; the first that says something has the hold taken.

    `heartbeat` beats only while nothing is held and the looks go on: whatever hangs this thread stops it too. In shadow
    mode it always does, since nothing may change then.
    """

    def __init__(self, hold: Hold, checks: Iterable[Check], heartbeat: Heartbeat | None) -> None:
        self._hold, self._checks, self._heartbeat = hold, list(checks), heartbeat
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, name="onscope-feedback-watchdog", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._end.set()
        self._hold.news.set()  # it waits for that
        if threading.current_thread() is not self._thread:
            self._thread.join(2.0)

    def _run(self) -> None:
        while not self._end.is_set():
            self._hold.news.wait(LOOK_S)
            self._hold.news.clear()
            if self._end.is_set():
                return
            if not self._hold.reason:
                self._look()
            self._hold.make_safe()
            if self._heartbeat is not None and (not self._hold.reason or not self._hold.acts):
                self._beat(self._heartbeat)

    def _look(self) -> None:
        for check in self._checks:
            try:
                words = check()
            except Exception as error:  # a watchdog that ends is none
                words = f"a check failed: {error!r}"
            if words:
                self._hold.take(words)
                return

    def _beat(self, heartbeat: Heartbeat) -> None:
        try:
            heartbeat.beat()
        except Exception:  # then its hardware closes the shutter, as it should
            log.exception("the heartbeat failed")


class Frames(Protocol):
    """When frames were handed over that no result came after."""

    @property
    def waiting_ns(self) -> int: ...


def results_come(frames: Frames, patience_s: float) -> Check:
    """No result for so long while frames are taken."""

    def check() -> str:
        since = frames.waiting_ns
        waited_s = (now_ns() - since) / 1e9 if since else 0.0
        return f"no result came for {waited_s:.1f} s, while frames are taken" if waited_s > patience_s else ""

    return check


def rules_answer(asked_ns: Callable[[], int], patience_s: float) -> Check:
    """The rules were asked so long ago, and said nothing."""

    def check() -> str:
        since = asked_ns()
        waited_s = (now_ns() - since) / 1e9 if since else 0.0
        return f"the rules gave no answer for {waited_s:.1f} s" if waited_s > patience_s else ""

    return check


class WorkerLife:
    """Whether the runtime's worker lives, by the events that the runtime tells."""

    def __init__(self, patience_s: float) -> None:
        self._patience_s = patience_s
        self._died_ns = 0
        self._gone = ""

    def heard(self, kind: str, words: str) -> None:
        """An event of the runtime."""
        if kind == "worker died":
            self._died_ns = self._died_ns or now_ns()
        elif kind in ("worker back", "ready"):
            self._died_ns = 0
        elif kind == "worker gone":
            self._gone = words

    def seen(self) -> None:
        """A result came."""
        self._died_ns = 0

    def check(self) -> str:
        if self._gone:
            return f"the worker is gone: {self._gone}"
        since = self._died_ns
        down_s = (now_ns() - since) / 1e9 if since else 0.0
        return f"the worker died, and is not back after {down_s:.1f} s" if down_s > self._patience_s else ""
