"""From steps to shots: which frame is due when, pure and the same each time."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import NamedTuple

from onscope.runtime import FrameSpec, SourceError

from ._steps import Burst, Change, Drop, Fail, Move, Pause, Restart, Steady, Step

NOWHERE: Mapping[str, int] = MappingProxyType({})
UNNAMED: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Look:
    """How frames are taken: their spec, the exposure in ms, the binning, and where they are in the acquisition."""

    spec: FrameSpec
    exposure_ms: float | None = None
    binning: int = 1
    index: Mapping[str, int] = field(default_factory=lambda: NOWHERE)
    labels: Mapping[str, str] = field(default_factory=lambda: UNNAMED)
    stage_um: tuple[float, float, float] | None = None


class Shot(NamedTuple):
    """One frame to come: `offset_ns` after the start; None: when it is asked for. `segment` counts within the call.

    With `error` it is no frame but the camera's failure, and `step` the one that comes after it.
    """

    offset_ns: int
    free: bool
    segment: int
    seq: int
    look: Look
    error: str | None = None
    step: int = 0


def shots(script: Sequence[Step], look: Look, seed: int, first_step: int = 0) -> Iterator[Shot]:
    """The frames of the script from step `first_step` on; what the steps before changed is as they left it."""
    names: dict[str, dict[str, int]] = {"p": {}, "c": {}}
    began_ns = 0.0
    segment = seq = 0
    for number, step in enumerate(script):
        if isinstance(step, Change | Move):
            look = changed(look, step, names)
        if number < first_step:
            continue
        if isinstance(step, Steady | Burst):
            interval_ns = 0.0 if step.fps is None else 1e9 / step.fps
            jitter_ns = step.jitter * interval_ns if isinstance(step, Steady) else 0.0
            chance = random.Random(f"{seed} {number}").random
            made = 0
            while step.n is None or made < step.n:
                made += 1
                early_ns = jitter_ns * chance() if jitter_ns else 0.0
                due_ns = round(began_ns + made * interval_ns - early_ns)
                yield Shot(due_ns, step.fps is None, segment, seq, look)
                seq += 1
            began_ns += made * interval_ns
        elif isinstance(step, Pause):
            began_ns += step.ms * 1e6
        elif isinstance(step, Drop):
            seq += step.n
        elif isinstance(step, Restart | Change):
            segment, seq = segment + 1, 0
        elif isinstance(step, Fail):
            yield Shot(round(began_ns), False, segment, seq, look, step.message, number + 1)
            return


def looks(script: Sequence[Step], look: Look) -> list[Look]:
    """How frames look at the start and after each step; raises SourceError for a script that cannot be played."""
    names: dict[str, dict[str, int]] = {"p": {}, "c": {}}
    found = [look]
    for number, step in enumerate(script):
        if not isinstance(step, Step):
            raise SourceError(f"found {step!r:.60} in a script, expected steps like scripted.Steady(200, fps=100)")
        if isinstance(step, Steady) and step.n is None and number < len(script) - 1:
            raise SourceError("found steps after Steady(None, ...), expected it as the last one: it never ends")
        if isinstance(step, Change | Move):
            look = changed(look, step, names)
        found.append(look)
    return found


def changed(look: Look, step: Change | Move, names: Mapping[str, dict[str, int]]) -> Look:
    """The look after a step; `names` remembers the numbers of named positions and channels."""
    if isinstance(step, Change):
        return _changed_camera(look, step)
    index, labels = dict(look.index), dict(look.labels)
    for axis, place in (("p", step.position), ("c", step.channel), ("z", step.z)):
        if isinstance(place, str):
            index[axis] = names[axis].setdefault(place, len(names[axis]))
            labels[axis] = place
        elif place is not None:
            index[axis] = place
            labels.pop(axis, None)
    stage_um = look.stage_um if step.stage_um is None else step.stage_um
    return replace(look, index=MappingProxyType(index), labels=MappingProxyType(labels), stage_um=stage_um)


def _changed_camera(look: Look, step: Change) -> Look:
    spec = look.spec
    binning = step.binning or look.binning
    size = spec.shape[:2] if step.shape is None else step.shape
    pixel_size_um = step.pixel_size_um or spec.pixel_size_um
    if binning != look.binning:
        if step.shape is None:
            size = tuple(side * look.binning // binning for side in size)
        if step.pixel_size_um is None and pixel_size_um is not None:
            pixel_size_um *= binning / look.binning
    return replace(
        look,
        spec=spec_of(size, step.dtype or spec.dtype, step.axes or spec.axes, spec.camera, pixel_size_um),
        exposure_ms=step.exposure_ms or look.exposure_ms,
        binning=binning,
    )


def spec_of(size: Sequence[int], dtype: str, axes: str, camera: str, pixel_size_um: float | None) -> FrameSpec:
    """The FrameSpec of frames of (y, x) pixels; raises FrameMismatchError."""
    spec = FrameSpec((*size, 3) if axes == "yxs" else tuple(size), dtype, axes, camera, pixel_size_um)
    if size[0] * size[1] < 16:
        raise SourceError(f"found frames of {size[0]}x{size[1]} pixels in a script, expected at least 16 pixels")
    return replace(spec, bit_depth=8 * {"uint8": 1, "uint16": 2, "float32": 4}[dtype])
