"""Lines put together: what was proposed, judged and done under one number is one entry."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from ..._clock import ClockPair
from .._controller import Done
from ._entry import Curve, Entry, Head, Judged, Story
from ._fields import CLOCK, FIELDS, RULES, check, commands_of, frame_of, texts

MOST_CURVES = 64


class Told:
    """What the lines of a journal tell so far. Every method raises ValueError for a line that cannot be believed."""

    def __init__(self, first: dict[str, Any]) -> None:
        held = check(first, FIELDS["journal"], "the first line")
        clock, rules = check(held["clock"], CLOCK, "the clock"), check(held["rules"], RULES, "the rules")
        self._head = Head(
            onscope=held["onscope"],
            clock=ClockPair(clock["wall_ns"], clock["monotonic_ns"]),
            armed=held["armed"],
            rules_name=rules["file"],
            rules_sha256=rules["sha256"],
            rules=rules["text"],
            limits=held["limits"] or {},
            packages=texts(held["packages"], "packages"),
            machine=held["machine"],
            notes=held["notes"],
        )
        self._entries: dict[int, Entry] = {}
        self._curves: dict[str, tuple[list[int], list[float]]] = {}
        self._lost = 0
        self._ended_ns: int | None = None
        self._error = ""

    def add(self, line: dict[str, Any]) -> None:
        """One line more."""
        kind = line.get("line")
        fields = FIELDS.get(kind) if isinstance(kind, str) and kind != "journal" else None
        if fields is None:
            raise ValueError(f"found {json.dumps(kind)[:40]} as what the line is, expected one of {', '.join(FIELDS)}")
        if self._ended_ns is not None:
            raise ValueError("found a line behind the last one, expected none")
        take = {
            "proposal": self._proposal, "verdict": self._verdict, "done": self._done, "failed": self._failed,
            "event": self._event, "values": self._values, "lost": self._missing, "end": self._end,
        }[str(kind)]  # fmt: skip
        take(check(line, fields, f"a line {kind!r}"))

    def story(self, path: Path, torn: str | None) -> Story:
        """All of it."""
        curves = {name: Curve(tuple(at), tuple(values)) for name, (at, values) in self._curves.items()}
        entries = tuple(self._entries[number] for number in sorted(self._entries))
        end, lost = self._ended_ns, self._lost
        return Story(path, self._head, entries, MappingProxyType(curves), torn, end, self._error, lost)

    def _proposal(self, line: Mapping[str, Any]) -> None:
        kind = line["asked"].get("kind")
        if not isinstance(kind, str):
            raise ValueError(f"found {str(kind)[:40]} as the kind of what was asked, expected a text")
        self._new(
            Entry(
                number=line["event"],
                at_ns=line["proposed_ns"],
                kind=kind,
                because=line["because"],
                rule=line["rule"],
                frame=frame_of(line["frame"]),
                received_ns=line["received_ns"],
                priority=line["priority"],
                asked=line["asked"],
                target=line["target"],
                values=line["values"],
                models=texts(line["models"], "models"),
            )
        )

    def _verdict(self, line: Mapping[str, Any]) -> None:
        judged = Judged(line["passed"], line["reason"], line["action"], line["judged_ns"], line["armed"])
        self._more(line["event"], verdict=judged)

    def _done(self, line: Mapping[str, Any]) -> None:
        self._more(line["event"], done=Done(line["began_ns"], line["done_ns"], commands_of(line["commands"])))

    def _failed(self, line: Mapping[str, Any]) -> None:
        sent = commands_of(line["commands"])
        self._more(line["event"], failure=line["words"], failed_ns=line["at_ns"], sent=sent)

    def _event(self, line: Mapping[str, Any]) -> None:
        number, at_ns, sent = line["event"], line["at_ns"], commands_of(line["commands"])
        self._new(Entry(number, at_ns, line["kind"], line["words"], values=line["values"], sent=sent))

    def _values(self, line: Mapping[str, Any]) -> None:
        for name, value in line["values"].items():
            if not isinstance(value, (int, float)):
                raise ValueError(f"found {str(value)[:40]} as the value {name[:40]!r}, expected a number")
            if name in self._curves or len(self._curves) < MOST_CURVES:
                at, values = self._curves.setdefault(name, ([], []))
                at.append(line["at_ns"])
                values.append(float(value))

    def _missing(self, line: Mapping[str, Any]) -> None:
        self._lost += line["lines"]

    def _end(self, line: Mapping[str, Any]) -> None:
        self._ended_ns, self._error = line["at_ns"], line["error"]

    def _new(self, entry: Entry) -> None:
        if entry.number in self._entries:
            raise ValueError(f"found event {entry.number} a second time, expected a new number")
        self._entries[entry.number] = entry

    def _more(self, number: int, **news: Any) -> None:
        entry = self._entries.get(number)
        if entry is None:
            if self._lost:  # its proposal may be among the lines that could not be written
                return
            raise ValueError(f"found event {number}, expected one that was proposed before")
        if any(getattr(entry, name) is not None for name in news if name != "sent"):
            raise ValueError(f"found the {'/'.join(news)} of event {number} a second time, expected it once")
        self._entries[number] = replace(entry, **news)
