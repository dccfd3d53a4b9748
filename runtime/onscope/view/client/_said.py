"""What the server said last: one layout, one status, one update that nobody has taken yet."""

from __future__ import annotations

import json
import threading
from typing import Any

from .._values import Layout
from .._wire import VERSION, Array, WireError, unpack
from ._layout import layout_from
from ._update import Update, array_of, update_from

MOST_SNAPSHOTS = 2
MOST_SNAPSHOT = 256 << 20
"""Bytes of the longest PNG that is kept."""
MOST_TOLD = 1 << 20
"""Characters of the longest text that is read; layouts and statuses are some thousand."""


class Said:
    """The newest of each; `changed` is notified of all that comes, and its lock guards the update."""

    def __init__(self, changed: threading.Condition) -> None:
        self._changed = changed
        self._update: Update | None = None
        self._under_way = False
        self.waiting = False
        """Whether somebody waits for an update."""
        self.layout: Layout | None = None
        self.status: dict[str, Any] = {}
        self.ended = False
        self.snapshots: dict[str, bytes] = {}
        self._snapshots_asked = 0

    @property
    def fresh(self) -> bool:
        return self._update is not None

    def want(self) -> bool:
        """Whether an update is to be asked for: somebody waits, none is there, none is under way."""
        with self._changed:
            ask = self.waiting and self._update is None and not self._under_way
            self._under_way |= ask
            return ask

    def unasked(self) -> None:
        """The question did not go out."""
        with self._changed:
            self._under_way = False

    def take(self) -> Update | None:
        """The newest update, which is forgotten here; called with the lock held."""
        update, self._update = self._update, None
        self.waiting = False
        return update

    def forget_update(self) -> None:
        """Called with the lock held."""
        self._update = None

    def expect_snapshot(self) -> None:
        """A snapshot is asked for: one that comes unasked is not kept."""
        with self._changed:
            self._snapshots_asked = min(self._snapshots_asked + 1, MOST_SNAPSHOTS)

    def begin(self) -> None:
        """A new connection knows of nothing that was asked for before."""
        with self._changed:
            self._under_way, self.ended = False, False
            self._snapshots_asked = 0

    def hear(self, message: str | bytes) -> tuple[str, dict[str, Any]]:
        """Take a message in; its kind ("update" when binary, "bad" when it cannot be used) and what it says."""
        try:
            if isinstance(message, bytes):
                with self._changed:
                    self._hear_update(message)
                return "update", {}
            return self._hear_text(message)
        except WireError as error:
            return "bad", {"words": str(error)}
        finally:
            with self._changed:
                self._changed.notify_all()

    def _hear_update(self, message: bytes) -> None:
        head: dict[str, Any] = {}
        try:
            head, arrays = unpack(message)
            if "snapshot" in head:
                self._keep_snapshot(str(head["snapshot"]), array_of(head.get("array", 0), arrays))
            else:
                self._update = update_from(head, arrays)
        finally:
            if "snapshot" not in head:
                self._under_way = False  # also where it cannot be used: it was the answer all the same

    def _keep_snapshot(self, name: str, png: Array) -> None:
        if png.nbytes > MOST_SNAPSHOT:
            raise WireError(f"found a snapshot of {png.nbytes} bytes, expected at most {MOST_SNAPSHOT}")
        if not self._snapshots_asked:
            raise WireError(f"found the snapshot {name[:100]!r}, expected none: nobody asked for it")
        self._snapshots_asked -= 1
        self.snapshots[name] = png.tobytes()
        while len(self.snapshots) > MOST_SNAPSHOTS:
            self.snapshots.pop(next(iter(self.snapshots)))

    def _hear_text(self, message: str) -> tuple[str, dict[str, Any]]:
        if len(message) > MOST_TOLD:
            raise WireError(f"found a text of {len(message)} characters, expected at most {MOST_TOLD}")
        try:
            told = json.loads(message)
            kind = str(told["type"])
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise WireError(f"found a message that cannot be read ({error!r}), expected JSON with a type") from error
        if kind == "hello" and told.get("version") != VERSION:
            return "refused", {"words": f"found version {told.get('version')} of the view, expected {VERSION}: update"}
        if kind in ("hello", "layout"):
            layout = told["layout"] if isinstance(told.get("layout"), dict) else {}
            early = kind == "hello" and layout.get("run") == "" and "shape" not in layout  # it is told as soon as known
            self.layout = None if early else layout_from(layout)
        elif kind == "status":
            self.status = told
        elif kind == "ended":
            self.ended = True
        return kind, told
