"""Lines of others looked at before they are believed: each field has the type that it should have."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..._frame import FrameId
from .._controller import Command

MOST_NS = 2**63
TEXT, WHOLE, YES, DICT, LIST = (str,), (int,), (bool,), (dict,), (list,)
FIELDS: Mapping[str, Mapping[str, tuple[type, ...]]] = {
    "journal": {"schema": WHOLE, "onscope": TEXT, "clock": DICT, "armed": YES, "rules": DICT,
                "limits": (dict, type(None)), "packages": DICT, "machine": DICT, "notes": DICT},
    "proposal": {"event": WHOLE, "rule": TEXT, "asked": DICT, "because": TEXT, "frame": DICT, "received_ns": WHOLE,
                 "proposed_ns": WHOLE, "priority": WHOLE, "target": (dict, type(None)), "values": DICT, "models": DICT},
    "verdict": {"event": WHOLE, "passed": YES, "reason": TEXT, "action": (dict, type(None)), "judged_ns": WHOLE,
                "armed": YES},
    "done": {"event": WHOLE, "began_ns": WHOLE, "done_ns": WHOLE, "commands": LIST},
    "failed": {"event": WHOLE, "at_ns": WHOLE, "words": TEXT, "commands": LIST},
    "event": {"event": WHOLE, "kind": TEXT, "words": TEXT, "at_ns": WHOLE, "values": DICT, "commands": LIST},
    "values": {"at_ns": WHOLE, "values": DICT},
    "lost": {"lines": WHOLE, "words": TEXT, "at_ns": WHOLE},
    "end": {"at_ns": WHOLE, "error": TEXT},
}  # fmt: skip
CLOCK: Mapping[str, tuple[type, ...]] = {"wall_ns": WHOLE, "monotonic_ns": WHOLE}
RULES: Mapping[str, tuple[type, ...]] = {"file": TEXT, "sha256": TEXT, "text": TEXT}
FRAME: Mapping[str, tuple[type, ...]] = {"run": TEXT, "camera": TEXT, "segment": WHOLE, "seq": WHOLE}
COMMAND: Mapping[str, tuple[type, ...]] = {"at_ns": WHOLE, "verb": TEXT, "device": TEXT}


def check(held: object, fields: Mapping[str, tuple[type, ...]], what: str) -> Mapping[str, Any]:
    """`held` when it is a dict with these fields; raises ValueError with the rest of a sentence."""
    if not isinstance(held, dict):
        raise ValueError(f"found {type(held).__name__}, expected {what} as a JSON object")
    for name, kinds in fields.items():
        value = held.get(name, ...)
        if not isinstance(value, kinds) or (kinds == WHOLE and not _is_whole(value)):
            found = "none" if value is ... else repr(value)[:60]
            raise ValueError(f"found {found} as {name!r} of {what}, expected {_words(kinds)}")
    return held


def texts(held: Mapping[str, Any], what: str) -> Mapping[str, str]:
    """A dict of texts; raises ValueError."""
    if not all(isinstance(each, str) for each in held.values()):
        raise ValueError(f"found something else than texts as {what}")
    return held


def frame_of(held: Mapping[str, Any]) -> FrameId:
    """Raises ValueError for what is none."""
    check(held, FRAME, "a frame")
    return FrameId(held["run"], held["camera"], held["segment"], held["seq"])


def commands_of(held: list[Any]) -> tuple[Command, ...]:
    """Raises ValueError for what are none."""
    each = [check(one, COMMAND, "a command") for one in held]
    return tuple(Command(one["at_ns"], one["verb"], one["device"], one.get("value")) for one in each)


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and -MOST_NS <= value < MOST_NS


def _words(kinds: tuple[type, ...]) -> str:
    names = {str: "a text", int: "a whole number", bool: "true or false", dict: "an object", list: "a list"}
    return " or ".join(names.get(each, "null") for each in kinds)
