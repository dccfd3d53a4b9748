"""PSNR against a known truth, measured on as many results as a small share of the time allows."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from onscope.runtime import FrameId, Result, SourceError

Truth = Callable[[FrameId], npt.NDArray[Any]]
SHARE = 0.02
"""Largest share of one core's time that measuring may take: the networks need the rest."""
LONGEST_PAUSE_S = 1.0
LABELS = (np.dtype(np.int32), np.dtype(np.uint32))
"""Pixel types of label images, whose values are no counts."""


def psnr(image: npt.NDArray[Any], truth: npt.NDArray[Any], peak: float) -> float:
    """Peak signal-to-noise ratio in dB: 10 log10(peak^2 / mean squared difference), both in counts; inf when equal."""
    difference = cv2.norm(np.asarray(image, np.float32), np.asarray(truth, np.float32), cv2.NORM_L2SQR)
    return float(10 * np.log10(peak**2 * truth.size / difference)) if difference else float("inf")


@dataclass
class PsnrMeter:
    """Running means of the PSNR of the raw frames and of every image stage on the raw frames' pixels.

    `peak` is the range of the first truth in counts (its maximum minus its minimum) and stays for the run.
    """

    truth: Truth
    peak: float | None = None
    samples: int = 0
    _sums: dict[str, float] = field(default_factory=dict)
    _next: float = 0.0

    def look(self, result: Result) -> None:
        """Measure this result when it is time to; a truth that is gone already is passed over."""
        began = time.perf_counter()
        if began < self._next:
            return
        frame = result.frame
        try:
            truth = self.truth(frame.id)
        except SourceError:
            return
        if self.peak is None:
            self.peak = float(truth.max() - truth.min()) or 1.0
        images = {"raw": frame.pixels} | dict(result.answers)
        for name, image in images.items():
            if image.shape == truth.shape and image.dtype.names is None and image.dtype not in LABELS:
                self._sums[name] = self._sums.get(name, 0.0) + psnr(image, truth, self.peak)
        self.samples += 1
        spent = time.perf_counter() - began
        self._next = began + min(spent / SHARE, LONGEST_PAUSE_S)

    @property
    def means(self) -> dict[str, float]:
        """Mean PSNR in dB by name: "raw", and the stages in their order."""
        return {name: total / self.samples for name, total in self._sums.items()}
