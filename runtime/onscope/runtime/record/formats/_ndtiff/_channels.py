"""Where an image is on NDTiff's axes: channels by their names, as Micro-Manager has them, where they have names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ._folder import known
from ._index import Entry

AXES = {"t": "time", "c": "channel", "z": "z"}
POSITION = "position"


class Channels:
    """Names channels, each by its first image: with names if the very first one has one, else by number."""

    def __init__(self) -> None:
        self._names: dict[int, str] = {}
        self._named: bool | None = None

    @classmethod
    def of(cls, folder: Path, entries: Sequence[Entry]) -> Channels:
        """As they were named in a data set. Raises ValueError, KeyError, TypeError or OSError."""
        made = cls()
        seen: set[str] = set()
        for entry in entries:
            name = entry.axes.get(AXES["c"])
            if name is not None and made._named is None:
                made._named = isinstance(name, str)
            if isinstance(name, str) and name not in seen:
                seen.add(name)
                made._names[int(known(folder, entry)["onscope"]["place"]["c"])] = name
        return made

    def axes(self, place: Mapping[str, int], note: Mapping[str, Any]) -> dict[str, int | str]:
        """The coordinates of an image at `place` on our axes; `note` is what is known of it."""
        found: dict[str, int | str] = {AXES[axis]: number for axis, number in place.items()}
        if "c" in place:
            found[AXES["c"]] = self._channel(place["c"], note["labels"].get("c"))
        if "p" in note["index"]:
            found[POSITION] = note["index"]["p"]
        return found

    def _channel(self, number: int, label: str | None) -> int | str:
        if self._named is None:
            self._named = label is not None
        if not self._named:
            return number
        if number not in self._names:
            name = label or str(number)
            while name in self._names.values():
                name = f"{name} {number}"
            self._names[number] = name
        return self._names[number]
