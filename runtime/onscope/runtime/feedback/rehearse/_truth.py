"""What is true while rules are rehearsed: what each frame shows, and what happened to every object."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

TRUE = np.dtype(
    [
        ("id", np.int32),  # the same for as long as the object lives
        ("parent", np.int32),  # its mother's, 0: none
        ("kind", "U16"),  # what it is: "interphase", "metaphase", ...
        ("y", np.float64),  # middle of the nucleus (or body), in pixels of the frame
        ("x", np.float64),
        ("area", np.float64),  # in pixels
        ("dose_j_cm2", np.float64),  # light since the start
        ("stress", np.float64),  # 1: it dies of it
    ]
)
"""One row per object that is in a frame."""


@dataclass(frozen=True, slots=True, eq=False)
class TrueFrame:
    """What is true of one frame.

    `time_s` is the sample's age, `pixel_um` the side of the frame's pixels, `objects` a structured array of dtype
    `TRUE`; `labels` gives the ids as an image, int32 (y, x), of nuclei where there are such, and is called only by what
    needs it.
    """

    time_s: float
    pixel_um: float
    objects: npt.NDArray[Any]
    labels: Callable[[], npt.NDArray[np.int32]]


@dataclass(frozen=True, slots=True)
class Span:
    """The object `id` was a `kind` from `from_s` to `to_s` of the sample's age; `whole`: both ends were seen, neither
    is that of the watch. `y_um`, `x_um`: where it was at the begin, in um of the stage (NaN: not known)."""

    id: int
    kind: str
    from_s: float
    to_s: float
    whole: bool = True
    y_um: float = float("nan")
    x_um: float = float("nan")


@dataclass(frozen=True, slots=True)
class Story:
    """What happened to all objects: `spans` by begin, and in numbers the `doses` (J/cm2, by id) and who `died` of what.

    `died` maps an id to True where light killed it.
    """

    spans: tuple[Span, ...]
    doses: Mapping[int, float] = field(default_factory=lambda: MappingProxyType({}))
    died: Mapping[int, bool] = field(default_factory=lambda: MappingProxyType({}))


class SpanBuilder:
    """Makes spans of what is seen at one time after the other."""

    def __init__(self) -> None:
        self._open: dict[int, tuple[str, float, bool, float, float]] = {}
        self._done: list[Span] = []
        self.now_s = float("-inf")

    def add(self, time_s: float, seen: Iterable[tuple[int, str, float, float]]) -> None:
        """(id, kind, y_um, x_um) of all that there is at a time; times must rise."""
        first = not self._open and not self._done
        here = set()
        for who, kind, y_um, x_um in seen:
            here.add(who)
            before = self._open.get(who)
            if before is None or before[0] != kind:
                if before is not None:
                    self._close(who, time_s, True)
                self._open[who] = kind, time_s, not first, y_um, x_um
        for who in self._open.keys() - here:
            self._close(who, time_s, True)
        self.now_s = time_s

    def spans(self) -> tuple[Span, ...]:
        """All so far, by begin and id; those that go on end now, and are not whole."""
        going = [Span(who, kind, since, self.now_s, False, y, x) for who, (kind, since, _, y, x) in self._open.items()]
        return tuple(sorted((*self._done, *going), key=lambda span: (span.from_s, span.id)))

    def _close(self, who: int, time_s: float, ended: bool) -> None:
        kind, since, begun, y, x = self._open.pop(who)
        self._done.append(Span(who, kind, since, time_s, begun and ended, y, x))


def joined(spans: Iterable[Span], kinds: frozenset[str]) -> list[Span]:
    """Events: spans of one object that are some of `kinds`, and follow each other, as one; named by the first's kind.

    An event is whole when all of its parts are.
    """
    found: dict[int, list[Span]] = {}
    for span in sorted(spans, key=lambda span: (span.id, span.from_s)):
        if span.kind not in kinds:
            continue
        mine = found.setdefault(span.id, [])
        if mine and mine[-1].to_s == span.from_s:
            last = mine[-1]
            whole = last.whole and span.whole
            mine[-1] = Span(last.id, last.kind, last.from_s, span.to_s, whole, last.y_um, last.x_um)
        else:
            mine.append(span)
    return sorted((span for several in found.values() for span in several), key=lambda span: (span.from_s, span.id))
