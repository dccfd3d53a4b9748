"""Sends words to their targets, one after the other, in a thread of its own."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..._events import log
from ..journal import plain
from ._post import post
from ._run import run
from ._targets import CommandTarget, Webhook, target_of

MOST_WAITING = 100
TIMEOUT_S = 5.0


class Notifier:
    """Tells `targets` (by name: one address of this machine, or a program and its arguments, as the limits have them).

    `send` returns at once, from any thread, and never raises for what a target does: `tell` hears of each failure as a
    sentence, from the sending thread; `sent` and `failed` count. A target has `timeout_s` for each of its words. Raises
    RuleError for a target that is neither a webhook on the loopback nor a command.
    """

    def __init__(
        self,
        targets: Mapping[str, Sequence[str]],
        *,
        timeout_s: float = TIMEOUT_S,
        tell: Callable[[str], object] = log.warning,
    ) -> None:
        self._targets = {name: target_of(name, words) for name, words in targets.items()}
        self.sent = self.failed = 0
        self._timeout_s = timeout_s
        self._tell = tell
        self._changed = threading.Condition()
        self._waiting: deque[tuple[str, str, Mapping[str, Any]]] = deque()
        self._busy = self._closing = False
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Notifier:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def send(self, target: str, words: str, about: Mapping[str, Any] | None = None) -> bool:
        """Have `words` told soon, in order; whether they will be. `about` goes into a webhook's JSON beside them.

        False for a target that is not there, when too much waits already, or after `close`.
        """
        with self._changed:
            if target not in self._targets or self._closing or len(self._waiting) >= MOST_WAITING:
                self.failed += 1
                return False
            self._waiting.append((target, words, dict(about or {})))
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="onscope-notify", daemon=True)
                self._thread.start()
            self._changed.notify_all()
            return True

    def drain(self, timeout_s: float) -> bool:
        """Wait until all was told; whether it was."""
        with self._changed:
            return self._changed.wait_for(lambda: not (self._waiting or self._busy), timeout_s)

    def close(self, timeout_s: float = TIMEOUT_S) -> None:
        """Tell what waits, for `timeout_s` at most, then no more."""
        self.drain(timeout_s)
        with self._changed:
            self._closing = True
            self.failed += len(self._waiting)
            self._waiting.clear()
            self._changed.notify_all()
        if self._thread is not None and threading.current_thread() is not self._thread:
            self._thread.join(self._timeout_s)

    def _run(self) -> None:
        while True:
            with self._changed:
                self._busy = False
                self._changed.notify_all()
                self._changed.wait_for(lambda: self._waiting or self._closing)
                if not self._waiting:
                    return
                name, words, about = self._waiting.popleft()
                self._busy = True
            try:
                self._deliver(self._targets[name], words, about)
            except Exception as error:  # whatever another's program does: the next words are for someone else
                with self._changed:
                    self.failed += 1
                self._complain(f"{name} was not told: {getattr(error, 'strerror', None) or error}")
            else:
                with self._changed:
                    self.sent += 1

    def _deliver(self, target: Webhook | CommandTarget, words: str, about: Mapping[str, Any]) -> None:
        if isinstance(target, Webhook):
            post(target, plain({"words": words, **about}), self._timeout_s)
        else:
            run(target.arguments, words, self._timeout_s)

    def _complain(self, sentence: str) -> None:
        try:
            self._tell(sentence)
        except Exception:  # it is the user's code, and no reason to end anything
            log.exception("that words could not be delivered could not be told")
