"""Which route a camera's frames take, as its segments come: new looks get new slots, made beside the acquisition."""

from __future__ import annotations

import itertools
import threading
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ._admission import Admission
from ._credit import LENDABLE, most_at_once
from ._dispatch import Dispatcher
from ._errors import OnscopeError, ProviderError, WorkerError
from ._events import Event, Tell
from ._frame import Frame, FrameSpec, Segment, spec_of
from ._host_stages import HostStage
from ._lane import Lane
from ._moments import Moments
from ._pipeline import Pipeline
from ._route import Route
from ._selects import AnyStage
from ._shapes import for_others, outside
from ._sink import RawSink
from ._stage import Stage
from ._supervise import Supervisor
from .care import Care
from .windows import GatheredLane

SPARE = 2
"""Routes kept per camera beside the one in use: who goes back and forth between two ROIs waits only once."""
SEGMENTS = 1000
"""Segments remembered; those of a long acquisition of short sequences are without number."""

Looks = tuple[tuple[int, ...], str, str, float | None]
"""Shape, dtype and axes; and the pixel size where graphs are made for one."""


@dataclass(eq=False)
class Camera:
    """One camera's routes by the looks of their frames, the one used last at the end, and the segment under way."""

    routes: dict[Looks, Route] = field(default_factory=dict)
    current: Route | None = None
    run: str = ""
    segment: int = -1
    last: Segment | None = None


class Cameras:
    """All cameras of a runtime. Called with the account's lock held, but for `close`."""

    def __init__(
        self,
        pipeline: Pipeline,
        admission: Admission,
        dispatcher: Dispatcher,
        supervisor: Supervisor,
        sink: RawSink | None,
        tell: Tell,
    ) -> None:
        self.segments: deque[Segment] = deque(maxlen=SEGMENTS)
        self._by_name: dict[str, Camera] = {}
        self.pipeline = pipeline
        self._admission = admission
        self._care: Care | None = None
        self._dispatcher = dispatcher
        self._supervisor = supervisor
        self._sink = sink
        self._tell = tell
        self._changed = dispatcher.changed
        self._numbers = itertools.count()
        self._one_at_a_time = threading.Lock()
        self._closed = False

    def prepare(self, spec: FrameSpec) -> Route:
        """The route for frames like `spec`, being made when it is new; that of the camera's frames is as it was."""
        return self._route(self._by_name.setdefault(spec.camera, Camera()), spec)

    def of(self, frame: Frame) -> Route:
        """The route of a frame; a new segment may lead to another one."""
        camera = self._by_name.get(frame.id.camera)
        if camera is None:
            camera = self._by_name[frame.id.camera] = Camera()
        if frame.id.segment != camera.segment or frame.id.run != camera.run or camera.current is None:
            self._begin(camera, frame)
            assert camera.current is not None
        return camera.current

    def _begin(self, camera: Camera, frame: Frame) -> None:
        before = camera.current
        prepared = camera.routes.get(self._looks(spec_of(frame)))
        spec = spec_of(frame) if prepared is None else prepared.lane.spec
        camera.current = self._route(camera, spec)
        camera.current.used = True
        camera.run, camera.segment = frame.id.run, frame.id.segment
        if before is not None and before is not camera.current:
            before.lane.drop_partial("gap")
        segment = Segment(frame.id.run, frame.id.segment, spec, frame.exposure_ms)
        last, camera.last = camera.last, segment
        self.segments.append(segment)
        if last is not None and (last.spec, last.exposure_ms) != (spec, frame.exposure_ms):
            self._tell(Event("segment", f"{_sentence(segment)}, after {_sentence(last, brief=True)}"))

    def _route(self, camera: Camera, spec: FrameSpec) -> Route:
        looks = self._looks(spec)
        route = camera.routes.pop(looks, None)
        if route is not None and route.refusal is not None and not route.lane.furnished:
            del self._dispatcher.routes[route.number]  # there was no memory for it; there may be now
            route = None
        if route is None:
            stages = self.pipeline.stages_of(spec.camera)
            other = self._other(spec) if stages else ""
            route = Route(
                next(self._numbers),
                self._lane(spec),
                stages,
                only=other if isinstance(other, str) else "",
                outside=other if isinstance(other, ProviderError) else None,
                why_not=self._supervisor.broken or (str(other) if isinstance(other, ProviderError) else ""),
                options=self.pipeline.options(spec.camera),
                moments=self._moments(stages),
                ways=self._ways(spec) if stages else (),
            )
            self._dispatcher.routes[route.number] = route
            threading.Thread(target=self._furnish, args=(route,), name="onscope-furnish", daemon=True).start()
        camera.routes[looks] = route
        self._supervisor.open(route)  # one that was kept over a death of the worker
        return route

    def _other(self, spec: FrameSpec) -> str | ProviderError:
        """Who alone runs frames of a size that was not named beforehand, or why nobody does; empty: it was named."""
        if not (words := outside(spec, self.pipeline.shapes)):
            return ""
        try:
            other = for_others(self._supervisor.terms.provider)
        except ProviderError as error:
            refusal = ProviderError(f"{words}: {error}")
            self._tell(Event("refused", str(refusal)))
            return refusal
        self._tell(Event("warning", f"{words}: {other} runs them"))
        return other

    def _ways(self, spec: FrameSpec) -> Sequence[Mapping[str, Any]]:
        return () if self._dispatcher.governor is None else self._dispatcher.governor.ways_for(spec)

    def _looks(self, spec: FrameSpec) -> Looks:
        return spec.shape, spec.dtype, spec.axes, spec.pixel_size_um if self.pipeline.rescales else None

    def _lane(self, spec: FrameSpec) -> Lane:
        lane = self._new_lane(spec)
        if self._dispatcher.governor is not None:
            lane.follow(self._dispatcher.governor.pace)
        return lane

    def _new_lane(self, spec: FrameSpec) -> Lane:
        if self._care is None:
            self._care = Care()  # frames are about to run
        # In the worker, one being made a result, one sent again after a death.
        in_hand = most_at_once(self._supervisor.link) + 2
        raw_depth = 0 if self._sink is None else self._sink.depth(spec)
        ledger = self._dispatcher.ledger
        stages = self.pipeline.stages_of(spec.camera)
        recurrent = any("state" in stage.settings for stage in stages if isinstance(stage, Stage))
        if stages and (recurrent or self.pipeline.window > 1):
            gather = self.pipeline.gather
            return GatheredLane(
                spec, self._admission, gather, in_hand, LENDABLE, ledger, raw_depth, recurrent=recurrent
            )
        return Lane(spec, self._admission, in_hand, LENDABLE, ledger, raw_depth)

    def _moments(self, stages: Sequence[AnyStage]) -> Moments | None:
        if not any(isinstance(stage, HostStage) and stage.remembers for stage in stages):
            return None
        left_out = 1 if self._dispatcher.governor is None else max(1, self._dispatcher.governor.pace.every)
        return Moments(self.pipeline.gather, self._admission.every_n * left_out)

    def _furnish(self, route: Route) -> None:
        """Make a route's slots, after those that nobody needs any more were removed; without the lock."""
        with self._one_at_a_time:
            try:
                self._remove_unneeded(max(SPARE, len(self.pipeline.shapes)))
                try:
                    route.lane.furnish()
                except WorkerError:  # for want of memory: the spare ones are given up for it
                    self._remove_unneeded(0)
                    route.lane.furnish()
                if self._sink is not None:
                    self._sink.open(route.number, route.lane.spec, route.lane.ring.memory)
            except Exception as error:
                # Broad on purpose: whatever it was, frames must not wait for slots that nobody makes.
                if not isinstance(error, OnscopeError):
                    error = WorkerError(f"no slots could be made: {error!r}")
                self._supervisor.refuse(route, error)
                return
            with self._changed:
                route.lane.open()
                if self._closed:
                    route.close()
                else:
                    self._supervisor.open(route)
                self._changed.notify_all()

    def _remove_unneeded(self, spare: int) -> None:
        with self._changed:
            unneeded = [route for camera in self._by_name.values() for route in self._unneeded(camera, spare)]
            for route in unneeded:
                camera = self._by_name[route.lane.spec.camera]
                camera.routes = {looks: each for looks, each in camera.routes.items() if each is not route}
                del self._dispatcher.routes[route.number]
                if self._sink is not None and route.lane.furnished:
                    self._sink.close_lane(route.number)
                self._supervisor.forget(route)
                route.end("skipped", "closed")
            self._changed.notify_all()
        for route in unneeded:
            route.close()

    def _unneeded(self, camera: Camera, spare: int) -> list[Route]:
        """Routes beyond the spare ones that no frame stands in, and no one waits for; those used longest ago."""
        others = [route for route in camera.routes.values() if route is not camera.current]
        failed = [route for route in others if route.refusal is not None and not route.lane.furnished]
        kept = [
            route for route in others if route.used and route.lane.furnished and (route.lane.ready or route.why_not)
        ]
        old = kept[: max(0, len(kept) - spare)]
        return failed + [route for route in old if route.lane.idle and not self._dispatcher.busy_with(route)]

    def close(self) -> None:
        """Remove all slots; what is being made is removed as soon as it is there."""
        with self._changed:
            self._closed = True
            routes = list(self._dispatcher.routes.values())
            ready = [route for route in routes if route.lane.furnished]
        for route in ready:
            route.close()
        if self._care is not None:
            self._care.end()


def _sentence(segment: Segment, *, brief: bool = False) -> str:
    spec = segment.spec
    words = f"{'x'.join(map(str, spec.shape))} {spec.dtype}"
    if segment.exposure_ms is not None:
        words += f", {segment.exposure_ms:g} ms"
    return words if brief else f"{spec.camera} segment {segment.index}: {words}"
