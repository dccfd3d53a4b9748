"""Images are convolved on a Fourier grid as if by hand, whatever margin and scale are chosen for speed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import fftconvolve

from onscope.specimen._view import View
from onscope.specimen.optics import Lens
from onscope.specimen.optics._blur import blurred, forward, inverse
from onscope.specimen.optics._grid import Grid, enclosing
from onscope.specimen.optics._lens import radii
from onscope.specimen.optics._transfer import TABLE, Transfer, widefield


@given(side=st.integers(3, 700), columns=st.integers(3, 700), pixel_um=st.floats(0.03, 1.0))
@settings(max_examples=60, deadline=None)
def test_the_enclosing_view_holds_the_pixels_of_the_view(side: int, columns: int, pixel_um: float) -> None:
    view = View((20.0, -7.0), (side, columns), pixel_um)
    large, (rows, cols) = enclosing(view)
    y, x = view.pixels(np.array(20.3), np.array(-6.1))
    large_y, large_x = large.pixels(np.array(20.3), np.array(-6.1))
    assert (large_y - rows.start, large_x - cols.start) == pytest.approx((y, x), abs=1e-6)
    assert all(n % 16 == 0 and n >= m + 32 for n, m in zip(large.shape, view.shape, strict=True))


def direct(amount: np.ndarray, lens: Lens, z_um: float, focus_um: float, pixel_um: float, parts: int) -> np.ndarray:
    """The oracle: the point-spread function, mean over parts x parts places of each pixel, and a plain convolution."""
    side = 81
    at = (np.arange(side * parts) - (side * parts - 1) / 2) * pixel_um / parts
    radius = np.hypot(at[:, None], at)
    fine = np.interp(radius, radii(lens), lens.profile(z_um, focus_um)) * (pixel_um / parts) ** 2
    kernel = fine.reshape(side, parts, side, parts).sum((1, 3))
    return np.asarray(fftconvolve(amount, kernel, mode="same"))


@pytest.mark.parametrize(
    ("na", "immersion", "pixel_um", "parts"),
    [(1.4, 1.515, 0.08, 1), (1.2, 1.333, 0.1, 1), (0.75, 1.0, 0.325, 9), (0.3, 1.0, 0.65, 9)],
)
def test_it_is_the_convolution_with_the_psf(na: float, immersion: float, pixel_um: float, parts: int) -> None:
    """At a point where pixels are fine enough for the lens (amounts are integrals), over pixels where they are not."""
    lens = Lens(na, 0.52, 1.34, immersion)
    amount = np.zeros((192, 192), dtype=np.float32)
    amount[80:110, 90:100] = 3
    amount[96, 120] = 200
    grid = Grid(amount.shape, pixel_um)
    for z in (3.0, 3.4):
        image = blurred([(amount, widefield(lens, z, 3.0))], grid)
        expected = direct(amount, lens, z, 3.0, pixel_um, parts)
        assert np.abs(image - expected)[64:128, 64:128].max() < 0.01 * expected.max()


def test_pixels_near_the_limit_of_the_lens_hardly_ring() -> None:
    grid = Grid((128, 128), 0.108)
    amount = np.zeros(grid.shape, dtype=np.float32)
    amount[64, 64] = 1
    image = blurred([(amount, widefield(Lens(1.4, 0.507, 1.36, 1.515), 0.5, 0.5))], grid)
    assert image.min() > -0.02 * image.max()


def test_a_coarser_grid_draws_what_the_fine_one_draws() -> None:
    grid = Grid((384, 384), 0.108)
    rng = np.random.default_rng(0)
    amount = np.zeros(grid.shape, dtype=np.float32)
    for y, x in rng.integers(60, 320, (40, 2)):
        amount[y - 12 : y + 12, x - 9 : x + 9] += 10  # the size of small nuclei
    scales = set()
    for z in (4.5, 5.5, 7.0, 9.0):
        transfer = widefield(Lens(1.4, 0.52, 1.34, 1.515), z, 3.0)
        scales.add(grid.scale(transfer))
        fine = inverse(forward(amount) * grid.spread(transfer), grid.shape)
        image = blurred([(amount, transfer)], grid)
        assert np.abs(image - fine).max() < 0.02 * np.ptp(fine)
        assert image.sum() == pytest.approx(float(fine.sum()), rel=1e-3)
    assert len(scales) > 2, "the planes should have come to several scales"


def test_planes_add_up() -> None:
    grid = Grid((128, 160), 0.108)
    lens = Lens(1.4, 0.52, 1.34, 1.515)
    planes = [
        (np.random.default_rng(i).random(grid.shape, dtype=np.float32), widefield(lens, 1.5 * i, 2.0)) for i in range(5)
    ]
    together = blurred(planes, grid)
    assert together == pytest.approx(sum(blurred([plane], grid) for plane in planes), rel=1e-3, abs=1e-3)
    assert not blurred([], grid).any()


def test_transfer_reach_is_where_detail_ends() -> None:
    values = np.zeros(TABLE + 1, dtype=np.float32)
    values[: TABLE // 2 + 1] = 1
    assert Transfer(values, 4.0).reach_per_um == pytest.approx(2.0, abs=0.01)
