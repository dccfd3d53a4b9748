"""What the training minimises, and the targets of the spot network."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from onscope.specimen import Beads

from ._scenes import CLEAR_SNR, FAINT_SNR
from .unet_spots import CELL

Array = npt.NDArray[Any]
ROUNDING_COUNTS = 0.3
OFFSET_WEIGHT = 1.5
FALSE_ALARM_WEIGHT = 8.0
"""Of cells without a bead near by, in the second part of the training."""


def decibels(answer: Tensor, truth: Tensor, reference: Tensor) -> Tensor:
    """Mean over the frames (b, 1, y, x) of the squared error in dB relative to `reference` (b,), counts squared.

    On this scale every frame counts alike, whatever its brightness, and lower by 1 is PSNR higher by 1 dB. Frames that
    come out worse than the reference count three times.
    """
    error = functional.mse_loss(answer, truth, reduction="none").mean(dim=(1, 2, 3))
    change = 10 * torch.log10((error + ROUNDING_COUNTS**2) / reference)
    return (change + 2 * functional.relu(change)).mean()


def spot_targets(beads: Beads, snr: Array, shape: tuple[int, int]) -> tuple[Array, Array, Array]:
    """Heat (y, x), offsets (3, y, x: dy, dx in pixels and where they count) and weights (y, x) in cells, float32.

    The heat is 1 in the cell of each clear bead, and in those that it nearly lies in too, so that no score suffers from
    where the cells' borders are; it falls off around the bead as a Gaussian of 0.9 cells. The weights are 0 around
    beads that are neither clear nor faint.
    """
    cells = (-(-shape[0] // CELL), -(-shape[1] // CELL))
    heat, weight = np.zeros(cells, np.float32), np.ones(cells, np.float32)
    offsets = np.zeros((3, *cells), np.float32)
    for index in np.argsort(snr):  # the clearest last: where two share a cell, its position wins
        y, x = float(beads.y[index]), float(beads.x[index])
        row, column = int((y + 0.5) // CELL), int((x + 0.5) // CELL)
        top, left = max(row - 3, 0), max(column - 3, 0)
        window = (slice(top, row + 4), slice(left, column + 4))
        rows, columns = np.mgrid[top : min(row + 4, cells[0]), left : min(column + 4, cells[1])]
        squared = (rows - (y - 0.5) / CELL) ** 2 + (columns - (x - 0.5) / CELL) ** 2
        if snr[index] < CLEAR_SNR:
            if snr[index] > FAINT_SNR:
                weight[window] = np.where(squared <= 5, 0, weight[window])
            continue
        here = squared <= max(0.5, float(squared.min()))
        heat[window] = np.maximum(heat[window], np.where(here, 1, np.exp(-squared / (2 * 0.9**2))))
        near = squared <= 1.5
        for channel, value in enumerate((y - CELL * rows, x - CELL * columns, np.ones_like(rows))):
            offsets[channel][window] = np.where(near, value, offsets[channel][window])
    return heat, offsets, np.where(heat > 0.5, 1, weight)


def spot_loss(maps: Tensor, heat: Tensor, offsets: Tensor, weight: Tensor, false_alarms: float = 1.0) -> Tensor:
    """Penalty-reduced focal loss on the heat (b, y, x) and L1 on the offsets (b, 3, y, x).

    The focal loss is that of X. Zhou et al., arXiv:1904.07850, equation 1 (alpha 2, beta 4);
    cells far from any bead weigh `false_alarms`.
    """
    score = maps[:, 0].float()
    chance = torch.sigmoid(score)
    centre = (heat > 0.999).float()
    hit = centre * (1 - chance) ** 2 * functional.logsigmoid(score)
    miss = (1 - centre) * (1 - heat) ** 4 * chance**2 * functional.logsigmoid(-score)
    miss = torch.where(heat < 0.01, false_alarms * miss, miss)
    count = centre.sum().clamp(min=1)
    where = offsets[:, 2]
    distance = ((maps[:, 1:] - offsets[:, :2]).abs().sum(dim=1) * where).sum() / where.sum().clamp(min=1)
    return -((hit + miss) * weight).sum() / count + OFFSET_WEIGHT * distance
