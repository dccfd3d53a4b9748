"""From a path to a source: what lies there decides how it is read."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from onscope.runtime import SourceError

from ._folder import SUFFIXES, TIFF_SUFFIXES, FolderReel, images_in
from ._linked import LinkedReel
from ._ndtiff import INDEX, NDTiffReel
from ._ngff import is_zarr
from ._pace import Steps, pace_of
from ._recording import MANIFEST, RecordingReel, opened
from ._reel import Reel
from ._source import ReplaySource
from ._stack import StackReel
from ._zarr import ZarrReel

FULL = "Full resolution"
RAW = re.compile(r"raw(-\d+)?\.ome\.zarr")
NO_PICK: Mapping[str, int] = MappingProxyType({})


def replay(
    path: str | os.PathLike[str],
    fps: float | str | None = None,
    *,
    speed: float | str | None = None,
    step: bool = False,
    camera: str | None = None,
    pick: Mapping[str, int] | str = NO_PICK,
    colour: bool | None = None,
    pixel_size_um: float | None = None,
    exposure_ms: float | None = None,
) -> ReplaySource:
    """Stored images as a Source: a recording of onscope, OME-Zarr, NDTiff, TIFF stacks, or a folder of images.

    `fps` is the pace: None as fast as frames are taken, a number of frames per second, or "recorded" (recordings,
    and whatever has times of its images); `speed` is a multiple of the recorded pace. With `step` every frame
    waits for a call of the source's `step()`. Frames are never dropped: one that is taken late comes at once, and its
    `received_ns` is still the moment it was due, so that the wait is seen as latency.

    Pixels are uint8, uint16 or float32, grey or RGB, unaltered, NaN included; alpha is dropped. Images stored as RGB
    with equal R, G and B are given as grey, judged by the first one; `colour` True keeps them RGB, and False, the one
    choice that computes pixels, turns tinted ones into their luminance (ITU-R BT.601).
    `Frame.index` tells t, p, c and z; an axis without a meaning counts as t. `pick` chooses images, {"c": 1} (or the
    text "c=1") for one channel. Images of a folder are time points in natural order. Images that are missing in an
    OME-Zarr or NDTiff are not given as black frames: `seq` jumps over them.

    A recording of onscope comes back as it was: with all its cameras (`camera` chooses one; elsewhere it names the
    camera), numbers, losses, segments, names, times and positions.

    The object is also a context manager, as `--source replay:PATH` needs it. Raises SourceError when the path is
    missing, damaged or of another kind, and while reading when an image does not fit the first one.
    """
    pace, steps = pace_of(fps, speed), Steps() if step else None
    if step and not pace.free:
        raise SourceError(
            "found step=True with fps or speed, expected one of them: frames come when asked for, or paced"
        )
    place = Path(path).expanduser()
    if RAW.fullmatch(place.name) and (place.parent / MANIFEST).is_file():
        place = place.parent
    if place.suffix.lower() in TIFF_SUFFIXES and (place.parent / INDEX).is_file():
        place = place.parent
    picked = _pick(pick)
    reel = _reel(place, camera, picked, colour, pixel_size_um)
    return ReplaySource(reel, pace, exposure_ms, steps, str(place))


def _reel(
    place: Path, camera: str | None, pick: Mapping[str, int], colour: bool | None, pixel_size_um: float | None
) -> Reel:
    if not place.exists():
        raise SourceError(f"found nothing at {place}, expected images or a recording: look at its path")
    if place.is_file() and place.suffix.lower() in TIFF_SUFFIXES:
        return StackReel(place, camera, pick, colour, pixel_size_um)
    if (place / FULL / INDEX).is_file():  # a data set with a pyramid
        place = place / FULL
    if (place / INDEX).is_file():
        return NDTiffReel(place, camera, pick, colour, pixel_size_um)
    named = camera or "replay"
    if not (place / MANIFEST).is_file() and is_zarr(place):
        return ZarrReel(place, named, pick, pixel_size_um)
    if pick:
        raise SourceError(
            f"found pick={dict(pick)} for {place}, expected it with TIFF stacks, NDTiff and OME-Zarr: leave it out; a "
            "stage chooses frames of a recording by its `channel` and `position`"
        )
    if (place / MANIFEST).is_file():
        run = opened(place)
        if not len(run) and run.links:
            return LinkedReel(run, _linked, camera, pixel_size_um)
        return RecordingReel(place, camera, pixel_size_um)
    if place.is_dir():
        return FolderReel(images_in(place), named, colour, pixel_size_um)
    if place.suffix.lower() in SUFFIXES:
        return FolderReel([place], named, colour, pixel_size_um)
    raise SourceError(
        f"found {place.suffix or 'no suffix'} in the name {place}, expected one of {', '.join(SUFFIXES)}, a folder "
        "of images, an OME-Zarr, an NDTiff or a recording: convert the file"
    )


def _linked(place: Path) -> Reel:
    """A data set that a recording points to."""
    if (place / MANIFEST).is_file():  # it could point back
        raise SourceError(f"found a recording at {place}, expected the data set of an acquisition: replay it by itself")
    return _reel(place, None, NO_PICK, None, None)


def _pick(pick: Mapping[str, int] | str) -> Mapping[str, int]:
    """`c=1,p=0` as a mapping; raises SourceError for another text."""
    if not isinstance(pick, str):
        return pick
    found: dict[str, int] = {}
    for part in filter(None, pick.split(",")):
        axis, _, number = part.partition("=")
        if not axis.strip() or not number.strip().isdecimal() or len(number) > 9:
            raise SourceError(f"found pick={pick!r}, expected axes and numbers: c=1 or p=0,z=3")
        found[axis.strip()] = int(number)
    return found
