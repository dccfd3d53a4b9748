"""Rules: survey a field slowly; watch the cells that divide closely, one after the other, with little light.

A survey of the whole field comes every `SLOW_S`. Where a cell is in metaphase (or beyond), the stage goes to it, the
field diaphragm closes around it (the channel `close`), and a frame is taken every `FAST_S` until it is two. Other
dividing cells are visited in turn, and the survey goes on meanwhile.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from onscope.runtime.feedback import Asked, MoveStage, Seen, SetInterval, SetPreset, Target, Visit
from onscope.runtime.feedback.rules import rule

SURVEY, CLOSE = "nuclei", "close"
SLOW_S, FAST_S = 600.0, 60.0
SURE = 0.6
"""The scores of metaphase and anaphase together from which a cell divides."""
APART_UM, APART, LONG_APART = 10.3, 3, 30
"""An anaphase is over after so many frames with its halves so far apart, or after so many in all (it takes eight
minutes, in much light more than thirty)."""
SAME_UM = 12.0
"""So near to where it was, it is the same cell (or its daughters)."""
LIT_UM = 14.0
"""Of the middle of the closed diaphragm: beyond it light cuts nuclei, which then look like plates."""
LOST, LONG_LOST = 4, 12
"""Close frames in a row in which it does not divide, after which it was none: of a cell just found, and at most. One
more for each frame in which it did: chromosomes that part look for some minutes like those of no phase."""
STEP_UM = 8.0
"""It is not farther from one close frame to the next."""
REST_S = 2700.0
"""After an anaphase, its daughters look like one for a while: they are left alone."""


@dataclass
class Cell:
    """A cell that is watched, at a place of the stage."""

    x_um: float
    y_um: float
    apart: int = 0
    parted: int = 0
    lost: int = 0
    seen: int = 1

    def distance_um(self, x_um: float, y_um: float) -> float:
        return math.hypot(self.x_um - x_um, self.y_um - y_um)

    def near(self, x_um: float, y_um: float) -> bool:
        return self.distance_um(x_um, y_um) < SAME_UM


@dataclass
class Dividing:
    """A row that divides: where it is, whether its chromosomes are apart, and the row as a target."""

    x_um: float
    y_um: float
    apart: bool
    target: Target


class Watch:
    """What is remembered from frame to frame."""

    def __init__(self) -> None:
        self.home: tuple[float, float] | None = None
        self.cells: list[Cell] = []
        self.over: list[tuple[float, float, float]] = []
        self.surveyed_s = self.went_round_s = -math.inf

    def see(self, seen: Seen) -> Iterator[Asked | tuple[Asked, Target]]:
        """All that follows from one frame."""
        if seen.frame.stage_um is None or not seen.frame.pixel_size_um:
            return
        now_s, (x_um, y_um, _) = seen.frame.received_ns / 1e9, seen.frame.stage_um
        self.over = [each for each in self.over if now_s - each[2] < REST_S]
        found = list(dividing(seen))
        if seen.frame.labels.get("c") == SURVEY:
            self.home = self.home or (x_um, y_um)
            self.surveyed_s = now_s
            new = [one for one in found if self.knows(one) is None and not self.rests(one)]
            for cell in list(self.cells):
                self.follow(cell, found, now_s, close=False)
            for one in new:
                if self.knows(one) is None:
                    self.cells.append(Cell(one.x_um, one.y_um, int(one.apart)))
            if self.cells:
                target = new[0].target if new else None
                yield (SetPreset("Channel", CLOSE), target) if target else SetPreset("Channel", CLOSE)
                yield SetInterval(FAST_S)
                yield MoveStage(self.cells[0].x_um, self.cells[0].y_um)
            return
        found = [one for one in found if math.hypot(one.x_um - x_um, one.y_um - y_um) < LIT_UM]
        routine = bool(self.cells) and self.cells[0].near(x_um, y_um)
        for cell in [cell for cell in self.cells if cell.near(x_um, y_um)][:1]:
            self.follow(cell, found, now_s, close=True)
        if not self.cells:
            if self.home is not None:
                yield SetPreset("Channel", SURVEY)
                yield MoveStage(*self.home)
            yield SetInterval(SLOW_S)
            return
        first = self.cells[0]
        if not any(cell.near(x_um, y_um) for cell in self.cells):
            yield MoveStage(first.x_um, first.y_um)  # the one that stood here is over
        elif routine and now_s - self.went_round_s > FAST_S / 2:  # not for the frames of a visit, if two are near
            self.went_round_s = now_s
            if first.distance_um(x_um, y_um) > SAME_UM / 3:
                yield MoveStage(first.x_um, first.y_um)
            if self.cells[1:]:
                yield Visit(tuple((cell.x_um, cell.y_um) for cell in self.cells[1:]), channel=CLOSE)
            if self.home is not None and now_s - self.surveyed_s > SLOW_S - FAST_S / 2:
                self.surveyed_s = now_s
                yield Visit((self.home,), channel=SURVEY)

    def knows(self, one: Dividing) -> Cell | None:
        return next((cell for cell in self.cells if cell.near(one.x_um, one.y_um)), None)

    def rests(self, one: Dividing) -> bool:
        return any(math.hypot(x - one.x_um, y - one.y_um) < 1.5 * SAME_UM for x, y, _ in self.over)

    def follow(self, cell: Cell, found: list[Dividing], now_s: float, *, close: bool) -> None:
        """Where the cell is now, and whether it is over; one that is not seen may be seen again where it was."""
        far_um = STEP_UM if close else SAME_UM
        near = [one for one in found if cell.distance_um(one.x_um, one.y_um) < far_um]
        if not near:
            cell.lost += close
            if cell.lost >= min(LOST + cell.seen, LONG_LOST):
                self.cells.remove(cell)
            return
        near.sort(key=lambda one: cell.distance_um(one.x_um, one.y_um))
        two = [one for one in near if one.apart][:2] or near[:1]
        cell.lost, cell.seen = 0, cell.seen + 1
        cell.x_um = sum(one.x_um for one in two) / len(two)
        cell.y_um = sum(one.y_um for one in two) / len(two)
        cell.apart += two[0].apart
        cell.parted += math.hypot(two[0].x_um - two[-1].x_um, two[0].y_um - two[-1].y_um) > APART_UM
        if cell.parted >= APART or cell.apart >= LONG_APART:
            self.cells.remove(cell)
            self.over.append((cell.x_um, cell.y_um, now_s))


def dividing(seen: Seen) -> Iterator[Dividing]:
    """The rows that divide, with their places on the stage; a nucleus that the border cuts looks like a plate."""
    cells, phase = seen.tables.get("cells"), seen.tables.get("phase")
    if cells is None or phase is None or seen.frame.stage_um is None:
        return
    pixel_um, (x_um, y_um, _) = seen.frame.pixel_size_um or math.nan, seen.frame.stage_um
    height, width = seen.shape
    for row in phase:
        both = float(row["score_metaphase"] + row["score_anaphase"])
        if both < SURE:
            continue
        cell = cells[int(row["row"])]
        if "touches_border" in (cell.dtype.names or ()) and cell["touches_border"]:
            continue
        y, x = float(cell["y"]), float(cell["x"])
        yield Dividing(
            x_um + (x - (width - 1) / 2) * pixel_um,
            y_um + (y - (height - 1) / 2) * pixel_um,
            bool(row["score_anaphase"] > row["score_metaphase"]),
            Target(int(cell["label"]), 0, y, x, {"dividing": both}),
        )


WATCH = Watch()


@rule(name="watch divisions", priority=5, action_frames=True)
def watch(seen: Seen) -> Iterator[Asked | tuple[Asked, Target]]:
    """A cell divides: it is watched closely until its chromosomes are apart."""
    yield from WATCH.see(seen)
