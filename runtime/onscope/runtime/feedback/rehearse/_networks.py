"""A pipeline's networks on the frames of a rehearsal, one after the other, in this process."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from types import MappingProxyType

import numpy as np

from ..._frame import Frame, FrameSpec, spec_of
from ..._pipeline import Pipeline
from ..._result import Provenance, Result
from ...windows import Places
from ...worker import Chain, Moment, as_table
from ._answers import result_of
from ._stage import Shot

MOST_PLACES = 64


class NetworkAnswers:
    """Results as the worker gives them: the same Chain, the same places for trackers and windows.

    Windows are of consecutive frames of one place; a stage that chooses channels or positions runs on those alone.
    `threads`: of the engine. Raises what a Chain raises.
    """

    def __init__(
        self,
        pipeline: Pipeline,
        spec: FrameSpec,
        provider: str = "auto",
        threads: int | None = None,
        tell: Callable[[str], object] = lambda words: None,
    ) -> None:
        self._pipeline, self._spec = pipeline.on(provider), spec
        self._stages = self._pipeline.stages_of(spec.camera)
        self._chain = Chain(self._pipeline.opening(spec, provider, threads), tell)
        self._places = Places("t")
        self._lives: dict[object, tuple[int, deque[Frame]]] = {}
        self._provenance = MappingProxyType(
            {
                stage.name: Provenance(str(stage.message().get("package_sha256", "")), answer.graph, answer.provider)
                for stage, answer in zip(self._stages, self._chain.opened, strict=True)
            }
        )

    def result(self, shot: Shot) -> Result | None:
        frame = shot.frame
        if spec_of(frame).shape != self._spec.shape:
            self._spec.check(frame.pixels)
        chosen = tuple(number for number, stage in enumerate(self._stages) if stage.takes(frame))
        if not chosen:
            return None
        self._places.begins_segment(frame)
        where = self._places.locate(frame)
        place, held = self._lives.setdefault(
            where.place.name, (len(self._lives), deque(maxlen=self._pipeline.gather.length))
        )
        reset = where.changed or where.begins or where.place.windows == 0
        where.place.windows += 1
        if reset:
            held.clear()
        held.append(frame)
        if len(held) < self._pipeline.gather.length:
            return None
        window = [np.ascontiguousarray(each.pixels) for each in held]
        moment = Moment(place, where.at, reset)
        answers, _ = self._chain.run(window, chosen, place, reset, frame.index.get("c"), None, moment=moment)
        told, scales = {}, {}
        for number, answer in zip(chosen, answers, strict=True):
            opened = self._chain.opened[number]
            told[opened.stage] = as_table(answer, opened.columns) if opened.columns else answer
            if not opened.columns:
                scales[opened.stage] = answer.shape[opened.axes.index("y")] / self._spec.shape[0]
        watches = self._chain.watches
        return result_of(
            frame,
            told,
            {name: self._provenance[name] for name in told},
            tuple(held),
            scales=MappingProxyType(scales),
            target=self._pipeline.gather.target,
            state_reset=self._chain.began_anew,
            parameters=MappingProxyType(dict(self._chain.parameters)),
            trust=MappingProxyType(dict(watches.trust)),
            suspect=MappingProxyType({stage: tuple(names) for stage, names in watches.suspect.items()}),
        )
