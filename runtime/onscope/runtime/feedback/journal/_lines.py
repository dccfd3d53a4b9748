"""Lines of the journal: one dict per thing that happened, with the field `line` saying what it is."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from .._controller import Command, Done
from .._proposal import Proposal, Verdict
from ._plain import plain

SCHEMA = 1

Line = dict[str, Any]


def proposal_line(number: int, proposal: Proposal) -> Line:
    """What a rule asked for, and why."""
    frame = proposal.frame
    return {
        "line": "proposal",
        "event": number,
        "rule": _text(proposal.rule),
        "asked": _sized(plain(proposal.asked)),
        "because": _text(proposal.because),
        "frame": {
            "run": _text(frame.run),
            "camera": _text(frame.camera),
            "segment": _whole(frame.segment),
            "seq": _whole(frame.seq),
        },
        "received_ns": _whole(proposal.received_ns),
        "proposed_ns": _whole(proposal.proposed_ns),
        "priority": _whole(proposal.priority),
        "target": plain(proposal.target),
        "values": _mapping(proposal.values),
        "models": _mapping(proposal.models),
    }


def verdict_line(number: int, verdict: Verdict, armed: bool) -> Line:
    """What the gate said of it; `armed`: whether what passes is carried out."""
    return {
        "line": "verdict",
        "event": number,
        "passed": bool(verdict.passed),
        "reason": _text(verdict.reason),
        "action": plain(verdict.action),
        "judged_ns": _whole(verdict.judged_ns),
        "armed": bool(armed),
    }


def done_line(number: int, done: Done) -> Line:
    """What came of it."""
    return {
        "line": "done",
        "event": number,
        "began_ns": _whole(done.began_ns),
        "done_ns": _whole(done.done_ns),
        "commands": commands(done.commands),
    }


def failed_line(number: int, words: str, at_ns: int, sent: Iterable[Command]) -> Line:
    """The hardware refused it."""
    return {"line": "failed", "event": number, "at_ns": at_ns, "words": _text(words), "commands": commands(sent)}


def event_line(number: int, kind: str, words: str, at_ns: int, values: object, sent: Iterable[Command]) -> Line:
    """What no rule asked for: the watchdog, a rule that failed, the microscope was armed."""
    return {
        "line": "event",
        "event": number,
        "kind": _text(kind),
        "words": _text(words),
        "at_ns": at_ns,
        "values": _mapping(values),
        "commands": commands(sent),
    }


def values_line(values: object, at_ns: int) -> Line:
    """How the microscope stands: a point of each curve."""
    return {"line": "values", "at_ns": at_ns, "values": _mapping(values)}


def lost_line(lines: int, words: str, at_ns: int) -> Line:
    """So many lines are missing from here."""
    return {"line": "lost", "lines": lines, "words": words, "at_ns": at_ns}


def end_line(at_ns: int, error: str) -> Line:
    """The journal was closed in order."""
    return {"line": "end", "at_ns": at_ns, "error": _text(error)}


def commands(sent: Iterable[Command]) -> list[Line]:
    """Commands in their order."""
    return [
        {"at_ns": _whole(one.at_ns), "verb": _text(one.verb), "device": _text(one.device), "value": plain(one.value)}
        for one in sent
    ]


def as_bytes(line: Mapping[str, Any]) -> bytes:
    """As the file holds it: ASCII, one line, strict JSON."""
    return json.dumps(line, allow_nan=False, separators=(",", ":")).encode("ascii") + b"\n"


def _sized(asked: Any) -> Any:
    """Without the pixels of a mask, which the verdict's action holds."""
    if isinstance(asked, dict) and isinstance(asked.get("mask"), dict):
        asked["mask"].pop("zlib", None)
    return asked


def _mapping(value: object) -> dict[str, Any]:
    held = plain(value)
    return held if isinstance(held, dict) else {}


def _text(value: object) -> str:
    held = plain(value)
    return held if isinstance(held, str) else json.dumps(held)


def _whole(value: object) -> int:
    """A whole number; 0 for what is none, so that one odd field does not make a journal unreadable."""
    held = plain(value)
    if isinstance(held, float) and held.is_integer():
        held = plain(int(held))
    return held if isinstance(held, int) and not isinstance(held, bool) else 0
