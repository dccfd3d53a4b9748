"""Between a frame's axes and a network's: names decide, never the number of dimensions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ._errors import PipelineError
from ._frame import Pixels


def to_tensor(array: Pixels, have: str, want: Sequence[str]) -> Pixels:
    """View or copy `array` with the axes `have` as a network's tensor with the axes `want`.

    `have` is a string of t (frames of the window), y, x, s (RGB samples); `want` names a package's axes: batch, time,
    channel, z, y, x, index. t goes to time, else z, else channel; s to channel; missing axes become size 1. Raises
    PipelineError when an axis of size over 1 has no place, or y or x is missing.
    """
    letters = [_letter(axis, want, have) for axis in want]
    homeless = [axis for axis in have if axis not in letters]
    if any(array.shape[have.index(axis)] > 1 for axis in homeless):
        raise no_place(want, homeless)
    kept = [axis for axis in have if axis not in homeless]
    array = array.reshape([array.shape[have.index(axis)] for axis in kept])
    array = array.transpose([kept.index(axis) for axis in letters if axis])
    sizes = iter(array.shape)
    return np.ascontiguousarray(array.reshape([next(sizes) if axis else 1 for axis in letters]))


def no_place(want: Sequence[str], homeless: Sequence[str]) -> PipelineError:
    """What to raise when a network with the axes `want` has none for the letters `homeless`."""
    names = {"t": "the frames of a window", "s": "the samples of RGB pixels", "y": "rows", "x": "columns"}
    return PipelineError(
        f"found a network with the axes {', '.join(want)}, expected one that takes "
        f"{' and '.join(names.get(axis, f'the axis {axis}') for axis in homeless)}: choose another package or "
        "another window"
    )


def _letter(axis: str, want: Sequence[str], have: str) -> str:
    if axis in ("y", "x"):
        return axis
    if axis == "channel" and "s" in have:
        return "s"
    home_of_t = next((name for name in ("time", "z", "channel") if name in want), "")
    return "t" if "t" in have and axis == home_of_t and not (axis == "channel" and "s" in have) else ""


def from_tensor(array: Pixels, axes: Sequence[str]) -> tuple[Pixels, str]:
    """A network's image output as (array, axes string): axes of size 1 but y and x dropped, channels last as `c`."""
    named = [(axis, size) for axis, size in zip(axes, array.shape, strict=True)]
    kept = [axis for axis, size in named if axis in ("y", "x") or size > 1]
    array = array.reshape([size for axis, size in named if axis in ("y", "x") or size > 1])
    if "channel" in kept:
        array = np.moveaxis(array, kept.index("channel"), -1)
        kept.remove("channel")
        kept.append("channel")
    letters = {"channel": "c", "time": "t", "batch": "b", "index": "i"}
    return array, "".join(letters.get(axis, axis) for axis in kept)
