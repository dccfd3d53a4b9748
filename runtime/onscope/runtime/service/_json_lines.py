"""Log records as JSON, one object per line: what journald, Loki or a script reads without guessing.

{"time": "2026-05-04T10:00:00.123456Z", "level": "warning", "event": "worker died", "message": "...",
 "run": "...", "camera": "...", "numbers": {...}}
"""

from __future__ import annotations

import json
import logging
import math
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from .._clock import now_ns
from .._events import Event
from ._secrets import hide_secrets

MAX_LINE_BYTES = 4096
"""With its end of line: what Linux writes to a pipe in one piece, so that lines of several processes do not mix."""
MAX_NUMBERS = 32
LONGEST = 16_384
"""Characters of a message that are looked at."""


class JsonLines(logging.Formatter):
    """Formats records of the logger "onscope", and others, as lines of at most MAX_LINE_BYTES - 1 ASCII characters.

    Every line is a JSON object with `time` (UTC, ISO 8601), `level` and `message`; `event` (the kind of an Event),
    `run`, `camera`, `numbers` (finite ones), `logger` (where it is not "onscope"), `traceback` and `cut` (characters
    that were left out) are there where there is something to say. `run` tells the id of the run that goes on ("" for
    none). It never raises: what cannot be formatted is shown as it is.
    """

    def __init__(self, run: Callable[[], str] = str) -> None:
        super().__init__()
        self._run = run

    def format(self, record: logging.LogRecord) -> str:
        event = getattr(record, "event", None)
        line = {"time": _time(record, event), "level": record.levelname.lower()}
        message = event.message if isinstance(event, Event) else _message(record)
        if isinstance(event, Event):
            line["event"] = event.kind
        elif isinstance(event, str):
            line["event"] = event
        line["message"] = message
        camera = event.camera if isinstance(event, Event) else getattr(record, "camera", "")
        line |= {name: str(words) for name, words in (("run", self._run_id()), ("camera", camera)) if words}
        if record.name != "onscope":
            line["logger"] = record.name
        numbers = event.numbers if isinstance(event, Event) else getattr(record, "numbers", None)
        if record.exc_info and record.exc_info[0] is not None:
            line["traceback"] = _traceback(self, record)
        return _bounded(line, _numbers(numbers))

    def _run_id(self) -> str:
        try:
            return self._run()
        except Exception:  # a line without its run is better than none
            return ""


def _time(record: logging.LogRecord, event: object) -> str:
    """When it happened: an event's moment, which is told a little later, or the record's."""
    seconds = record.created
    if isinstance(event, Event):
        seconds = time.time() - (now_ns() - event.at_ns) / 1e9
    try:
        moment = datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError):
        moment = datetime.fromtimestamp(0, UTC)
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except Exception:  # words and arguments that do not go together
        return f"{_shown(record.msg)} {_shown(record.args)}"


def _shown(value: object) -> str:
    try:
        return repr(value)
    except Exception:
        return f"<{type(value).__name__}>"


def _traceback(formatter: logging.Formatter, record: logging.LogRecord) -> str:
    try:
        assert record.exc_info
        return formatter.formatException(record.exc_info)
    except Exception:
        return "<a traceback that cannot be shown>"


def _numbers(numbers: object) -> dict[str, float | int]:
    """The finite numbers of a mapping by name; JSON knows no others."""
    if not isinstance(numbers, Mapping):
        return {}
    found: dict[str, float | int] = {}
    for name, value in list(numbers.items())[:MAX_NUMBERS]:
        if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 1 << 63:
            found[str(name)[:64]] = int(value)
        elif isinstance(value, float) and math.isfinite(value):
            found[str(name)[:64]] = float(value)
    return found


def _bounded(line: dict[str, str], numbers: Mapping[str, float]) -> str:
    """The line as JSON, cut until it fits: the message keeps its beginning, a traceback its end."""
    whole = {name: hide_secrets(words[:LONGEST]) for name, words in line.items()}
    whole["traceback"] = hide_secrets(line.get("traceback", "")[-LONGEST:])
    beyond = sum(max(0, len(words) - LONGEST) for words in line.values())
    for most in (LONGEST, 3000, 1000, 300, 100, 40):
        kept: dict[str, Any] = {name: words[:most] for name, words in whole.items()}
        kept["traceback"] = whole["traceback"][-most:]
        if cut := beyond + sum(map(len, whole.values())) - sum(map(len, kept.values())):
            kept["cut"] = cut
        if not kept["traceback"]:
            del kept["traceback"]
        if numbers and most >= 100:
            kept["numbers"] = dict(numbers)
        text = json.dumps(kept, ensure_ascii=True, allow_nan=False)
        if len(text) < MAX_LINE_BYTES:
            return text
    raise AssertionError("40 characters of each of seven fields, twelve bytes each, are shorter than a line")
