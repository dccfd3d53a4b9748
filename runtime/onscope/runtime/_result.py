"""Results: the answers of all stages for one frame or window."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, Literal

import numpy as np

from ._frame import Frame, Pixels


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where a stage's answer comes from: package and compiled graph by their sha256, and the engine that ran it.

    `precision` is which of the package's weights ran: "float32" (its own), "fp16" or "int8".
    """

    package: str
    graph_sha256: str
    provider: str
    precision: str = "float32"


@dataclass(frozen=True, slots=True)
class Stamps:
    """Monotonic nanoseconds of one window's way, in order; `stages` holds each stage's start and end, which those of
    one graph share.

    `received` is that of the frame that completed the window; `submitted` when that was handed over; `copied` when it
    stood in its slot; `sent` when the window went to the worker; `started` and `finished` in the worker;
    `delivered` when the result was back in the acquisition process.
    """

    received: int
    submitted: int
    copied: int
    sent: int
    started: int
    stages: Mapping[str, tuple[int, int]]
    finished: int
    delivered: int

    def steps_ms(self) -> dict[str, float]:
        """Milliseconds by step; they add up to the latency from core receipt to delivery.

        Stages that ran as one graph are one step: "stage denoise+spots".
        """
        steps = {
            "receive": self.submitted - self.received,
            "submit": self.copied - self.submitted,
            "queue": self.sent - self.copied,
            "handoff": self.started - self.sent,
        }
        together: dict[tuple[int, int], list[str]] = {}
        for name, span in self.stages.items():
            together.setdefault(span, []).append(name)
        steps.update({f"stage {'+'.join(names)}": end - start for (start, end), names in together.items()})
        inside = sum(end - start for start, end in together)
        steps["worker"] = self.finished - self.started - inside
        steps["deliver"] = self.delivered - self.finished
        return {name: ns / 1e6 for name, ns in steps.items()}


@dataclass(frozen=True, slots=True, eq=False)
class Result:
    """All stage outputs for one frame or window.

    `result["stage"]` is a read-only array: an image (axes as the frame's, in the stage's own pixels and dtype) or a
    structured table of objects (one row each). `frame` is the one that the answer belongs to, `frames` all of the
    window, in its order; their pixels are the raw ones. Where a frame stands in for others it is there several times.
    The arrays are yours for as long as you keep them. `state` is "late" when it came after the admission's deadline.
    """

    frames: tuple[Frame, ...]
    answers: Mapping[str, np.ndarray[Any, Any]]
    stamps: Stamps
    provenance: Mapping[str, Provenance]
    state: Literal["done", "late"] = "done"
    scales: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    """Pixels of a stage's answer per pixel of the raw frame, by stage."""
    target: int = -1
    """The number of `frame` within `frames`."""
    padded: int = 0
    """How many of `frames` stand in for frames that are not there."""
    state_reset: bool = False
    """Whether recurrent networks began anew with this window."""
    parameters: Mapping[str, Mapping[str, float]] = field(default_factory=lambda: MappingProxyType({}))
    """What the stages' processing used for this window (percentiles in raw counts, say), by stage and name."""
    trust: Mapping[str, Mapping[str, float]] = field(default_factory=lambda: MappingProxyType({}))
    """How far to trust the stages' answers, by stage and name; what was not looked at for this window is left out."""
    suspect: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}))
    """Names of the trust values that are not as usual for the stage's package, by stage; empty where all are."""
    level: int = 0
    """How many steps of its budget of time the runtime had taken for this window, see `onscope.runtime.Budget`."""

    @property
    def frame(self) -> Frame:
        return self.frames[self.target]

    @property
    def latency_ms(self) -> float:
        """Milliseconds from the receipt of the frame that completed the window to the delivery of this result.

        What the answer's own frame waited for later ones is `look_ahead_ms`: the window's doing, not the computer's.
        """
        return (self.stamps.delivered - self.stamps.received) / 1e6

    @property
    def look_ahead_ms(self) -> float:
        """Milliseconds from the receipt of the answer's own frame to that of the one that completed the window."""
        return (self.stamps.received - self.frame.received_ns) / 1e6

    def __getitem__(self, stage: str) -> np.ndarray[Any, Any]:
        try:
            return self.answers[stage]
        except KeyError:
            raise KeyError(f"found no stage {stage!r}, expected one of {', '.join(self.answers)}") from None

    def __iter__(self) -> Iterator[str]:
        return iter(self.answers)

    def copied(self) -> Result:
        """The same result in private memory, so that the slots it came in can serve again."""
        return replace(
            self,
            frames=tuple(replace(frame, pixels=read_only(frame.pixels.copy())) for frame in self.frames),
            answers=MappingProxyType({name: read_only(array.copy()) for name, array in self.answers.items()}),
        )


def read_only(array: Pixels) -> Pixels:
    """The same array, which nobody can write to any more."""
    array.flags.writeable = False
    return array
