"""Stripes have the stated period, angle and phase; a modulator lights what it should and nothing else."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy.special import erf

from onscope.specimen._view import View
from onscope.specimen.optics import GAUSSIAN_WIDTH, OBJECTIVES, Illumination, LightPath, Mask, Microscope, Stripes

from .plain import Plain, places, sheet

CLEAN = LightPath(vignetting=0, specks=0)
SCOPE = Microscope(OBJECTIVES["60x/1.40 Oil"], medium_per_um3=0, path=CLEAN)
WATER = Microscope(OBJECTIVES["60x/1.20 W"], sample_index=1.333, medium_per_um3=0, path=CLEAN)
TIRF = Microscope(OBJECTIVES["100x/1.49 TIRF"], mode="tirf", medium_per_um3=0, path=CLEAN)
EVEN = Illumination(power_mw=2, unevenness=0)
THIN = Plain(sheets=[(0.5, sheet())])


def wave(image: np.ndarray, pixel_um: float, period_um: float, angle_rad: float) -> complex:
    """The amplitude of a wave in an image, relative to its mean, phase counted from the middle."""
    y, x = places(View((0.0, 0.0), image.shape, pixel_um))
    turn = 2 * math.pi / period_um * (x * math.cos(angle_rad) + y * math.sin(angle_rad))
    window = np.outer(np.hanning(image.shape[0]), np.hanning(image.shape[1]))
    return complex(2 * (image * window * np.exp(-1j * turn)).sum() / (image * window).sum())


@given(
    period_um=st.floats(0.25, 1.0), angle_rad=st.floats(0, math.pi), phase_rad=st.floats(-3, 3), depth=st.floats(0.1, 1)
)
@settings(max_examples=40, deadline=None)
@example(period_um=0.25, angle_rad=1.0, phase_rad=1.8601786299894116, depth=1.0)
def test_stripes_in_the_light_are_the_stated_ones(
    period_um: float, angle_rad: float, phase_rad: float, depth: float
) -> None:
    light = replace(EVEN, pattern=Stripes(period_um, angle_rad, phase_rad, depth))
    field = light.irradiance((256, 300), 0.05)
    measured = wave(field, 0.05, period_um, angle_rad)
    assert abs(measured) == pytest.approx(depth, rel=0.01)
    assert np.angle(measured / np.exp(1j * phase_rad)) == pytest.approx(0, abs=0.01)
    assert field.mean() == pytest.approx(light.mean_w_cm2, rel=0.02)
    assert field.min() >= 0


@pytest.mark.parametrize(("period_um", "angle_rad"), [(0.30, 0.0), (0.40, 1.1), (0.6, 2.3)])
def test_stripes_reach_the_camera_as_far_as_the_lens_passes_them(period_um: float, angle_rad: float) -> None:
    stripes = Stripes(period_um, angle_rad, 0.7, 0.8)
    light = replace(EVEN, pattern=stripes)
    pixel_um = WATER.pixel_um
    image = WATER.image(THIN, View((50, 50), (200, 200), pixel_um), "dye", 0.5, light, 0.1)
    measured = wave(image, pixel_um, period_um, angle_rad)
    x = 1 / period_um / WATER.lens(507).cutoff_per_um
    passed = 2 / math.pi * (math.acos(x) - x * math.sqrt(1 - x * x))  # of an aberration-free lens in focus
    across = np.array([math.cos(angle_rad), math.sin(angle_rad)]) * pixel_um / period_um
    box = np.prod(np.sinc(across))  # a camera's pixels average
    # stripes are drawn at the middles of finer pixels, not as their means: 2 % at this period
    assert abs(measured) == pytest.approx(0.8 * passed * box, rel=0.07)
    assert np.angle(measured) == pytest.approx(0.7, abs=0.03)


def test_three_phases_sum_to_the_even_image() -> None:
    rng = np.random.default_rng(0)
    points = [(1.0, *rng.uniform(45, 55, 2), 1e4) for _ in range(30)]
    sample = Plain(sheets=[(0.5, sheet())], points=points)
    view = View((50, 50), (96, 96), SCOPE.pixel_um)

    def image(light: Illumination) -> np.ndarray:
        return SCOPE.image(sample, view, "dye", 1.0, light, 0.1)

    phases = [k * 2 * math.pi / 3 for k in range(3)]
    shifted = np.mean([image(replace(EVEN, pattern=Stripes(0.3, 0.4, phase))) for phase in phases], axis=0)
    # the even image is drawn at the camera's pixels, the striped ones finer: a point lies elsewhere within its pixel
    blurred_alike = np.abs(shifted - image(replace(EVEN, pattern=Stripes(0.3, 0.4, 0.0, modulation=0.0))))
    assert blurred_alike.max() < 1e-3 * shifted.max()
    assert shifted.mean() == pytest.approx(image(EVEN).mean(), rel=5e-3)


def test_stripes_bring_detail_into_reach_that_an_even_light_does_not() -> None:
    """A grating too fine for the lens beats with the stripes: the moire that structured illumination lives on."""
    fine_um, stripes = 0.17, Stripes(0.22, 0.0, 0.0, 1.0)
    grating = Plain(sheets=[(0.5, lambda y, x: 100 * (1 + np.cos(2 * math.pi * x / fine_um)) + 0 * y)])
    view = View((50, 50), (160, 160), SCOPE.pixel_um)
    beat_um = 1 / (1 / fine_um - 1 / stripes.period_um)
    even = SCOPE.image(grating, view, "dye", 0.5, EVEN, 0.1)
    striped = SCOPE.image(grating, view, "dye", 0.5, replace(EVEN, pattern=stripes), 0.1)
    assert abs(wave(even, SCOPE.pixel_um, beat_um, 0.0)) < 0.01
    assert abs(wave(striped, SCOPE.pixel_um, beat_um, 0.0)) > 0.2


def spot_mask(rows: int = 60, columns: int = 80) -> np.ndarray:
    mask = np.zeros((rows, columns), dtype=np.float32)
    mask[10:20, 50:70] = 1
    return mask


@pytest.mark.parametrize(("offset_um", "angle_rad"), [((0.0, 0.0), 0.0), ((3.0, -5.0), 0.0), ((-2.0, 4.0), 0.5)])
def test_a_mask_lights_what_it_should_and_nothing_else(offset_um: tuple[float, float], angle_rad: float) -> None:
    mask = Mask(spot_mask(), mirror_um=0.4, offset_um=offset_um, angle_rad=angle_rad, extinction=0.0)
    view = View((50, 50), (400, 440), SCOPE.pixel_um)
    image = SCOPE.image(THIN, view, "dye", 0.5, replace(EVEN, pattern=mask), 0.1)
    even = SCOPE.image(THIN, view, "dye", 0.5, EVEN, 0.1)
    y, x = (np.broadcast_to(place - 50, image.shape) for place in places(view))
    # the rectangle's middle on the modulator, turned, then moved
    along, across = (59.5 - 39.5) * 0.4, (14.5 - 29.5) * 0.4
    middle_x = along * math.cos(angle_rad) - across * math.sin(angle_rad) + offset_um[1]
    middle_y = along * math.sin(angle_rad) + across * math.cos(angle_rad) + offset_um[0]
    assert (image * y).sum() / image.sum() == pytest.approx(middle_y, abs=0.03)
    assert (image * x).sum() / image.sum() == pytest.approx(middle_x, abs=0.03)
    u = (x - middle_x) * math.cos(angle_rad) + (y - middle_y) * math.sin(angle_rad)
    v = -(x - middle_x) * math.sin(angle_rad) + (y - middle_y) * math.cos(angle_rad)
    inside = (np.abs(u) < 4 - 1.0) & (np.abs(v) < 2 - 1.0)
    outside = (np.abs(u) > 4 + 1.5) | (np.abs(v) > 2 + 1.5)
    assert image[inside] == pytest.approx(even[inside], rel=0.05)  # an Airy disc has wide skirts
    assert image[outside].max() < 0.02 * even.mean()
    assert image.sum() / even.mean() * view.pixel_um**2 == pytest.approx(8.0 * 4.0, rel=0.01)


def test_a_mask_is_as_sharp_as_its_projection_and_unsharp_out_of_focus() -> None:
    half = np.zeros((100, 100), dtype=bool)
    half[:, 50:] = True
    light = replace(EVEN, pattern=Mask(half, mirror_um=0.5, na=0.5, extinction=0.0))
    at = (np.arange(200) - 99.5) * 0.05
    for defocus in (0.0, 3.0):
        edge = light.irradiance((200, 200), 0.05, index=1.36, defocus_um=defocus)[100] / light.mean_w_cm2
        sigma = math.hypot(GAUSSIAN_WIDTH * 0.488 / 0.5, 0.5 * defocus * 0.5 / math.sqrt(1.36**2 - 0.25))
        assert edge == pytest.approx(0.5 * (1 + erf(at / (math.sqrt(2) * sigma))), abs=0.03)


def test_off_pixels_leak_as_stated_and_small_mirrors_are_averaged() -> None:
    dark = replace(EVEN, pattern=Mask(np.zeros((50, 50), dtype=bool), mirror_um=1.0, extinction=0.002))
    assert dark.irradiance((100, 100), 0.2)[50, 50] == pytest.approx(0.002 * dark.mean_w_cm2, rel=1e-3)
    checkers = np.indices((400, 400)).sum(0) % 2
    grey = replace(EVEN, pattern=Mask(checkers.astype(bool), mirror_um=0.1, na=0.3))
    assert grey.irradiance((40, 40), 0.5)[5:-5, 5:-5] == pytest.approx(0.5 * grey.mean_w_cm2, rel=0.05)
    eight_bit = Mask(np.full((4, 4), 128, dtype=np.uint8), 1.0)
    assert eight_bit.image == pytest.approx(128 / 255)


def test_a_region_of_the_camera_sees_its_part_of_the_pattern() -> None:
    for pattern in (Stripes(0.5, 0.6, 1.0), Mask(spot_mask(), 0.4)):
        light = replace(EVEN, pattern=pattern)
        whole = SCOPE.image(THIN, View((50, 50), (256, 256), SCOPE.pixel_um), "dye", 0.5, light, 0.1)
        off = (-30 * SCOPE.pixel_um, 40 * SCOPE.pixel_um)
        part = View((50 + off[0], 50 + off[1]), (64, 96), SCOPE.pixel_um)
        region = SCOPE.image(THIN, part, "dye", 0.5, light, 0.1, axis_um=(50, 50))
        assert region == pytest.approx(whole[66:130, 120:216], rel=0.01, abs=1e-3 * float(whole.max()))


def test_the_evanescent_field_is_as_deep_as_the_angle_makes_it() -> None:
    depth, strength = TIRF.evanescent(488)
    expected = 0.488 / (4 * math.pi * math.sqrt((1.515 * math.sin(math.radians(70))) ** 2 - 1.36**2))
    assert depth == pytest.approx(expected)
    assert 0.05 < depth < 0.3
    assert 1 < strength < 4
    view = View((50, 50), (32, 32), 0.065)
    heights = np.array([0.02, 0.1, 0.2, 0.3])
    seen = [TIRF.image(Plain(sheets=[(z, sheet())]), view, "dye", 0.0, EVEN, 0.1).mean() for z in heights]
    assert -np.polyfit(heights, np.log(seen), 1)[0] == pytest.approx(1 / depth, rel=0.02)


def test_tirf_sees_the_skin_of_a_thick_slice() -> None:
    depth, strength = TIRF.evanescent(488)
    slices = Plain(sheets=[(z, sheet(100.0)) for z in (0.25, 0.75, 1.25)])  # 200 molecules per um3
    view = View((50, 50), (32, 32), 0.065)
    seen = TIRF.image(slices, view, "dye", 0.0, EVEN, 0.1).mean()
    wide = replace(TIRF, mode="widefield").image(slices, view, "dye", 0.0, EVEN, 0.1).mean()
    assert seen / wide == pytest.approx(strength * depth / 1.5, rel=0.02)


@pytest.mark.parametrize(
    "make",
    [
        lambda: Stripes(0.0),
        lambda: Stripes(0.3, modulation=1.2),
        lambda: Mask(np.zeros((3, 3, 3), dtype=bool), 1.0),
        lambda: Mask(np.full((3, 3), 2.0), 1.0),
        lambda: Mask(np.full((3, 3), np.nan), 1.0),
        lambda: Mask(np.zeros((3, 3), dtype=bool), 0.0),
    ],
)
def test_impossible_patterns_are_refused(make: object) -> None:
    with pytest.raises(ValueError, match=r"found .*, expected"):
        make()  # type: ignore[operator]


def test_stripes_are_washed_out_in_the_medium_but_not_in_an_evanescent_field() -> None:
    """Nearly all of the medium is out of focus in a wide field, all of it in focus in an evanescent field."""
    light = replace(EVEN, pattern=Stripes(0.4, 0.3))
    for scope, seen in ((SCOPE, False), (TIRF, True)):
        glowing = replace(scope, medium_per_um3=40.0)
        image = glowing.image(Plain(), View((50, 50), (160, 160), scope.pixel_um), "dye", 0.0, light, 0.1)
        assert (abs(wave(image, scope.pixel_um, 0.4, 0.3)) > 0.2) is seen


def test_what_is_kept_between_frames_is_bounded() -> None:
    from onscope.specimen.optics import _kept

    for number in range(40):
        _kept.kept(("a test", number), lambda: np.zeros(2**24, dtype=np.uint8))
    assert sum(array.nbytes for array in _kept._arrays.values()) <= _kept.KEPT_BYTES
    first, again = (_kept.kept(("a test", 39), lambda: np.ones(1)) for _ in range(2))
    assert first is again
    assert first.size == 2**24
