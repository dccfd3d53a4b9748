"""A point is as wide as aperture, wavelength and depth make it, and keeps its light."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import fftconvolve

from onscope.specimen import Optics
from onscope.specimen._view import View
from onscope.specimen.optics import OBJECTIVES, Fluorophore, Illumination, Lens, LightPath, Microscope, Objective
from onscope.specimen.optics._blur import blurred, forward, inverse
from onscope.specimen.optics._grid import Grid, enclosing
from onscope.specimen.optics._lens import areas, radii
from onscope.specimen.optics._transfer import Transfer, confocal, widefield

from .plain import Plain, sheet

CLEAN = LightPath(vignetting=0, specks=0)
EVEN = Illumination(power_mw=1, unevenness=0)


def dye(emission_nm: float) -> Fluorophore:
    return Fluorophore("dye", 488, emission_nm, 56_000, 0.6, 174)


def clean(objective: Objective, index: float, **how: object) -> Microscope:
    """A microscope that draws the point and nothing else."""
    return Microscope(objective, sample_index=index, medium_per_um3=0, path=CLEAN, **how)  # type: ignore[arg-type]


def point_image(
    scope: Microscope, z_um: float, focus_um: float, emission_nm: float, pixel_um: float = 0.04
) -> np.ndarray:
    sample = Plain(points=[(z_um, 50, 50, 1e4)])
    view = View((50, 50), (129, 129), pixel_um)
    return scope.image(sample, view, "dye", focus_um, EVEN, 0.1, fluorophore=dye(emission_nm))


def width(profile: np.ndarray, pixel_um: float) -> float:
    """Full width at half maximum of a single peak, in um, straight between the pixels."""
    peak = int(profile.argmax())
    half = profile[peak] / 2
    right = peak + int(np.argmax(profile[peak:] < half))
    left = peak - int(np.argmax(profile[peak::-1] < half))
    right_at = right - (half - profile[right]) / (profile[right - 1] - profile[right])
    left_at = left + (half - profile[left]) / (profile[left + 1] - profile[left])
    return float(right_at - left_at) * pixel_um


@pytest.mark.parametrize("na", [0.3, 0.75, 1.2, 1.4])
def test_in_focus_at_the_coverslip_it_is_the_airy_disc(na: float) -> None:
    lens = Lens(na, 0.52, 1.34, 1.515)
    radius = radii(lens)
    profile = lens.profile(0.0, 0.0)
    airy = Optics(na=na, emission_um=0.52).airy(radius)
    assert profile / profile[0] == pytest.approx(airy / airy[0], abs=1e-9)
    assert profile @ areas(lens) == pytest.approx(1)


@pytest.mark.parametrize("na", [0.5, 0.8, 1.1])
@pytest.mark.parametrize("emission_nm", [475, 610])
def test_width_follows_aperture_and_wavelength(na: float, emission_nm: float) -> None:
    image = point_image(clean(Objective(60, na, 1.34), 1.34), 3, 3, emission_nm)
    # the Airy disc is 0.514 wavelengths / NA wide at half its height; a pixel of 0.04 um adds less than 1 %
    assert width(image[64], 0.04) == pytest.approx(0.514 * emission_nm / 1000 / na, rel=0.015)
    assert width(image[:, 64], 0.04) == pytest.approx(width(image[64], 0.04), rel=1e-3)


@given(z_um=st.floats(0, 8), focus_um=st.floats(0, 8), name=st.sampled_from(sorted(OBJECTIVES)))
@settings(max_examples=40, deadline=None)
def test_no_light_is_lost_by_defocus(z_um: float, focus_um: float, name: str) -> None:
    objective = OBJECTIVES[name]
    lens = Lens(objective.na, 0.52, 1.36, objective.immersion_index)
    transfer = widefield(lens, z_um, focus_um)
    assert transfer.values[0] == pytest.approx(1, abs=2e-3)
    assert np.abs(transfer.values).max() <= 1 + 2e-3
    grid = Grid((256, 256), 6.5 / objective.magnification)
    amount = np.zeros(grid.shape, dtype=np.float32)
    amount[100, 130] = 500
    assert blurred([(amount, transfer)], grid).sum() == pytest.approx(500, rel=3e-3)


def test_out_of_focus_it_spreads_by_the_cone_of_its_rays() -> None:
    lens = Lens(1.2, 0.52, 1.34, 1.34)
    for defocus in (4.0, 8.0):
        inside = np.cumsum(lens.profile(10 - defocus, 10) * areas(lens))
        for share in (0.25, 0.5, 0.75):
            # the pupil's inner part of that area holds that share of the light; its rim's rays land at defocus * tan
            tangent = lens.na * np.sqrt(share / (1.34**2 - lens.na**2 * share))
            assert np.interp(share, inside, radii(lens)) == pytest.approx(defocus * tangent, rel=0.03)


def test_both_sides_of_the_focus_look_alike_without_a_mismatch_only() -> None:
    matched, oil = Lens(1.2, 0.52, 1.34, 1.34), Lens(1.4, 0.52, 1.34, 1.515)
    for lens, alike in ((matched, True), (oil, False)):
        above, below = lens.profile(5.6, 5), lens.profile(4.4, 5)
        difference = np.abs(above - below).max() / max(above.max(), below.max())
        assert difference < 1e-6 if alike else difference > 0.1


def test_oil_into_water_gets_worse_with_depth_and_water_does_not() -> None:
    oil, water = (OBJECTIVES[name] for name in ("60x/1.40 Oil", "60x/1.20 W"))
    oil_peaks, water_peaks = (
        [Lens(each.na, 0.52, 1.334, each.immersion_index).profile(z, z)[0] for z in (0.0, 5.0, 15.0)]
        for each in (oil, water)
    )
    assert oil_peaks[2] < 0.6 * oil_peaks[1] < 0.6 * oil_peaks[0]
    assert water_peaks[2] == pytest.approx(water_peaks[0], rel=0.05)


def test_the_sharpest_plane_is_where_the_focus_is() -> None:
    lens = Lens(1.4, 0.52, 1.34, 1.515)
    for depth in (2.0, 5.0):
        focus = np.linspace(depth - 1.5, depth + 1.5, 61)
        peaks = [lens.profile(depth, at)[0] for at in focus]
        assert focus[int(np.argmax(peaks))] == pytest.approx(depth, abs=0.1 * depth)


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


def test_a_pinhole_makes_points_narrower_and_sections() -> None:
    emission, excitation = Lens(1.2, 0.52, 1.34, 1.34), Lens(1.2, 0.488, 1.34, 1.34)
    small = confocal(emission, excitation, 0.1, 3, 3)
    # with a closed pinhole the image is the product of both point-spread functions
    both = emission.profile(3, 3) * np.interp(radii(emission), radii(excitation), excitation.profile(3, 3))
    grid = Grid((128, 128), 0.03)
    amount = np.zeros(grid.shape, dtype=np.float32)
    amount[64, 64] = 1
    profile = blurred([(amount, small)], grid)[64, 64:100]
    expected = np.interp(np.arange(36) * 0.03, radii(emission), both / both[0])
    assert profile / profile[0] == pytest.approx(expected, abs=0.02)


def test_an_even_sheet_fades_out_of_focus_behind_a_pinhole_alone() -> None:
    sample = Plain(sheets=[(4.0, sheet())])
    view = View((50, 50), (64, 64), 0.1)
    seen = {
        mode: [
            float(clean(Objective(60, 1.2, 1.34), 1.34, mode=mode).image(sample, view, "dye", z, EVEN, 0.1).mean())
            for z in (4.0, 5.0, 6.0, 8.0)
        ]
        for mode in ("widefield", "confocal")
    }
    assert seen["widefield"] == pytest.approx([seen["widefield"][0]] * 4, rel=2e-3)
    sharp, *unsharp = seen["confocal"]
    assert [dim / sharp for dim in unsharp] == sorted((dim / sharp for dim in unsharp), reverse=True)
    assert unsharp[0] / sharp < 0.35
    assert unsharp[2] / unsharp[1] == pytest.approx(0.25, abs=0.08)  # light through a far pinhole goes with 1/z^2


def test_transfer_reach_is_where_detail_ends() -> None:
    values = np.zeros(2049, dtype=np.float32)
    values[:1025] = 1
    assert Transfer(values, 4.0).reach_per_um == pytest.approx(2.0, abs=0.01)
