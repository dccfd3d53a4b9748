"""Transforms, free space and masks against NumPy and against physics."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from onscope.export.zoo.networks.diffractive import Fourier, FreeSpace, PhaseMask
from onscope.export.zoo.networks.diffractive.optics import Transform, intensity

TRANSFORMS: tuple[Transform, ...] = ("fft", "matrix")


def field_of(waves: Any) -> torch.Tensor:
    """A complex array (y, x) as a field (1, 2, y, x)."""
    return torch.from_numpy(np.stack([waves.real, waves.imag])[None].astype(np.float32))


def random(*shape: int) -> Any:
    numbers = np.random.default_rng(0)
    return numbers.normal(size=shape) + 1j * numbers.normal(size=shape)


@pytest.mark.parametrize("transform", TRANSFORMS)
@pytest.mark.parametrize("shape", [(16, 16), (15, 22), (1, 7)])
def test_transforms_are_numpy_s(shape: tuple[int, int], transform: Transform) -> None:
    waves = random(*shape)
    fourier = Fourier(shape, transform)
    found = fourier(field_of(waves))
    assert torch.allclose(found, field_of(np.fft.fft2(waves, norm="ortho")), atol=2e-5)
    assert torch.allclose(
        fourier(field_of(waves), inverse=True), field_of(np.fft.ifft2(waves, norm="ortho")), atol=2e-5
    )
    assert torch.allclose(fourier(found, inverse=True), field_of(waves), atol=2e-5)


def test_other_transforms_are_refused() -> None:
    with pytest.raises(ValueError, match="found the transform 'cosine', expected fft or matrix"):
        Fourier((4, 4), "cosine")  # type: ignore[arg-type]


@pytest.mark.parametrize("transform", TRANSFORMS)
def test_a_gaussian_beam_widens_as_theory_says(transform: Transform) -> None:
    """w(z) = w0 sqrt(1 + (z / zR)^2), zR = pi w0^2 / wavelength; w is twice the intensity's standard deviation."""
    pitch, wavelength, waist = 0.5, 0.5, 5.0
    along = (np.arange(192) - 96) * pitch
    beam = np.exp(-(along[:, None] ** 2 + along**2) / waist**2).astype(complex)
    range_ = np.pi * waist**2 / wavelength
    for distance in (0.0, range_ / 2, range_):
        seen = intensity(FreeSpace((192, 192), pitch, wavelength, distance, transform=transform)(field_of(beam)))
        profile = seen[0].sum(dim=0).double().numpy()
        found = 2 * np.sqrt((profile * along**2).sum() / profile.sum())
        assert found == pytest.approx(waist * np.sqrt(1 + (distance / range_) ** 2), rel=0.01)
        # On the axis light is weaker as the beam's area grows.
        assert float(seen[0, 96, 96]) == pytest.approx((waist / found) ** 2, rel=0.02)


def test_light_is_neither_made_nor_lost() -> None:
    """Without evanescent waves (the pitch is above half a wavelength times the root of 2) and without a border."""
    field = field_of(random(32, 40))
    for part in (FreeSpace((32, 40), 0.4, 0.5, 30.0), PhaseMask((32, 40)), Fourier((32, 40))):
        with torch.no_grad():
            assert float(part(field).square().sum()) == pytest.approx(float(field.square().sum()), rel=1e-5)


def test_evanescent_waves_fade() -> None:
    waves = np.cos(np.pi * np.arange(32))[None] * np.ones((32, 1)) + 0j  # a period of two pixels, half a wavelength
    found = FreeSpace((32, 32), 0.125, 0.5, 0.1)(field_of(waves))
    decay = np.exp(-2 * np.pi * 0.1 * np.sqrt(1 / 0.25**2 - 1 / 0.5**2))
    assert torch.allclose(found, decay * field_of(waves), atol=1e-5)


def test_with_a_border_light_leaves() -> None:
    """A tilted wave at the right edge comes back on the left of a plane without a border."""
    x = np.arange(64)
    waves = (np.exp(-(((x - 52) / 4) ** 2)) * np.exp(2j * np.pi * 0.3 * x))[None] * np.ones((64, 1))
    left = [
        float(intensity(FreeSpace((64, 64), 1.0, 2.0, 40.0, border)(field_of(waves)))[0, :, :30].sum())
        for border in (0, 64)
    ]
    assert left[0] > 50 * left[1]


def test_masks_delay() -> None:
    mask = PhaseMask((1, 2))
    with torch.no_grad():
        mask.phase.copy_(torch.tensor([[np.pi / 2, np.pi]]))
        found = mask(field_of(np.array([[1 + 1j, 2 - 1j]])))
    assert torch.allclose(found, field_of(np.array([[-1 + 1j, -2 + 1j]])), atol=1e-6)
