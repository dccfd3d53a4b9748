"""Every event as a row, for other programs."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from ._entry import Entry, Story
from ._plain import plain
from ._words import command_words, what_words

Cell = Callable[[Entry], Any]


def as_table(story: Story) -> Any:
    """A pyarrow.Table with a row per event: `onscope.runtime.objects.to_pandas` and `write_table` take it.

    `time_s` counts from the journal's start; times in ns are monotonic; `values`, `action`, `models` and `target` are
    JSON (NaN as {"number": "nan"}), `commands` a line for each; null: not known, or not so.
    """
    import pyarrow as pa

    began = story.head.clock.monotonic_ns
    columns: Mapping[str, tuple[Any, Cell]] = {
        "event": (pa.int64(), lambda each: each.number),
        "time_s": (pa.float64(), lambda each: (each.at_ns - began) / 1e9),
        "outcome": (pa.string(), lambda each: each.outcome),
        "rule": (pa.string(), lambda each: each.rule or None),
        "kind": (pa.string(), lambda each: each.kind),
        "words": (pa.string(), what_words),
        "because": (pa.string(), lambda each: each.because),
        "reason": (pa.string(), lambda each: each.verdict and each.verdict.reason),
        "failure": (pa.string(), lambda each: each.failure),
        "priority": (pa.int64(), lambda each: each.priority),
        "run": (pa.string(), lambda each: each.frame and each.frame.run),
        "camera": (pa.string(), lambda each: each.frame and each.frame.camera),
        "segment": (pa.int64(), lambda each: each.frame and each.frame.segment),
        "seq": (pa.int64(), lambda each: each.frame and each.frame.seq),
        "received_ns": (pa.int64(), lambda each: each.received_ns),
        "proposed_ns": (pa.int64(), lambda each: each.at_ns if each.frame else None),
        "judged_ns": (pa.int64(), lambda each: each.verdict and each.verdict.judged_ns),
        "began_ns": (pa.int64(), lambda each: each.done and each.done.began_ns),
        "first_command_ns": (pa.int64(), lambda each: each.commands[0].at_ns if each.commands else None),
        "done_ns": (pa.int64(), lambda each: each.done and each.done.done_ns),
        "target": (pa.string(), lambda each: _json(each.target)),
        "values": (pa.string(), lambda each: _json(each.values)),
        "models": (pa.string(), lambda each: _json(each.models)),
        "action": (pa.string(), lambda each: _json(each.action)),
        "commands": (pa.string(), lambda each: "\n".join(map(command_words, each.commands)) or None),
    }
    return pa.table(
        {name: pa.array([_safe(cell(each)) for each in story], kind) for name, (kind, cell) in columns.items()}
    )


def _json(held: object) -> str | None:
    return json.dumps(plain(held)) if held else None


def _safe(cell: Any) -> Any:
    """A text that files of other programs can hold: half a character, which JSON can have, is written out."""
    return cell.encode("utf-8", "backslashreplace").decode("utf-8") if isinstance(cell, str) else cell
