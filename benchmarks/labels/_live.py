"""A pipeline as the worker runs it: compiled graphs and decoders, frame by frame, on one thread."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from onscope.runtime import FrameSpec, Pipeline, Stage
from onscope.runtime.trust import OFF
from onscope.runtime.worker import Chain

Array = npt.NDArray[Any]


class Live:
    """Answers of packages to frames (y, x), each reading the one before it; opened anew for each size of frames.

    `settings` are those of the last one.
    """

    def __init__(self, *packages: str, settings: Mapping[str, Any] | None = None) -> None:
        self._packages = packages
        self._settings = (*[None] * (len(packages) - 1), settings)
        self._chains: dict[tuple[tuple[int, ...], str], Chain] = {}

    def chain(self, shape: tuple[int, ...], dtype: str) -> Chain:
        """The opened stages for frames of this shape and dtype."""
        if (shape, dtype) not in self._chains:
            stages = [
                Stage(f"stage{number}", package, f"stage{number - 1}" if number else "frame", settings, trust=OFF)
                for number, (package, settings) in enumerate(zip(self._packages, self._settings, strict=True))
            ]
            opening = Pipeline(stages).opening(FrameSpec((shape[0], shape[1]), dtype), "cpu", 1)
            self._chains[shape, dtype] = Chain(opening)
        return self._chains[shape, dtype]

    def __call__(self, frame: Array) -> Array:
        """The last stage's answer to one frame."""
        answers, _ = self.chain(frame.shape, frame.dtype.name).run([np.ascontiguousarray(frame)])
        return np.array(answers[-1])
