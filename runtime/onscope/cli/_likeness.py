"""How like an answer is to what it should show, where that has units of its own."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from onscope.runtime import FrameId, Result, SourceError

from ._psnr import LABELS, LONGEST_PAUSE_S, SHARE

Aim = Callable[[FrameId], npt.NDArray[Any] | None]


def correlation(image: npt.NDArray[Any], aim: npt.NDArray[Any]) -> float:
    """Pearson's r of the pixels of two images of one shape; 0 where one of them is even."""
    one, other = (np.asarray(each, np.float64) - np.mean(each, dtype=np.float64) for each in (image, aim))
    spread = float(np.sqrt((one**2).sum() * (other**2).sum()))
    return float((one * other).sum() / spread) if spread > 0 else 0.0


@dataclass
class LikenessMeter:
    """Running means of Pearson's r between every image that has the aim's shape, the raw frame's too, and the aim.

    Of a stack of answers, one for each frame of the window, the plane of the result's own frame is taken.

    It is what label-free prediction is judged by (C. Ounkomol et al., Nature Methods 15, 917, 2018): networks answer in
    units of their own.
    """

    aim: Aim
    samples: int = 0
    _sums: dict[str, float] = field(default_factory=dict)
    _next: float = 0.0

    def look(self, result: Result) -> None:
        """Measure this result when it is time to; an aim that is gone already is passed over."""
        began = time.perf_counter()
        if began < self._next:
            return
        try:
            aim = self.aim(result.frame.id)
        except SourceError:
            return
        if aim is None:
            return
        for name, answer in ({"raw": result.frame.pixels} | dict(result.answers)).items():
            image = _own_plane(answer, result)
            if image.shape == aim.shape and image.dtype.names is None and image.dtype not in LABELS:
                self._sums[name] = self._sums.get(name, 0.0) + correlation(image, aim)
        self.samples += 1
        self._next = began + min((time.perf_counter() - began) / SHARE, LONGEST_PAUSE_S)

    @property
    def means(self) -> dict[str, float]:
        """Mean r by name: "raw", where it has the aim's shape, and the stages in their order."""
        return {name: total / self.samples for name, total in self._sums.items()}


def _own_plane(answer: npt.NDArray[Any], result: Result) -> npt.NDArray[Any]:
    if answer.ndim == 3 and len(result.frames) == len(answer) > 1:
        return np.asarray(answer[result.target])
    return answer
