"""Stored images as a source: at full, recorded or chosen speed, or one by one."""

from __future__ import annotations

import threading
from collections.abc import Generator, Mapping, Sequence
from contextlib import closing
from itertools import islice
from typing import Any, cast

from onscope.runtime import Frame, FrameId, FrameSpec, SourceError, new_run_id, now_ns

from ._pace import Pace, Steps, wait_until
from ._reel import Reel, Shot


class ReplaySource:
    """Made by `replay`. Files are opened by `frames` and closed when its generator ends.

    `frames` from one thread at a time; `step`, `end`, `pause` and `resume` from any.
    """

    def __init__(self, reel: Reel, pace: Pace, exposure_ms: float | None, steps: Steps | None, what: str) -> None:
        self._reel, self._pace, self._exposure_ms, self._steps, self._what = reel, pace, exposure_ms, steps, what
        self._run = new_run_id()
        self._segments = 0
        self._goes_on = threading.Event()
        self._goes_on.set()
        if pace.speed is not None:
            with closing(cast("Any", reel.shots())) as shots:
                if next(shots).seconds is None:
                    raise SourceError(
                        "found no recorded times in these images, expected them for the recorded pace: give the "
                        "frames per second as a number"
                    )

    def __enter__(self) -> ReplaySource:
        return self

    def __exit__(self, *error: object) -> None:
        self.end()

    def spec(self) -> FrameSpec:
        """What the stored images look like: the first one, where they change."""
        return self._reel.specs[0]

    def specs(self) -> Sequence[FrameSpec]:
        """The same for each camera of a recording."""
        return self._reel.specs

    def step(self, n: int = 1) -> None:
        """Let `n` more frames come; raises SourceError unless the source was opened with `step=True`."""
        if self._steps is None:
            raise SourceError("found a replay that runs by itself, expected one with step=True: open it so")
        self._steps.give(n)

    def end(self) -> None:
        """Where frames come one by one, let no more come than were asked for; `frames` ends then."""
        self._goes_on.set()
        if self._steps is not None:
            self._steps.end()

    @property
    def paused(self) -> bool:
        """Whether no frame comes until `resume`."""
        return not self._goes_on.is_set()

    def pause(self) -> None:
        """Let no more frames come; one that is due already may."""
        self._goes_on.clear()

    def resume(self) -> None:
        """Go on with the next frame, at the same pace."""
        self._goes_on.set()

    def remarks(self) -> Mapping[str, str]:
        """What a recording of this replay should say of its source."""
        return {"source": f"replay of {self._what}"}

    def describe(self) -> Mapping[str, Any]:
        """Where the frames come from, and how fast, as plain values."""
        pace = {"fps": self._pace.fps, "speed": self._pace.speed, "step": self._steps is not None}
        return {"driver": "replay", "of": self._what, **{name: value for name, value in pace.items() if value}}

    def frames(self, n: int | None = None) -> Generator[Frame, None, None]:
        """The first `n` images, or all; each call plays from the beginning, in segments behind those before.

        The first call gives a recording's frames the identity that they were recorded with.
        """
        first_segment = self._segments
        self._segments += 1
        began_ns, received_ns = now_ns(), 0
        asked_ns = began_ns
        with closing(cast("Any", self._reel.shots())) as shots:
            for number, shot in enumerate(islice(shots, n)):
                if self.paused:
                    paused_ns = now_ns()
                    self._goes_on.wait()
                    waited_ns = now_ns() - paused_ns
                    began_ns, asked_ns = began_ns + waited_ns, asked_ns + waited_ns
                if self._steps is not None:
                    if not self._steps.take():
                        return
                    due_ns = there_ns = now_ns()
                else:
                    read_ns = now_ns() - asked_ns
                    due_ns = began_ns + self._pace.due_ns(number, shot)
                    wait_until(due_ns)
                    # Due, and later by what reading took when the file is slower than the speed asked for.
                    there_ns = now_ns() if self._pace.free else min(now_ns(), due_ns + read_ns)
                received_ns = max(received_ns, there_ns)
                segment = first_segment + shot.chapter
                self._segments = max(self._segments, segment + 1)
                yield self._frame(shot, segment, received_ns)
                asked_ns = now_ns()

    def _frame(self, shot: Shot, segment: int, received_ns: int) -> Frame:
        return Frame(
            id=FrameId(shot.run or self._run, shot.camera or self.spec().camera, segment, shot.seq),
            pixels=shot.pixels,
            axes="yx" if shot.pixels.ndim == 2 else "yxs",
            index=shot.index,
            received_ns=received_ns,
            pixel_size_um=shot.pixel_size_um,
            exposure_ms=self._exposure_ms or shot.exposure_ms,
            stage_um=shot.stage_um,
            labels=shot.labels,
        )
