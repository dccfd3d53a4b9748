"""What the runtime does with what a box was let say of a lane: it makes slots, results and statistics."""

from __future__ import annotations

import types
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from onscope.runtime import Frame, FrameId, FrameSpec, new_run_id
from onscope.runtime._answers import AnswerSlots
from onscope.runtime._frame import Pixels
from onscope.runtime._lane import Window
from onscope.runtime._route import Route

SLOTS = 8
SPEC = FrameSpec((16, 16), "uint16", camera="cam")
PIXELS = np.zeros(SPEC.shape, np.uint16)
FRAME = Frame(FrameId(new_run_id(), "cam", 0, 0), PIXELS)


class Supervised:
    """The slots that the runtime makes for what was `opened`, by stages of these names."""

    def __init__(self, opened: Mapping[str, Any], names: Sequence[str]) -> None:
        lane: Any = types.SimpleNamespace(spec=SPEC, ring=types.SimpleNamespace(views=[PIXELS]))
        self._lane, self._route = lane, Route(0, lane, [])
        self._route.messages = [{"name": name, "package_sha256": ""} for name in names]
        self.answers: AnswerSlots = self._route.answers_for(opened, SLOTS, 4)
        self._route.answers = self.answers
        assert self._route.answers_for(opened, SLOTS, 4) is self.answers
        assert all(0 <= ns < 1 << 62 for ns in (opened["warm_ns"], *opened["ways_warm_ns"]))
        self._route.graphs, self._route.report = tuple(opened["graphs"]), tuple(opened["report"])
        assert set(self._route.described) > {"graphs", "report"}

    def written(self) -> Pixels:
        """All bytes of all slots."""
        memory = self.answers.pool.memory
        return memory.view(0, (SLOTS, memory.slot_bytes), np.uint8).copy()

    def done(self, message: Mapping[str, Any], slot: int) -> None:
        """A window is a result, and what was frozen with it is kept and told."""
        window = Window([FRAME], [0], answer_slot=slot)
        result = self.answers.result(window, message, (None, [None]), self._lane, "done", 1)
        assert all(
            result[stage].size * result[stage].itemsize <= self.answers.pool.memory.slot_bytes for stage in result
        )
        assert all(
            isinstance(each, float)
            for by in (result.parameters, result.trust)
            for one in by.values()
            for each in one.values()
        )
        self._route.keep_frozen(message["frozen"])
        assert len(self._route.statistics) == len(self._route.frozen) < 1000

    def close(self) -> None:
        self.answers.close()
