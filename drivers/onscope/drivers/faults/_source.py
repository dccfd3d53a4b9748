"""A source before which a schedule of faults stands: frames that are lost, late, or held back."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol, cast

from onscope.runtime import Frame, FrameSpec, Source, describe_source, now_ns, specs_of


class Schedule(Protocol):
    """What the source needs to know of a schedule."""

    @property
    def burst_frames(self) -> int: ...
    def drops(self, camera: str, segment: int, seq: int) -> bool: ...
    def late_ms(self, camera: str, segment: int, seq: int) -> float: ...
    def holds_up(self, camera: str, segment: int, seq: int) -> bool: ...


class FaultySource:
    """Made by `FaultSchedule.inject`. Frames that come are the inner source's own, but for `received_ns`.

    `injected` counts what befell them since it was made.
    """

    def __init__(self, source: Source, schedule: Schedule) -> None:
        self._source = source
        self._schedule = schedule
        self.injected: Counter[str] = Counter()

    def spec(self) -> FrameSpec:
        """The inner source's."""
        return self._source.spec()

    def specs(self) -> Sequence[FrameSpec]:
        """The inner source's, camera by camera."""
        return specs_of(self._source)

    def remarks(self) -> Mapping[str, str]:
        """What the inner source remarks, and the faults: a recording says that its trouble was made on purpose."""
        remarks: Mapping[str, str] = getattr(self._source, "remarks", dict)()
        came = ", ".join(f"{count} {kind}" for kind, count in sorted(self.injected.items()))
        return {**remarks, "faults": f"on purpose, {self._schedule}; of the camera: {came or 'none'}"}

    def describe(self) -> Mapping[str, Any]:
        """What the inner source says of itself, and the schedule before it."""
        return {**describe_source(self._source), "faults": str(self._schedule)}

    def frames(self, n: int | None = None) -> Generator[Frame, None, None]:
        """`n` frames, or all that come: the inner source's counter jumps over those that are lost."""
        given = 0
        if n is not None and n < 1:
            return
        with closing(cast("Any", self._source.frames())) as frames:
            for frame in self._passed(frames):
                yield frame
                given += 1
                if given == n:
                    return

    def _passed(self, frames: Iterable[Frame]) -> Iterator[Frame]:
        held: list[Frame] = []
        hold = 0
        last_ns = 0
        for frame in frames:
            who = frame.id.camera, frame.id.segment, frame.id.seq
            if self._schedule.drops(*who):
                self.injected["frames dropped"] += 1
                continue
            frame = self._late(frame, last_ns)
            last_ns = frame.received_ns
            if not hold and self._schedule.holds_up(*who):
                self.injected["bursts"] += 1
                hold = self._schedule.burst_frames
            held.append(frame)
            hold -= hold > 0
            if not hold:
                yield from (replace(each, received_ns=last_ns) for each in held)
                held = []
        yield from (replace(each, received_ns=last_ns) for each in held)

    def _late(self, frame: Frame, last_ns: int) -> Frame:
        late_ns = round(self._schedule.late_ms(frame.id.camera, frame.id.segment, frame.id.seq) * 1e6)
        if not late_ns:
            return frame if frame.received_ns >= last_ns else replace(frame, received_ns=last_ns)
        due_ns = max(frame.received_ns + late_ns, last_ns)
        while (ahead_ns := due_ns - now_ns()) > 0:
            time.sleep(ahead_ns / 1e9)
        return replace(frame, received_ns=due_ns)


class TruthfulFaultySource(FaultySource):
    """The same before a source that can save what is true of its frames."""

    def keep_truth(self, folder: Path) -> AbstractContextManager[Any]:
        """The inner source's."""
        kept: AbstractContextManager[Any] = cast("Any", self._source).keep_truth(folder)
        return kept


def faulty(source: Source, schedule: Schedule) -> FaultySource:
    """The source behind a schedule of faults."""
    return (TruthfulFaultySource if hasattr(source, "keep_truth") else FaultySource)(source, schedule)
