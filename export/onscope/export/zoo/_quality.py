"""Quality of the shipped graphs, run by ONNX Runtime, on frames that training never saw."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import onnxruntime as ort

from onscope.specimen import DEMO_SENSOR, demo_photons

from ._metrics import Found, best_gaussian, best_median, match, psnr, reference_spots
from ._scenes import CLEAR_SNR, Example

Array = npt.NDArray[Any]
THRESHOLD = 0.8
"""Score from which a row of the spot table is a spot; stands in the package as config.onscope.threshold."""


@dataclass(frozen=True, slots=True)
class Sample:
    """A frame (uint16 (y, x)), its noise-free counts, and where known the finer truth and the spots' positions.

    `spots` and `faint` are (n, 2) positions in pixels; `faint` ones count neither way.
    """

    frame: Array
    truth: Array
    fine_truth: Array | None
    spots: Array
    faint: Array


@dataclass(frozen=True, slots=True)
class Scores:
    """PSNR in dB of one frame by way of restoring it, and its spots; x2 values are None where no finer truth is."""

    raw: float
    gaussian: float
    median: float
    denoised: float
    bicubic: float | None
    enlarged: float | None
    found: Found


class Graphs:
    """The three shipped graphs in a `folder` of packages, each run as the live path runs it: one native call."""

    def __init__(self, folder: Path, threads: int = 2) -> None:
        self.denoise = onnx_runner(folder / "care-beads" / "weights.onnx", threads)
        self.enlarge = onnx_runner(folder / "espcn-beads" / "weights.onnx", threads)
        self._spots = onnx_runner(folder / "spots-beads" / "weights.onnx", threads)

    def spots(self, frame: Array, threshold: float = THRESHOLD) -> Array:
        """Rows y, x, score of at least `threshold`, float32 (n, 3), from a denoised frame."""
        table = self._spots(frame)
        return table[table[:, 2] >= threshold]

    def score(self, sample: Sample) -> Scores:
        """All numbers for one sample."""
        denoised = self.denoise(sample.frame)
        bicubic = enlarged = None
        if sample.fine_truth is not None:
            size = (2 * denoised.shape[1], 2 * denoised.shape[0])
            cubic = cv2.resize(denoised.astype(np.float32), size, interpolation=cv2.INTER_CUBIC)
            bicubic = psnr(np.clip(np.rint(cubic), 0, 65535), sample.fine_truth)  # whole counts, as the network's are
            enlarged = psnr(self.enlarge(denoised), sample.fine_truth)
        shape = (sample.frame.shape[0], sample.frame.shape[1])
        return Scores(
            raw=psnr(sample.frame, sample.truth),
            gaussian=best_gaussian(sample.frame, sample.truth),
            median=best_median(sample.frame, sample.truth),
            denoised=psnr(denoised, sample.truth),
            bicubic=bicubic,
            enlarged=enlarged,
            found=match(self.spots(denoised)[:, :2], sample.spots, shape, faint=sample.faint),
        )


def simulated(example: Example) -> Sample:
    """A simulated example as a sample: the beads' positions are known."""
    positions = np.stack((example.beads.y, example.beads.x), axis=1)
    clear = example.snr >= CLEAR_SNR
    return Sample(example.frame, example.truth, example.fine_truth, positions[clear], positions[~clear])


def behind_demo_sensor(units: Array, seed: int) -> Sample:
    """A noise-free frame of the demo camera (uint16 (y, x)) behind the demonstration's sensor.

    Micro-Manager tells no positions, so the maxima of the noise-free image are the truth for the spots, and there is no
    finer truth.
    """
    photons = demo_photons(units)
    truth = DEMO_SENSOR.expected_counts(photons)
    frame = DEMO_SENSOR.expose(photons, np.random.default_rng(seed))
    return Sample(frame, truth, None, reference_spots(truth, least=10.0), np.zeros((0, 2)))


def onnx_runner(path: Path, threads: int) -> Callable[[Array], Array]:
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    session = ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name

    def run(frame: Array) -> Array:
        answer = np.asarray(session.run(None, {name: frame[None, None]})[0])
        return answer[0, 0] if answer.ndim == 4 else answer

    return run
