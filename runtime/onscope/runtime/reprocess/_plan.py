"""Which windows there are: the live path's own lanes, routes and account, given frames without pixels.

A lane's slots are made of nothing here, and a slot's number is the row of its frame: what a lane would send to the
worker then says which rows a window is made of, in whose memory it goes on, and which stages run on it.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, cast

import numpy as np

from .._admission import Admission
from .._frame import FrameId, FrameSpec, Pixels
from .._host_stages import HostStage
from .._lane import Lane, Window
from .._ledger import Ledger
from .._moments import Moments
from .._pipeline import Pipeline
from .._ring import Ring
from .._route import Route
from .._stage import Stage
from ..record.reprocessed import KnownFrame
from ..windows import GatheredLane, place_name

NOTHING = np.zeros(0, np.uint8)


class _Rows:
    """Stands in for a lane's ring: a slot is the row of a frame, which is forgotten when nobody holds it any more."""

    def __init__(self) -> None:
        self.known: dict[int, KnownFrame] = {}
        self._holds: dict[int, int] = {}

    @property
    def views(self) -> _Rows:
        return self

    def __getitem__(self, slot: int) -> Pixels:
        return NOTHING

    def take(self, known: KnownFrame) -> int:
        self.known[known.row], self._holds[known.row] = known, 1
        return known.row

    def hold(self, slot: int) -> None:
        self._holds[slot] += 1

    def give(self, slot: int) -> None:
        self._holds[slot] -= 1
        if not self._holds[slot]:
            del self._holds[slot], self.known[slot]


@dataclass(frozen=True)
class Planned:
    """A window: what the worker is told of it (`Route.run_message`, with rows as slots), and whose its answer is.

    `last` is the frame that completed it, `place` says whose memory it goes on with, `owned` whose accounts it ends.
    """

    lane: int
    message: dict[str, Any]
    frames: tuple[KnownFrame, ...]
    target: int
    padded: int
    last: KnownFrame
    place: str
    owned: tuple[FrameId, ...]

    @property
    def own(self) -> KnownFrame:
        """The frame that the answer belongs to."""
        return self.frames[self.target]


@dataclass
class Planner:
    """Plans all windows of some frames; `ledger` is the account, `routes` what was found of each look of frames."""

    pipeline: Pipeline
    admission: Admission
    ledger: Ledger = field(default_factory=Ledger)
    routes: list[Route] = field(default_factory=list)
    specs: list[FrameSpec] = field(default_factory=list)
    _by_look: dict[tuple[str, FrameSpec], Route] = field(default_factory=dict)
    _current: dict[str, tuple[tuple[str, int], Route]] = field(default_factory=dict)
    _changed: threading.Condition = field(default_factory=threading.Condition)

    def windows(self, frames: Iterable[KnownFrame]) -> Iterator[Planned]:
        """The windows in the order in which a live run would send them; raises FrameMismatchError for broken orders."""
        for known in frames:
            self.ledger.enter(known.frame.id)
            route = self._route(known)
            lane = route.lane
            chosen = None if route.takes_all else route.choose(known.frame)
            if chosen == ():
                self.ledger.close((known.frame.id,), "skipped", "not chosen")
                lane.passes(known.frame)
            elif lane.admit(known.frame, self._changed):
                slot = cast("_Rows", lane.ring).take(known)
                lane.commit(known.frame, slot, known.frame.received_ns, known.frame.received_ns, chosen)
            yield from self._sent(route, known)
        for route in self.routes:
            route.lane.give_up("incomplete window")

    def _sent(self, route: Route, known: KnownFrame) -> Iterator[Planned]:
        while (window := route.lane.next()) is not None:
            self.ledger.close(window.owned, "done")
            yield self._planned(route, window, known)
            for slot in window.slots:
                route.lane.ring.give(slot)

    def _planned(self, route: Route, window: Window, known: KnownFrame) -> Planned:
        message = {**route.run_message(window), "moment": list(route.moment(window))}
        frames = tuple(cast("_Rows", route.lane.ring).known[row] for row in window.slots)
        name = place_name(frames[-1].frame, self.pipeline.gather.along)
        place = f"{frames[-1].frame.id[:3]} {name}"
        return Planned(
            route.number, message, frames, window.target % len(frames), window.padded, known, place, tuple(window.owned)
        )

    def _route(self, known: KnownFrame) -> Route:
        """The route of a frame; a segment of another look gives up what the one before had begun."""
        who = known.frame.id
        current = self._current.get(who.camera)
        if current is not None and current[0] == (who.run, who.segment):
            return current[1]
        route = self._by_look.get((who.camera, known.spec))
        if route is None:
            route = self._by_look[who.camera, known.spec] = self._new(known.spec)
        if current is not None and current[1] is not route:
            current[1].lane.drop_partial("gap")
        self._current[who.camera] = (who.run, who.segment), route
        return route

    def _new(self, spec: FrameSpec) -> Route:
        stages, gather = self.pipeline.stages_of(spec.camera), self.pipeline.gather
        recurrent = any("state" in stage.settings for stage in stages if isinstance(stage, Stage))
        lane: Lane
        if stages and (recurrent or gather.length > 1):
            lane = GatheredLane(spec, self.admission, gather, 1, 1, self.ledger, recurrent=recurrent)
        else:
            lane = Lane(spec, self.admission, 1, 1, self.ledger)
        lane.ring = cast("Ring", _Rows())
        lane.open()
        remembers = any(isinstance(stage, HostStage) and stage.remembers for stage in stages)
        moments = Moments(gather, self.admission.every_n) if remembers else None
        route = Route(len(self.routes), lane, stages, options=self.pipeline.options(spec.camera), moments=moments)
        self.routes.append(route)
        self.specs.append(spec)
        return route
