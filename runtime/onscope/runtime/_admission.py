"""Admission: what enters the live path when there is more than it can take. A policy and a number, never a surprise."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Literal

from ._errors import PipelineError
from ._frame import FrameId


class RecordedWindows:
    """The frames to which a recorded run `of` some folder has a result: `id in windows`."""

    def __init__(self, ran: Collection[FrameId], of: str) -> None:
        self._ran = frozenset(ran)
        self._of = of

    def __contains__(self, id: FrameId) -> bool:
        return id in self._ran

    def __repr__(self) -> str:
        return f"the {len(self._ran)} windows that ran in {self._of}"


@dataclass(frozen=True, slots=True)
class Admission:
    """Sampling (`every_n`), queue (`kind`, `depth` windows) and expiry (`deadline_ms` after core receipt).

    Made by `keep_newest`, `keep_oldest` and `block`. Whole windows are admitted or skipped, never single frames of
    one. A window still waiting at its deadline is `skipped(expired)`; one delivered after it is `late`. With `only`,
    windows whose answer belongs to another frame are `skipped(as recorded)`: see `record.compare.as_recorded`.
    """

    kind: Literal["keep_newest", "keep_oldest", "block"]
    depth: int = 2
    every_n: int = 1
    deadline_ms: float | None = None
    only: RecordedWindows | None = None

    def described(self) -> dict[str, Any]:
        """As plain values, for a recording."""
        told: dict[str, Any] = {"kind": self.kind, "depth": self.depth, "every_n": self.every_n}
        told["deadline_ms"] = self.deadline_ms
        return told if self.only is None else told | {"only": repr(self.only)}

    def __post_init__(self) -> None:
        if self.depth < 1 or self.every_n < 1 or (self.deadline_ms is not None and self.deadline_ms <= 0):
            raise PipelineError(
                f"found depth={self.depth}, every_n={self.every_n}, deadline_ms={self.deadline_ms}, expected depth and "
                "every_n of at least 1 and a deadline above 0 (or None)"
            )


def keep_newest(depth: int = 2, *, every_n: int = 1, deadline_ms: float | None = None) -> Admission:
    """When the queue is full, the oldest waiting window is skipped: the live view stays close to now."""
    return Admission("keep_newest", depth, every_n, deadline_ms)


def keep_oldest(depth: int = 2, *, every_n: int = 1, deadline_ms: float | None = None) -> Admission:
    """When the queue is full, the new window is skipped: what was begun is finished."""
    return Admission("keep_oldest", depth, every_n, deadline_ms)


def block(depth: int = 2, *, every_n: int = 1, deadline_ms: float | None = None) -> Admission:
    """When the queue is full, `submit` waits: nothing is skipped, and the camera's buffer takes the delay."""
    return Admission("block", depth, every_n, deadline_ms)
