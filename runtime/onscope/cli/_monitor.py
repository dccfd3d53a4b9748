"""Numbers of a run while it goes on, in bounded memory; drawing them is `_display`'s affair."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from onscope.runtime import Event, Result
from onscope.runtime.record import frames_per_second, percentiles

from ._likeness import LikenessMeter
from ._psnr import LABELS, PsnrMeter
from ._trust import TrustMeter

RECENT = 500
"""Results that rates and percentiles are taken over."""


@dataclass
class Monitor:
    """Takes every result and event of a run. `add` is called by the consumer, `note` by any thread."""

    psnr: PsnrMeter | None = None
    likeness: LikenessMeter | None = None
    results: int = 0
    late: int = 0
    objects: dict[str, int] = field(default_factory=dict)
    tracks: set[str] = field(default_factory=set)
    """Stages that track: of these, `objects` counts the tracks that began."""
    events: deque[Event] = field(default_factory=lambda: deque(maxlen=6))
    ready: bool = False
    trust: TrustMeter = field(default_factory=TrustMeter)
    _steps: dict[str, deque[float]] = field(default_factory=dict)
    _delivered: deque[int] = field(default_factory=lambda: deque(maxlen=RECENT))

    def add(self, result: Result) -> None:
        """Count a result."""
        self.results += 1
        self.late += result.state == "late"
        self._delivered.append(result.stamps.delivered)
        for step, ms in {**result.stamps.steps_ms(), "whole way": result.latency_ms}.items():
            self._steps.setdefault(step, deque(maxlen=RECENT)).append(ms)
        for stage, answer in result.answers.items():
            if answer.dtype.names is not None and "track" in answer.dtype.names:
                self.tracks.add(stage)
            if (count := objects_in(answer)) is not None:
                self.objects[stage] = self.objects.get(stage, 0) + count
        self.trust.add(result)
        if self.psnr is not None:
            self.psnr.look(result)
        if self.likeness is not None:
            self.likeness.look(result)

    def note(self, event: Event) -> None:
        """Remember an event of the runtime."""
        self.ready = self.ready or event.kind == "ready"
        self.events.append(event)

    @property
    def rate(self) -> float:
        """Results per second, over the recent ones."""
        return frames_per_second(np.array(self._delivered))

    def steps(self) -> dict[str, dict[str, float]]:
        """Percentiles in ms by step, over the recent results; "whole way" is the last."""
        return {step: percentiles(np.array(times)) for step, times in self._steps.items()}

    def words_of(self, stage: str) -> str:
        """How many objects it found, or tracks."""
        tracks, count = stage in self.tracks, self.objects[stage]
        return f"{stage}: {self._note_of(stage)}" if tracks else f"{count:,} {stage}, {self._note_of(stage)}"

    def _note_of(self, stage: str) -> str:
        count = self.objects[stage]
        if stage in self.tracks:
            return f"{count:,} track{'s' * (count != 1)} began"
        return f"{count / max(1, self.results):.1f} per frame"

    def notes(self) -> dict[str, str]:
        """What was measured against a truth, objects per frame, and trust, in words for the recording."""
        notes = {stage: self._note_of(stage) for stage in self.objects}
        if self.psnr is not None and self.psnr.peak is not None:
            notes |= {f"PSNR {name}": f"{mean:.2f} dB" for name, mean in self.psnr.means.items()}
            notes["PSNR of"] = f"{self.psnr.samples} frames, peak {self.psnr.peak:.0f} counts"
        if self.likeness is not None and self.likeness.samples:
            notes |= {f"likeness {name}": f"r {mean:.3f}" for name, mean in self.likeness.means.items()}
        return notes | {f"trust {stage}": words for stage, words in self.trust.words().items()}


def objects_in(answer: npt.NDArray[Any]) -> int | None:
    """How many objects a table or a label image tells of, of tracks those that began; None for other images."""
    if answer.dtype.names is not None:
        if {"track", "age"} <= set(answer.dtype.names):
            return int(np.count_nonzero(answer["age"] == 0))
        return len(answer)
    if answer.dtype not in LABELS or answer.ndim != 2:
        return None
    if answer.size and answer.min() >= 0 and answer.max() < answer.size:  # as decoders number them: quickly counted
        return int(np.count_nonzero(np.bincount(answer.ravel())[1:]))
    return int(np.count_nonzero(np.unique(answer)))
