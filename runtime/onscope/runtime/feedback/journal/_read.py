"""Reads a journal: tolerant of its end, which a crash may have torn, and strict about everything before it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from ..._errors import RecordError
from ._entry import Story
from ._lines import SCHEMA
from ._plain import numbers_back
from ._told import Told

LONGEST_LINE = 64 << 20
MOST_LINES = 5_000_000


def read_journal(path: str | Path) -> Story:
    """The journal at `path`, also of a run that is under way or was killed: a sequence of Entry.

    A last line that was cut off is told in `torn`. Raises RecordError, with the line's number, for anything else.
    """
    path = Path(path)
    try:
        with open(path, "rb") as file:
            return _story(path, file)
    except OSError as error:
        raise RecordError(
            f"found that {path} cannot be read ({error.strerror or error}), expected a journal: look at its path"
        ) from error


def _story(path: Path, file: BinaryIO) -> Story:
    told: Told | None = None
    torn = None
    for number, line, whole in _lines(path, file):
        try:
            held = _parsed(line)
        except (ValueError, RecursionError) as error:
            if not whole:
                torn = f"line {number} was cut off after {len(line)} bytes, and is left out"
                break
            raise _wrong(path, number, f"found what is no JSON ({error})") from error
        try:
            if told is None:
                told = _first(held)
            else:
                told.add(held)
        except ValueError as error:
            raise _wrong(path, number, str(error)) from error
    if told is None:
        raise RecordError(
            f"found {path} without a whole first line, expected a journal of onscope: the run ended before it began"
        )
    return told.story(path, torn)


def _first(held: dict[str, Any]) -> Told:
    if held.get("line") != "journal":
        raise ValueError(f"found {str(held.get('line'))[:40]!r} as what the first line is, expected 'journal'")
    if held.get("schema") != SCHEMA:
        raise ValueError(
            f"found schema {str(held.get('schema'))[:40]}, expected {SCHEMA}: a newer onscope wrote it, and can read it"
        )
    return Told(held)


def _lines(path: Path, file: BinaryIO) -> Iterator[tuple[int, bytes, bool]]:
    """Number (from 1), content and whether its end is there, of each line."""
    number = 0
    while line := file.readline(LONGEST_LINE + 1):
        number += 1
        if len(line) > LONGEST_LINE:
            raise _wrong(path, number, f"found a line of more than {LONGEST_LINE >> 20} MB")
        if number > MOST_LINES:
            raise _wrong(path, number, f"found more than {MOST_LINES:,} lines")
        yield number, line, line.endswith(b"\n")


def _parsed(line: bytes) -> dict[str, Any]:
    held = json.loads(line, object_hook=numbers_back, parse_constant=_no_constant)
    if not isinstance(held, dict):
        raise ValueError(f"{type(held).__name__}, not an object")
    return held


def _no_constant(word: str) -> Any:
    raise ValueError(f"{word} is none of JSON's")


def _wrong(path: Path, number: int, found: str) -> RecordError:
    return RecordError(
        f"{path}, line {number}: {found}{'' if 'expected' in found else ', expected a line of a journal'}: restore it "
        "from a copy"
    )
