"""What decoders of label images have in common: the output's channels as planes."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import numpy as np
import numpy.typing as npt

from .._errors import PipelineError
from .._frame import Pixels


class Planes:
    """Takes outputs with the axes `axes`, of which only channel and `spatial` may be larger than 1; PipelineError."""

    def __init__(
        self, axes: Sequence[str], channels: int, expected: str, spatial: tuple[str, ...] = ("y", "x")
    ) -> None:
        names = ("channel", *spatial)
        if not set(names) <= set(axes):
            raise PipelineError(
                f"found an output with the axes {', '.join(axes)}, expected {', '.join(names[:-1])} and x for "
                f"{expected}: correct the package"
            )
        self._axes = tuple(axes)
        self._order = [axes.index(name) for name in names]
        self._channels = channels
        self._expected = expected

    def of(self, output: Pixels) -> npt.NDArray[np.float32]:
        """The output as float32 (channel, *spatial)."""
        channels, *size = (output.shape[place] for place in self._order)
        if channels != self._channels or output.size != channels * prod(size):
            sizes = ", ".join(f"{axis} {size}" for axis, size in zip(self._axes, output.shape, strict=True))
            raise PipelineError(
                f"found an output of {sizes}, expected {self._channels} channels of one image for {self._expected}: "
                "correct the package"
            )
        planes = output.transpose(*self._order, *(at for at in range(output.ndim) if at not in self._order))
        return np.ascontiguousarray(planes.reshape(channels, *size), np.float32)
