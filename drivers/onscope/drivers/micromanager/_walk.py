"""A source whose stage wanders in small seeded steps between the frames."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import closing, suppress
from typing import Any, cast

import numpy as np

from onscope.runtime import Frame, FrameSpec, Source, SourceError, describe_source

from ._scope import Scope


class StageWalk:
    """`source` with a step of the XY stage after every `every`-th frame, as a living sample would drift.

    The steps are drawn evenly from -`step_um` to `step_um` in x and y (micrometres, seeded) and never lead further
    than `range_um` from the start. The command is sent from the thread that takes the frames, after the caller is
    done with one and before the next is taken: that takes about 0.1 ms, and nothing waits for the stage to arrive; a
    stage that is still on its way is left to it, and the step is made after the next frame. At the end the camera is
    stopped first, then the stage goes back to where it began.
    """

    def __init__(
        self,
        source: Source,
        scope: Scope,
        seed: int = 0,
        *,
        step_um: float = 0.5,
        range_um: float = 20.0,
        every: int = 1,
    ) -> None:
        if not 0 <= step_um <= range_um or every < 1:
            raise SourceError(
                f"found steps of {step_um} um in a range of {range_um} um every {every} frames, expected steps of at "
                "least 0 that fit the range, every 1 or more frames"
            )
        self._source, self._scope, self._seed = source, scope, seed
        self._step_um, self._range_um, self._every = step_um, range_um, every

    def spec(self) -> FrameSpec:
        """That of the source."""
        return self._source.spec()

    def describe(self) -> dict[str, Any]:
        """What the source says of itself, and the steps."""
        steps = {"seed": self._seed, "step_um": self._step_um, "range_um": self._range_um, "every": self._every}
        return {**describe_source(self._source), "stage_walk": steps}

    def frames(self, n: int | None = None) -> Generator[Frame, None, None]:
        """The source's frames; the same seed makes the same steps each time."""
        rng = np.random.default_rng(self._seed)
        offset = np.zeros(2)
        begin_um = self._scope.read_stage()
        inner = self._source.frames(n)
        try:
            with closing(cast("Any", inner)):
                due = False
                for taken, frame in enumerate(inner, start=1):
                    yield frame
                    due = due or taken % self._every == 0
                    if due and not self._scope.is_moving():
                        target = offset + rng.uniform(-self._step_um, self._step_um, 2)
                        target = np.clip(target, -self._range_um, self._range_um)
                        self._scope.move_xy(float(target[0] - offset[0]), float(target[1] - offset[1]))
                        offset, due = target, False
        finally:
            with suppress(SourceError):  # the scope may be closed by now, and its stage gone
                self._go_back(begin_um)

    def _go_back(self, begin_um: tuple[float, float, float] | None) -> None:
        self._scope.wait_stage()
        here_um = self._scope.read_stage()
        if begin_um is not None and here_um is not None and here_um != begin_um:
            self._scope.move_xy(begin_um[0] - here_um[0], begin_um[1] - here_um[1])
            self._scope.wait_stage()
            self._scope.read_stage()
