"""A rule of a file, at work."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from ..._errors import RuleError
from ..._frame import FrameId
from ..._selects import several
from .._of_action import of_action
from .._proposal import Proposal
from .._wishes import Target
from ._ask import Ask, read_value
from ._choice import Choice
from ._compile import Compiler, Location, Read, mentions_gone
from ._cooldowns import Begun, Cooldowns
from ._look import Look
from ._models import RuleModel
from ._nodes import Node
from ._objects import Objects
from ._spot import position_name
from ._texts import pick
from ._truth import Flags

Rows = npt.NDArray[np.intp]


class FileRule:
    """Raises RuleError for what does not fit together in what is written."""

    def __init__(self, name: str, model: RuleModel, compiler: Compiler, at: Location) -> None:
        self.name, self.priority, self._model = name, model.priority, model
        before = len(compiler.reads)
        when = model.when
        self._when: Node | None = None if when is None else compiler.node(when, model.each, (*at, "when"))
        self._key = next(compiler.keys)
        self._cooldowns, self._begun = Cooldowns(model.pause, self._key), Begun()
        self._choice = None if model.pick is None else Choice(pick(model.pick), self._key)
        self.asks = [Ask(one) for one in model.then]
        for number, ask in enumerate(self.asks):
            place: Location = (*at, "then", number, ask.kind)
            compiler.reads += [Read(model.each, value, (*place, field)) for field, value in ask.names]
        if model.each is not None:
            tracked = model.pick is not None or (model.pause is not None and model.pause.scope == "object")
            compiler.reads.append(Read(model.each, "", (*at, "each"), tracked and model.pick is None))
        self.reads = compiler.reads[before:]
        self.stages = {read.of for read in self.reads if read.of is not None}
        self._gone = mentions_gone(when)
        self._choices = {axis: several(getattr(model, axis)) for axis in ("camera", "channel", "position")}
        self._values = {read.value for read in self.reads if read.value not in ("", "inside") and read.of == model.each}

    def propose(self, look: Look) -> list[Proposal]:
        """What it asks for, of one result; raises RuleError for values that are not there."""
        if not self._takes(look):
            return []
        began = time.perf_counter_ns()
        model = self._model
        objects = None if model.each is None else look.objects(model.each, model.tracks, self._gone)
        holds = self._holds(look, objects)
        position, ns = position_name(look.seen.frame), look.ns
        ready = self._cooldowns.ready(position, objects, ns)
        if objects is None:
            rows = np.zeros(int(bool(holds & ready)), np.intp)
        elif self._choice is not None:
            rows = self._choice.of(holds, look, objects)
            rows = rows[np.broadcast_to(ready, len(objects))[rows]]
        else:
            rows = np.flatnonzero(holds & ready)
        rows = rows[: 1 if self._cooldowns.one_at_a_time and not model.together else len(rows)]
        rows = rows if model.together else rows[: model.most]
        if not len(rows):
            return []
        each = [rows] if model.together else [rows[at : at + 1] for at in range(len(rows))]
        proposals = [one for some in each for one in self._proposals(look, objects, some, began)]
        for some in each:
            undo = self._cooldowns.begin(position, objects, some, ns)
            track = 0 if objects is None else int(objects.track[some[0]])
            self._begun.note(look.seen.frame.id, track, len(self.asks), undo)
        return proposals

    def refused(self, frame: FrameId, track: int) -> None:
        """The gate has refused one of the proposals for a frame's track."""
        self._begun.refused(frame, track)

    def _takes(self, look: Look) -> bool:
        frame, chosen = look.seen.frame, self._choices
        camera, channel, position = chosen["camera"], chosen["channel"], chosen["position"]
        return (
            (self._model.action_frames or not of_action(frame))
            and (camera is None or frame.id.camera in camera)
            and (channel is None or not channel.isdisjoint((frame.index.get("c", 0), frame.labels.get("c", ""))))
            and (position is None or not position.isdisjoint((frame.index.get("p", 0), frame.labels.get("p", ""))))
            and all(stage in look.tables for stage in self.stages)  # others do not run on this frame
        )

    def _holds(self, look: Look, objects: Objects | None) -> Flags:
        shape = () if objects is None else (len(objects),)
        holds = np.ones(shape, bool) if self._when is None else self._when.holds(look, objects).yes
        holds = np.broadcast_to(holds, shape)
        if self._model.repeat:
            return holds
        key = self._key, "held"
        if objects is not None and objects.roster is not None:
            before = objects.recall(key, False, np.bool_)
            objects.keep(key, False, holds.copy())
        else:
            before = np.asarray(look.spot.field.get(key, False))
            look.spot.field[key] = bool(holds.any())
        return holds & ~before

    def _proposals(self, look: Look, objects: Objects | None, rows: Rows, began: int) -> list[Proposal]:
        first = int(rows[0])
        values = self._values_of(look, objects, first)
        target = None if objects is None else self._target(objects, rows, values)
        because = self._because(look, objects, rows)
        asked = [ask.asked(look, objects, first) for ask in self.asks]
        seen = look.seen
        proposed_ns = seen.now_ns + time.perf_counter_ns() - began
        return [
            Proposal(
                self.name,
                one,
                because,
                seen.frame.id,
                seen.frame.received_ns,
                proposed_ns,
                self.priority,
                target,
                values,
                dict(seen.models),
            )
            for one in asked
        ]

    def _values_of(self, look: Look, objects: Objects | None, at: int) -> Mapping[str, float]:
        told: dict[str, float] = {}
        for name in sorted(self._values):
            try:
                value = read_value(name, look, objects, at)
            except RuleError:
                continue
            if math.isfinite(value):
                told[name] = value
        return told

    def _target(self, objects: Objects, rows: Rows, values: Mapping[str, float]) -> Target:
        first = rows[0]
        more: dict[str, Any] = dict(values)
        if self._model.together:
            more |= {"labels": tuple(objects.label[rows].tolist()), "tracks": tuple(objects.track[rows].tolist())}
        y, x = float(objects.y[first]), float(objects.x[first])
        return Target(int(objects.label[first]), int(objects.track[first]), y, x, more)

    def _because(self, look: Look, objects: Objects | None, rows: Rows) -> str:
        first = int(rows[0])
        why = "no condition" if self._when is None else self._when.words(first)
        if objects is None:
            return why
        track, label = int(objects.track[first]), int(objects.label[first])
        name = f"track {track}" if track else f"object {label}" if label else f"row {first}"
        others = f" (and {len(rows) - 1} more)" if len(rows) > 1 else ""
        picked = f", the {self._model.pick}" if self._model.pick is not None else ""
        return f"{name} of {self._model.each}{others}{picked}: {why}"
