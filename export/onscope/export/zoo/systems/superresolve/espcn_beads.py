"""ESPCN on beads: the shipped package `espcn-beads` behind `care-beads`, beside bicubic interpolation."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import numpy.typing as npt

from onscope.runtime.drawing import Look

from ..._metrics import psnr
from .._beads import ABOUT, DENOISED, beads, beads_system
from .._live_path import answers, movie, pipeline_of
from .._score import Score, over_seeds
from .._sheet import Tile, sheet
from .._system import Measured

if TYPE_CHECKING:
    from ..._quality import Sample

Array = npt.NDArray[Any]
SHOWN = 96
"""Pixels per side of what the picture shows of a scene, before they are doubled."""


def _enlarged(folder: Path, samples: tuple[Sample, ...]) -> list[dict[str, Array]]:
    """Of each sample the network's answer and the bicubic interpolation of the same denoised frame."""
    found = []
    for one in answers(pipeline_of(DENOISED, folder), movie([sample.frame for sample in samples])):
        seen = np.asarray(one["denoise"])
        size = (2 * seen.shape[1], 2 * seen.shape[0])
        cubic = cv2.resize(seen.astype(np.float32), size, interpolation=cv2.INTER_CUBIC)
        whole = np.clip(np.rint(cubic), 0, 65535)  # counts are whole numbers, as the network's are
        found.append({"network": np.asarray(one["answer"]), "CARE, then bicubic": whole})
    return found


def _scores(folder: Path, seeds: int) -> list[Score]:
    found = []
    for held in beads(seeds):
        rows = []
        for sample, images in zip(held.samples, _enlarged(folder, held.samples), strict=True):
            assert sample.fine_truth is not None
            truth = sample.fine_truth
            rows.append({name: psnr(image, truth) for name, image in images.items()})
        found.append(over_seeds(held.kind, "PSNR", "dB", rows))
    return found


def _picture(folder: Path, file: Path) -> None:
    rows = []
    for held in beads(1):
        sample = held.samples[0]
        images = _enlarged(folder, held.samples)[0]
        assert sample.fine_truth is not None
        truth = sample.fine_truth
        look = Look.of(truth, glow=True)
        tiles = [Tile(held.kind, sample.frame[:SHOWN, :SHOWN], "", look)]
        for name, title in (("CARE, then bicubic", "CARE, then bicubic"), ("network", "CARE, then ESPCN")):
            image = images[name]
            tiles.append(Tile(title, image[: 2 * SHOWN, : 2 * SHOWN], f"{psnr(image, truth):.1f} dB", look))
        rows.append([*tiles, Tile("truth", truth[: 2 * SHOWN, : 2 * SHOWN], "", look)])
    sheet("ESPCN on held-out beads: twice as many pixels per side", rows, file)


SYSTEM = beads_system(
    "espcn",
    DENOISED,
    Measured(
        _scores,
        _picture,
        about=ABOUT + "Both ways start from the frame that `care-beads` has denoised. PSNR over the span of the truth.",
    ),
)
