"""Tasks: some windows that follow one another, and the frames that they need, as plain values with a hash of it all."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ._lines import Lines
from ._plan import Planned

Placer = Callable[[Planned], Mapping[str, tuple[str, Sequence[int]]]]
"""Gives a window's images their places."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """`key` is the hash of everything that its answers depend on, `message` what a worker is told.

    `line` is the line that it belongs to ("": none), `previous` the key of the chunk before it there ("": it begins).
    """

    key: str
    line: str
    previous: str
    message: Mapping[str, Any]

    @property
    def windows(self) -> int:
        return len(self.message["windows"])


@dataclass
class _Open:
    windows: list[dict[str, Any]] = field(default_factory=list)
    frames: dict[int, list[Any]] = field(default_factory=dict)
    begins: bool = False


class Chunks:
    """Cuts planned windows into chunks of at most `length` windows of one look of frames and one line.

    `graphs` is told of a look's number what its answers depend on: package, compiled graph, engine.
    """

    def __init__(self, lines: Lines, length: int, place: Placer, graphs: Callable[[int], str]) -> None:
        self._lines, self._length, self._place, self._graphs = lines, length, place, graphs
        self._open: dict[tuple[int, str], _Open] = {}
        self._last: dict[str, str] = {}

    def cut(self, planned: Iterable[Planned]) -> Iterator[Chunk]:
        """The chunks, as soon as each is whole; those of a line in its order."""
        for window in planned:
            line = self._lines.line(window)
            if line and self._lines.kind == "all":  # another look of frames comes: what was begun goes first
                for other in [each for each in self._open if each[0] != window.lane]:
                    yield self._chunk(*other)
            one = self._open.setdefault((window.lane, line), _Open())
            begins = self._lines.begins(window)
            if begins and one.windows:
                yield self._chunk(window.lane, line)
                one = self._open.setdefault((window.lane, line), _Open())
            one.begins |= begins and not one.windows
            one.windows.append(self._told(window))
            for known in window.frames:
                one.frames[known.row] = known.named
            if len(one.windows) >= self._length:
                yield self._chunk(window.lane, line)
        for lane, line in list(self._open):
            yield self._chunk(lane, line)

    def _told(self, window: Planned) -> dict[str, Any]:
        told = window.message
        return {
            "rows": [known.row for known in window.frames],
            "last": window.last.row,
            "target": window.target,
            "owned": _rows(window),
            "padded": window.padded,
            "stages": told["stages"],
            "state": told["state"],
            "reset": told["reset"],
            "channel": told["channel"],
            "keys": told["keys"],
            "moment": told["moment"],
            "places": {stage: [path, list(at)] for stage, (path, at) in self._place(window).items()},
        }

    def _chunk(self, lane: int, line: str) -> Chunk:
        one = self._open.pop((lane, line))
        previous = "" if one.begins else self._last.get(line, "")
        message = {"lane": lane, "line": line, "previous": previous, "windows": one.windows}
        message["frames"] = [one.frames[row] for row in sorted(one.frames)]
        key = hashlib.sha256(json.dumps([self._graphs(lane), message], sort_keys=True).encode()).hexdigest()
        if line:
            self._last[line] = key
        return Chunk(key, line, previous, {**message, "key": key})


def _rows(window: Planned) -> list[int]:
    """The rows of the frames whose accounts end with the window's."""
    owned = set(window.owned)
    return sorted({known.row for known in window.frames if known.frame.id in owned})
