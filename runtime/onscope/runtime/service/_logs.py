"""Where the log "onscope" goes while a command runs: lines of JSON, or plain ones, to stderr."""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Literal, TextIO

from .._events import Event, log, to_log
from ._json_lines import JsonLines
from ._secrets import hide_secrets

LogFormat = Literal["text", "json"]


class _Plain(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return hide_secrets(super().format(record))


@contextmanager
def logging_to(format: LogFormat, stream: TextIO | None = None, run: Callable[[], str] = str) -> Iterator[None]:
    """Write what the log "onscope" and Python's warnings say to `stream` (None: stderr) while the block lasts.

    `run` tells the id of the run that goes on. Exceptions that end a thread are lines of the log too.
    """
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonLines(run) if format == "json" else _Plain("%(levelname)s %(message)s"))
    loggers = (log, logging.getLogger("py.warnings"))
    before = log.level, log.propagate, threading.excepthook
    log.setLevel(logging.INFO)
    log.propagate = False
    for each in loggers:
        each.addHandler(handler)
    logging.captureWarnings(True)
    threading.excepthook = _thread_died
    try:
        yield
    finally:
        threading.excepthook = before[2]
        logging.captureWarnings(False)
        for each in loggers:
            each.removeHandler(handler)
        log.setLevel(before[0])
        log.propagate = before[1]
        handler.flush()


def tell_log(event: Event) -> None:
    """An event as a record of the log "onscope"; `JsonLines` shows its parts."""
    to_log(event)


def note(event: str, message: str, *, camera: str = "", numbers: Any = None, level: int = logging.INFO) -> None:
    """A record of a service's own: what kind of event it is, in words, with numbers by name."""
    log.log(level, "%s", message, extra={"event": event, "camera": camera, "numbers": numbers})


def _thread_died(args: threading.ExceptHookArgs) -> None:
    if args.exc_type is SystemExit:
        return
    name = args.thread.name if args.thread is not None else "?"
    info = (args.exc_type, args.exc_value or args.exc_type(), args.exc_traceback)
    log.error("the thread %s ended: %s", name, args.exc_value, exc_info=info)
