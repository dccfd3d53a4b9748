"""The Fourier reconstruction on a known sample, the metric for details, and DL-SIM's training."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch

from onscope.export.zoo._metrics import psnr
from onscope.export.zoo._trainer import train
from onscope.export.zoo.networks.superresolve import DlSim
from onscope.export.zoo.systems.superresolve._dl_sim_task import DlSimTask
from onscope.export.zoo.systems.superresolve._fourier_sim import reconstructed, transfer
from onscope.export.zoo.systems.superresolve._resolution import shared_detail
from onscope.export.zoo.systems.superresolve._shots import exposed
from onscope.export.zoo.systems.superresolve._striped import sharpest
from onscope.specimen.optics import Stripes

Array = npt.NDArray[Any]
PIXEL_UM, NA, EMISSION_UM = 0.065, 1.49, 0.507
STRIPES = tuple(
    Stripes(0.28, 0.2 + math.pi * angle / 3, 0.7 + 2 * math.pi * phase / 3, 0.9)
    for angle in range(3)
    for phase in range(3)
)
FINE = 192


def seen(light: Array, cutoff_per_um: float) -> Array:
    """Through a lens, on pixels of 32.5 nm."""
    frequency = np.fft.fftfreq(FINE, PIXEL_UM / 2)
    passed = transfer(np.hypot(frequency[:, None], frequency[None, :]) / cutoff_per_um)
    return np.asarray(np.fft.ifft2(np.fft.fft2(light) * passed).real)


def striped(sample: Array) -> Array:
    """Nine raw images on pixels of 65 nm."""
    raw = [seen(sample * one.relative(sample.shape, PIXEL_UM / 2), 2 * NA / EMISSION_UM) for one in STRIPES]
    return np.stack([one.reshape(FINE // 2, 2, FINE // 2, 2).mean(axis=(1, 3)) for one in raw])


@pytest.fixture(scope="module")
def sample() -> Array:
    """Lines one fine pixel wide, and two of them 130 nm apart: below what the lens resolves (170 nm)."""
    rng = np.random.default_rng(0)
    light = np.zeros((FINE, FINE))
    for _ in range(25):
        y, x = rng.uniform(40, FINE - 40, 2)
        along = rng.uniform(0, math.pi)
        for step in np.arange(0, 60, 0.5):
            light[int(y + step * math.sin(along)) % FINE, int(x + step * math.cos(along)) % FINE] += 1
    light[60:130, 90] += 6
    light[60:130, 94] += 6
    return light


def test_it_shows_what_the_lens_alone_cannot(sample: Array) -> None:
    raw = striped(sample)
    image = reconstructed(raw, STRIPES, PIXEL_UM, NA, EMISSION_UM, 1e-3)
    truth = seen(sample, 2 * NA / EMISSION_UM / sharpest(EMISSION_UM, NA))
    wide = np.kron(raw.mean(axis=0), np.ones((2, 2)))
    inner = (slice(32, -32), slice(32, -32))
    assert image.shape == truth.shape
    assert psnr(image[inner], truth[inner]) > psnr(wide[inner], truth[inner]) + 10
    assert image[inner].sum() == pytest.approx(raw.mean(axis=0)[16:-16, 16:-16].sum() * 4, rel=0.01)
    dip = image[80:110, 92].mean() / image[80:110, [90, 94]].mean()
    assert dip < 0.8
    assert wide[80:110, 92:94].mean() / wide[80:110, [90, 91, 94, 95]].mean() > 0.95
    finest = [shared_detail(one[inner], truth[inner], 32.5) for one in (image, wide)]
    assert finest[0] < 125
    assert finest[1] > 150


def test_with_much_noise_wiener_smooths(sample: Array) -> None:
    raw = striped(sample)
    noisy = raw + np.random.default_rng(1).normal(0, 0.3 * float(raw.max()), raw.shape)
    rough, smooth = (reconstructed(noisy, STRIPES, PIXEL_UM, NA, EMISSION_UM, wiener).std() for wiener in (1e-3, 1.0))
    assert smooth < 0.5 * rough


def test_the_sharpest_lens_passes_what_light_and_stripes_do() -> None:
    share = sharpest(EMISSION_UM, NA, 0.28)
    assert 2 * NA / (EMISSION_UM * share) == pytest.approx(2 * NA / EMISSION_UM + 1 / 0.28)


def test_the_finest_detail_is_where_waves_stop_agreeing() -> None:
    truth = np.random.default_rng(2).normal(size=(128, 128))
    frequency = np.hypot(np.fft.fftfreq(128)[:, None], np.fft.fftfreq(128)[None, :])
    other = np.fft.fft2(np.random.default_rng(3).normal(size=(128, 128)))
    mixed = np.fft.ifft2(np.where(frequency < 0.25, np.fft.fft2(truth), other)).real
    assert shared_detail(mixed, truth, 10.0) == pytest.approx(40.0, rel=0.1)
    assert shared_detail(truth, truth, 10.0) == pytest.approx(20.0)


def test_shots_of_one_camera_are_on_the_truth_s_scale(sample: Array) -> None:
    raw, fine = striped(sample).astype(np.float32), sample.astype(np.float32)
    top = float(raw.max())
    shots = exposed(raw / top, fine / top, np.random.default_rng(0), 500.0)
    assert shots.counts.shape == (9, FINE // 2, FINE // 2)
    assert shots.counts.mean() - shots.offset == pytest.approx(shots.truth.mean() - shots.offset, rel=0.05)


def test_the_loss_falls(sample: Array) -> None:
    torch.manual_seed(0)
    raw = striped(sample).astype(np.float32)
    truth = seen(sample, 9.4).astype(np.float32)
    task = DlSimTask(DlSim(9, 4, 2), batch=2, side=24, field=32, light=(raw[None] / raw.max(), truth[None] / raw.max()))
    frames, wanted = task.examples(np.random.default_rng(0))
    assert frames.shape == (2, 9, 24, 24)
    assert wanted.shape == (2, 1, 48, 48)
    _, account = train("lines", task, seed=1, steps=40, learning_rate=3e-3)
    assert account.curve[-1] < account.curve[0] - 0.5
