"""Frames of cells on fine pixels: what they are made of, the filters they are held against, and the training."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from scipy.ndimage import gaussian_filter
from torch.nn import functional

from onscope.export.zoo._metrics import psnr
from onscope.export.zoo._trainer import train
from onscope.export.zoo.networks.superresolve import Srcnn
from onscope.export.zoo.systems.superresolve._cells_task import EnlargeCellsTask
from onscope.export.zoo.systems.superresolve._enlarging import best_enlargements, bicubic, richardson_lucy
from onscope.export.zoo.systems.superresolve._fine import behind_coarse_pixels, coarse

Array = npt.NDArray[Any]


def lines(side: int, seed: int = 0) -> Array:
    """Wavy lines two pixels wide, 0 to 1."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:side, :side]
    waves = [np.sin(x * rng.uniform(0.1, 0.5) + y * rng.uniform(0.1, 0.5) + rng.uniform(0, 6)) for _ in range(3)]
    return np.asarray(np.exp(-((sum(waves) / 0.4) ** 2)), np.float32)


def test_a_coarse_pixel_is_the_mean_of_four() -> None:
    light = np.arange(16.0).reshape(4, 4)
    assert coarse(light).tolist() == [[2.5, 4.5], [10.5, 12.5]]


def test_frame_and_truth_are_on_one_scale_of_counts() -> None:
    light = lines(128)
    frame = behind_coarse_pixels(light, np.random.default_rng(3), peak=900.0)
    assert frame.counts.shape == (64, 64)
    assert frame.truth.shape == (128, 128)
    difference = frame.counts - coarse(frame.truth)
    assert abs(float(difference.mean())) < 0.01 * float(np.ptp(frame.truth))
    # There is noise, and nothing but noise.
    assert 0 < float(difference.std()) < 0.1 * float(np.ptp(frame.truth))


def test_bicubic_is_the_one_inside_the_graphs() -> None:
    frame = np.random.default_rng(0).random((9, 14)).astype(np.float32)
    inside = functional.interpolate(torch.from_numpy(frame)[None, None], scale_factor=2.0, mode="bicubic")
    assert np.abs(bicubic(frame) - inside[0, 0].numpy()).max() < 1e-5


def test_richardson_lucy_gives_an_even_image_back() -> None:
    frame = np.full((12, 10), 130.0)
    for _, image in richardson_lucy(frame, 0.8, background=100.0):
        assert image.shape == (24, 20)
        assert np.allclose(image, 130.0, atol=1e-3)


def test_richardson_lucy_keeps_the_light_and_finds_a_point_s_fine_pixel() -> None:
    light = np.zeros((24, 24), np.float32)
    light[11, 14] = 400.0
    frame = coarse(light)
    *_, (_, image) = richardson_lucy(frame, 0.0, background=0.0)
    assert image.sum() == pytest.approx(light.sum(), rel=1e-3)
    # Without blur all four fine pixels explain the coarse one alike; blurred over the border, the right one is found.
    *_, (_, image) = richardson_lucy(coarse(gaussian_filter(light, 1.2)), 1.2, background=0.0)
    assert int(image.argmax()) == 11 * 24 + 14


def test_the_best_enlargements_are_no_worse_than_bicubic() -> None:
    frame = behind_coarse_pixels(gaussian_filter(lines(96), 2), np.random.default_rng(1), peak=60.0)
    found = {name: psnr(image, frame.truth) for name, image in best_enlargements(frame.counts, frame.truth).items()}
    assert found["Gaussian, then bicubic"] > found["bicubic"] + 1
    assert found["Richardson-Lucy"] > found["bicubic"] + 1


def test_the_loss_falls() -> None:
    torch.manual_seed(0)
    light = np.stack([lines(64, seed) for seed in range(4)])
    task = EnlargeCellsTask(Srcnn((8, 4), (5, 1, 3)), batch=4, side=16, field=24, light=light)
    frames, truth = task.examples(np.random.default_rng(0))
    assert frames.shape == (4, 1, 16, 16)
    assert truth.shape == (4, 1, 32, 32)
    _, account = train("lines", task, seed=1, steps=60, learning_rate=3e-3)
    assert account.curve[-1] < account.curve[0] - 0.5
