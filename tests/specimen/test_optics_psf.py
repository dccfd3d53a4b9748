"""A point is as wide as aperture, wavelength and depth make it, and keeps its light."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onscope.specimen import Optics
from onscope.specimen._view import View
from onscope.specimen.optics import OBJECTIVES, Fluorophore, Illumination, Lens, LightPath, Microscope, Objective
from onscope.specimen.optics._blur import blurred
from onscope.specimen.optics._grid import Grid
from onscope.specimen.optics._lens import areas, radii
from onscope.specimen.optics._transfer import TABLE, confocal, widefield

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


@pytest.mark.parametrize("name", sorted(OBJECTIVES))
def test_far_out_of_focus_all_light_is_there_and_all_detail_gone(name: str) -> None:
    lens = Lens(OBJECTIVES[name].na, 0.52, 1.36, OBJECTIVES[name].immersion_index)
    before, after = (widefield(lens, 3.0, 3.0 + share * lens.far_um) for share in (0.99, 1.01))
    f = np.linspace(0, lens.cutoff_per_um, 60)
    kept = [np.interp(f, np.linspace(0, each.cutoff_per_um, TABLE + 1), each.values) for each in (before, after)]
    assert kept[0] == pytest.approx(kept[1], abs=0.03)  # no step where rays take over from waves
    reach, seen = [], []
    for z_um in (1.5, 4.0, 40.0, 1e3):
        far = widefield(lens, 3.0, 3.0 + z_um * lens.far_um)
        assert far.values[0] == pytest.approx(1, abs=2e-3)
        reach.append(far.reach_per_um)
        seen.append(float(confocal(lens, lens, 1.0, 3.0, 3.0 + z_um * lens.far_um).values[0]) * z_um**2)
    assert reach == sorted(reach, reverse=True)
    assert seen == pytest.approx([seen[0]] * 4, rel=1e-3)  # behind a pinhole light goes with 1 / z^2


@pytest.mark.parametrize("name", ["100x/1.49 TIRF", "60x/1.40 Oil", "40x/0.95", "10x/0.30"])
def test_a_point_brings_as_many_photons_as_its_molecules_in_a_sheet(name: str) -> None:
    """Whatever is out of focus, and whatever grid it is drawn on; without ripples that pretend to be light."""
    scope = Microscope(OBJECTIVES[name], medium_per_um3=0, path=CLEAN)
    view = View((50, 50), (480, 480), scope.pixel_um)
    sigma = scope.pixel_um
    area = view.area_um2

    def spot(y: np.ndarray, x: np.ndarray) -> np.ndarray:
        return np.asarray(area * np.exp(-((y - 50) ** 2 + (x - 50) ** 2) / (2 * sigma**2)) / (2 * np.pi * sigma**2))

    even = scope.image(Plain(sheets=[(3.0, sheet(1.0))]), view, "dye", 3.0, EVEN, 0.1).sum()
    for defocus in (0.0, 0.7, 1.5, 3.0):
        seen = scope.image(Plain(sheets=[(3.0, spot)]), view, "dye", 3.0 + defocus, EVEN, 0.1).sum()
        assert seen / even == pytest.approx(1, abs=0.015)


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
