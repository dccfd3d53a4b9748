"""Stored images as a source: at full, recorded or chosen speed."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Generator, Mapping
from contextlib import closing
from itertools import islice
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, cast

from onscope.runtime import Frame, FrameId, FrameSpec, SourceError, new_run_id, now_ns

from ._folder import SUFFIXES, TIFF_SUFFIXES, FolderReel, images_in
from ._recording import MANIFEST, RecordingReel
from ._reel import Reel, Shot
from ._stack import StackReel

NO_PICK: Mapping[str, int] = MappingProxyType({})
Speed = float | Literal["recorded"] | None


def replay(
    path: str | os.PathLike[str],
    fps: float | str | None = None,
    *,
    camera: str | None = None,
    pick: Mapping[str, int] = NO_PICK,
    colour: bool | None = None,
    pixel_size_um: float | None = None,
    exposure_ms: float | None = None,
) -> ReplaySource:
    """Stored images as a Source: a TIFF stack, a folder of PNG or TIFF images, or a recording of onscope.

    `fps` is the speed: None as fast as frames are taken, a number of frames per second, or "recorded" (recordings,
    ImageJ stacks with an interval, Micro-Manager stacks). Frames are never dropped: one that is taken late comes at
    once, and its `received_ns` is still the moment it was due, so that the wait is seen as latency.

    Pixels are uint8, uint16 or float32, grey or RGB, unaltered, NaN included; alpha is dropped. Images stored as RGB
    with equal R, G and B are given as grey, judged by the first one; `colour` True keeps them RGB, and False, the one
    choice that computes pixels, turns tinted ones into their luminance (ITU-R BT.601).
    Axes of a stack: every plane of its first series is a frame, in the order of the file, and `Frame.index` tells
    t, p, c and z; an axis without a meaning counts as t. `pick` chooses planes, {"c": 1} for one channel. Images of a
    folder are time points in natural order. A recording keeps its camera's numbers (losses included), times and
    positions, and a recorded segment begins a segment; `camera` chooses among several there and names it elsewhere.

    The object is also a context manager, as `--source replay:PATH` needs it. Raises SourceError when the path is
    missing, damaged or of another kind, and while reading when an image does not fit the first one.
    """
    place = Path(path).expanduser()
    speed = _speed(fps)
    if place.name.endswith(".zarr") and (place.parent / MANIFEST).is_file():
        place = place.parent
    if not place.exists():
        raise SourceError(f"found nothing at {place}, expected a TIFF file, a folder of images or a recording")
    reel: Reel
    if (place / MANIFEST).is_file():
        reel = RecordingReel(place, camera, pixel_size_um)
    elif place.is_dir():
        reel = FolderReel(images_in(place), camera or "replay", colour, pixel_size_um)
    elif place.suffix.lower() in TIFF_SUFFIXES:
        reel = StackReel(place, camera or "replay", pick, colour, pixel_size_um)
    elif place.suffix.lower() in SUFFIXES:
        reel = FolderReel([place], camera or "replay", colour, pixel_size_um)
    else:
        raise SourceError(
            f"found {place.suffix or 'no suffix'} in the name {place}, expected one of {', '.join(SUFFIXES)}, a folder "
            "of images or a recording: convert the file"
        )
    if pick and not isinstance(reel, StackReel):
        raise SourceError(f"found pick={dict(pick)} for {place}, expected it with TIFF stacks alone: leave it out")
    return ReplaySource(reel, speed, exposure_ms)


class ReplaySource:
    """Made by `replay`. Files are opened by `frames` and closed when its generator ends."""

    def __init__(self, reel: Reel, speed: Speed, exposure_ms: float | None) -> None:
        self._reel, self._speed, self._exposure_ms = reel, speed, exposure_ms
        self._run = new_run_id()
        self._segments = 0
        if speed == "recorded":
            with closing(cast("Any", reel.shots())) as shots:
                if next(shots).seconds is None:
                    raise SourceError(
                        "found no recorded times in these images, expected them for fps='recorded': give the frames "
                        "per second as a number"
                    )

    def __enter__(self) -> ReplaySource:
        return self

    def __exit__(self, *error: object) -> None:
        """Nothing stays open between calls of `frames`."""

    def spec(self) -> FrameSpec:
        """What the stored images look like."""
        return self._reel.spec

    def frames(self, n: int | None = None) -> Generator[Frame, None, None]:
        """The first `n` images, or all; each call plays from the beginning, in a new segment."""
        first_segment, self._segments = self._segments, self._segments + 1
        began_ns, received_ns = now_ns(), 0
        asked_ns = began_ns
        with closing(cast("Any", self._reel.shots())) as shots:
            for number, shot in enumerate(islice(shots, n)):
                read_ns = now_ns() - asked_ns
                due_ns = began_ns + self._due_ns(number, shot)
                while (ahead_ns := due_ns - now_ns()) > 0:
                    time.sleep(ahead_ns / 1e9)
                # Due, and later by what reading took when the file is slower than the speed asked for.
                there_ns = now_ns() if self._speed is None else min(now_ns(), due_ns + read_ns)
                received_ns = max(received_ns, there_ns)
                self._segments = max(self._segments, first_segment + shot.chapter + 1)
                yield Frame(
                    id=FrameId(self._run, self._reel.spec.camera, first_segment + shot.chapter, shot.seq),
                    pixels=shot.pixels,
                    axes=self._reel.spec.axes,
                    index=shot.index,
                    received_ns=received_ns,
                    pixel_size_um=shot.pixel_size_um,
                    exposure_ms=self._exposure_ms or shot.exposure_ms,
                    stage_um=shot.stage_um,
                )
                asked_ns = now_ns()

    def _due_ns(self, number: int, shot: Shot) -> int:
        """Nanoseconds after the start."""
        if self._speed is None:
            return 0
        if self._speed == "recorded":
            return round((shot.seconds or 0.0) * 1e9)
        return round(number / self._speed * 1e9)


def _speed(fps: float | str | None) -> Speed:
    if fps is None or fps == "recorded":
        return cast("Speed", fps)
    try:
        speed = float(fps)
    except ValueError:
        speed = math.nan
    if not 0 < speed < math.inf:
        raise SourceError(f"found fps={fps!r}, expected a number above 0, 'recorded' or nothing for full speed")
    return speed
