"""Log lines as JSON: each parses whatever it says, is short enough for one write, and shows no secret."""

from __future__ import annotations

import io
import json
import logging
import re
import sys
import threading
import warnings
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onscope.runtime import Event
from onscope.runtime.service import MAX_LINE_BYTES, JsonLines, hide_secrets, keep_secret, logging_to, note, tell_log

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")
odd = st.text("\x00\ud800\U0001f52c\\\n", min_size=1, max_size=5)
anything = st.text(st.characters(), max_size=50) | st.builds(lambda text, n: text * n, odd, st.integers(1, 20_000))
scalars = st.integers() | st.floats() | st.booleans() | anything | st.none() | st.binary(max_size=8)


class Unshowable:
    def __str__(self) -> str:
        raise RuntimeError("not to be shown")

    __repr__ = __str__


def parsed(line: str) -> dict[str, Any]:
    """The line, when it is one that strict readers take."""
    assert len(line.encode()) < MAX_LINE_BYTES
    assert line.isascii()
    assert "\n" not in line

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is not JSON")

    found: dict[str, Any] = json.loads(line, parse_constant=refuse)
    assert TIME.fullmatch(found["time"])
    assert found["level"] in {"debug", "info", "warning", "error", "critical"}
    assert isinstance(found["message"], str)
    return found


@settings(deadline=None, max_examples=300)
@given(
    message=scalars | st.builds(Unshowable),
    args=st.lists(scalars | st.builds(Unshowable), max_size=3),
    level=st.sampled_from([logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR]),
    extra=st.fixed_dictionaries(
        {}, optional={"event": scalars, "camera": scalars, "numbers": scalars | st.dictionaries(anything, scalars)}
    ),
    run=anything,
)
def test_every_record_is_a_line_that_parses(
    message: Any, args: list[Any], level: int, extra: dict[str, Any], run: str
) -> None:
    record = logging.LogRecord("onscope", level, "file.py", 1, message, tuple(args), None)
    record.__dict__.update(extra)
    parsed(JsonLines(lambda: run).format(record))


@settings(deadline=None, max_examples=200)
@given(message=anything, camera=anything, at_ns=st.integers(-(2**70), 2**70), number=st.floats())
def test_every_event_is_a_line_that_parses(message: str, camera: str, at_ns: int, number: float) -> None:
    event = Event("worker died", message, at_ns, camera, {"frames": number})
    record = logging.LogRecord("onscope", logging.WARNING, "", 0, "", (), None)
    record.event = event
    found = parsed(JsonLines().format(record))
    assert found["event"] == "worker died"
    if len(message) < 40 and len(camera) < 40 and hide_secrets(message) == message:
        assert found["message"] == message
        assert "cut" not in found


@settings(deadline=None)
@given(words=odd, times=st.integers(0, 10_000), trace=odd, more=st.integers(0, 10_000))
def test_what_is_cut_is_counted_and_a_traceback_keeps_its_end(words: str, times: int, trace: str, more: int) -> None:
    words, trace = words * times, trace * more
    try:
        raise ValueError(trace)
    except ValueError:
        record = logging.LogRecord("onscope", logging.ERROR, "", 0, "%s", (words,), sys.exc_info())
    whole = logging.Formatter().formatException(record.exc_info)  # type: ignore[arg-type]
    found = parsed(JsonLines().format(record))
    assert words.startswith(found["message"])
    assert whole.endswith(found["traceback"])
    left_out = len(words) + len(whole) - len(found["message"]) - len(found["traceback"])
    assert found.get("cut", 0) == left_out


def test_an_events_parts_are_fields() -> None:
    stream = io.StringIO()
    with logging_to("json", stream, lambda: "run-1"):
        tell_log(Event("worker died", "killed by signal 9", camera="Cam", numbers={"frames": 2, "nan": float("nan")}))
        note("metrics", "at port 1")
    died, told = map(parsed, stream.getvalue().splitlines())
    assert died["numbers"] == {"frames": 2}
    assert {**died, "time": "", "numbers": {}} == {
        "time": "",
        "level": "warning",
        "event": "worker died",
        "message": "killed by signal 9",
        "run": "run-1",
        "camera": "Cam",
        "numbers": {},
    }
    assert (told["level"], told["event"]) == ("info", "metrics")


def test_an_events_time_is_its_own_and_not_that_of_its_telling() -> None:
    event = Event("ready", "")
    early = Event("ready", "", event.at_ns - 3_600_000_000_000)
    stream = io.StringIO()
    with logging_to("json", stream):
        tell_log(event)
        tell_log(early)
    now, before = (parsed(line)["time"] for line in stream.getvalue().splitlines())
    assert before < now


def test_warnings_and_threads_that_die_are_lines_too() -> None:
    stream = io.StringIO()

    def fail() -> None:
        raise ValueError("in a thread\nof two lines")

    with logging_to("json", stream):
        warnings.warn("old\nnews", stacklevel=1)
        thread = threading.Thread(target=fail, name="the-one")
        thread.start()
        thread.join()
    warned, died = map(parsed, stream.getvalue().splitlines())
    assert warned["logger"] == "py.warnings"
    assert "the-one ended" in died["message"]
    assert died["traceback"].endswith("ValueError: in a thread\nof two lines")


def test_the_log_is_as_it_was_afterwards() -> None:
    log, hook = logging.getLogger("onscope"), threading.excepthook
    before = log.level, log.propagate, list(log.handlers)
    with logging_to("json", io.StringIO()):
        assert log.handlers != before[2]
    assert (log.level, log.propagate, list(log.handlers)) == before
    assert threading.excepthook is hook


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("worker at tcp://box:7431#KEY+/=", "worker at tcp://box:7431#***"),
        ("view: http://h:1/#token=abcd and more", "view: http://h:1/#*** and more"),
        ("?token=abc&x=1", "?token=***&x=1"),
        ("ONSCOPE_VIEW_TOKEN=abc", "ONSCOPE_VIEW_TOKEN=***"),
        ('{"password": "abc"}', '{"password": "***"}'),
        ("Authorization: Bearer abc", "Authorization: Bearer ***"),
        ("frame #3 of tcp://box:7431", "frame #3 of tcp://box:7431"),
        ("2 tokens: none", "2 tokens: none"),
    ],
)
def test_secrets_are_not_shown(text: str, shown: str) -> None:
    assert hide_secrets(text) == shown


@settings(deadline=None)
@given(before=anything, after=anything, plain=st.booleans())
def test_a_known_secret_is_in_no_line(before: str, after: str, plain: bool) -> None:
    secret = "s3cr3t-0f-th3-b0x"
    keep_secret(secret, None, "")
    stream = io.StringIO()
    with logging_to("text" if plain else "json", stream):
        note("ready", before + secret + after)
    assert secret not in stream.getvalue()
    assert "***" in stream.getvalue() or len(before) > 100
