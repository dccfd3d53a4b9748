"""Lanes that wait until the box has the files of their packages."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from ..._errors import OnscopeError
from ...worker import Message
from ..packages import Needed, pieces
from ..session import Item
from ..wire import CHUNK, WireError

TOLD_BYTES = 8 << 20
"""Progress is told after so many bytes."""


class Uploads:
    """What the box has and lacks; `tell` is given messages for the supervisor."""

    def __init__(self, tell: Callable[[Message], object]) -> None:
        self._tell = tell
        self._files: dict[str, Path | bytes] = {}
        self._asked: dict[str, set[int]] = {}
        self._coming: set[str] = set()
        self._opens: dict[int, tuple[Mapping[str, Any], set[str]]] = {}
        self._unheard: dict[int, set[str]] = {}
        """Files of lanes of which the box has not said yet what it lacks."""

    def ask(self, lane: int, needed: Needed, message: Mapping[str, Any]) -> Item:
        """Ask what the box lacks for a lane; `message` opens it once all is there."""
        self._files |= needed.files
        self._opens[lane] = message, set(needed.files)
        self._unheard[lane] = set(needed.files)
        return {"kind": "have", "lane": lane, "files": sorted(needed.files)}, None

    def forget(self, lane: int) -> bool:
        """Whether a lane that is closed had not been opened yet."""
        return self._opens.pop(lane, None) is not None

    def waits(self, lane: int) -> bool:
        """Whether the box has not all that a lane needs."""
        return lane in self._opens

    def lacks(self, lane: int, names: list[str]) -> Iterator[Item]:
        """The files that the box lacks; those that are on their way already are not sent twice. Raises WireError for
        what it was not asked, which it may be told once."""
        if lane not in self._unheard or not set(names) <= self._unheard.pop(lane):
            raise WireError(f"found files that lane {lane} lacks, expected some of those that it was asked for, once")
        if lane in self._opens:
            self._opens[lane][1].intersection_update(names)
        new = [name for name in names if name in self._files and name not in self._coming]
        self._coming.update(new)
        return (item for name in new for item in self._send(lane, name))

    def _send(self, lane: int, name: str) -> Iterator[Item]:
        file = self._files[name]
        try:
            size = len(file) if isinstance(file, bytes) else file.stat().st_size
            at = 0
            for piece in pieces(file, CHUNK):
                if at % TOLD_BYTES == 0:
                    words = f"sending weights to the box: {at / 1e6:.0f} of {size / 1e6:.0f} MB"
                    self._tell({"kind": "progress", "lane": lane, "text": words})
                yield {"kind": "file", "name": name, "at": at, "bytes": size}, piece
                at += len(piece)
        except (OnscopeError, OSError) as error:
            self.stored(name, str(error))

    def stored(self, name: str, words: str) -> None:
        """The box has a file, or could not take it, and why; of one that is not on its way this means nothing."""
        if name not in self._coming:
            return
        self._coming.discard(name)
        for lane, (_, missing) in list(self._opens.items()):
            if name in missing and words:
                del self._opens[lane]
                self._tell({"kind": "refused", "lane": lane, "error": "PackageError", "message": words})
            missing.discard(name)

    def ready(self) -> Iterator[Mapping[str, Any]]:
        """Messages that may go now."""
        for lane, (message, missing) in list(self._opens.items()):
            if not missing:
                del self._opens[lane]
                yield message
