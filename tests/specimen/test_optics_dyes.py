"""Dyes absorb, shine through their filters and bleach as published; what is not lit does not bleach."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onscope.specimen._view import View
from onscope.specimen.optics import (
    EGFP,
    FLUOROPHORES,
    MCHERRY,
    OBJECTIVES,
    Illumination,
    LightPath,
    Mask,
    Microscope,
    irradiance_w_cm2,
    photon_energy_j,
    surviving,
)

from .plain import Plain, sheet

CLEAN = LightPath(vignetting=0, specks=0)
SCOPE = Microscope(OBJECTIVES["60x/1.20 W"], medium_per_um3=0, path=CLEAN)
VIEW = View((50, 60), (96, 128), 0.108)
LIGHT = Illumination(488, power_mw=2, field_um=200, unevenness=0)


def test_photon_energies_and_cross_sections_are_the_known_ones() -> None:
    assert photon_energy_j(500) == pytest.approx(3.973e-19, rel=1e-3)
    assert irradiance_w_cm2(1.0, 100 * 100) == pytest.approx(10)
    assert EGFP.cross_section_cm2(488) == pytest.approx(2.1e-16, rel=0.03)  # of the order of an Angstrom squared
    assert EGFP.cross_section_cm2(640) < 1e-6 * EGFP.cross_section_cm2(488)


def test_filters_pass_their_share_of_the_spectrum() -> None:
    assert EGFP.emission_share(200, 1000) == pytest.approx(1)
    assert EGFP.emission_share(500, 530) + EGFP.emission_share(530, 560) == pytest.approx(EGFP.emission_share(500, 560))
    fitc, tritc = (500.0, 550.0), (580.0, 640.0)
    assert EGFP.emission_share(*fitc) > 0.6
    assert EGFP.emission_share(*tritc) < 0.02 < 0.5 < MCHERRY.emission_share(*tritc)
    # half of the peak's height lies 14.5 * sqrt(2 ln 2) nm below it
    per_nm = [EGFP.emission_share(nm - 0.5, nm + 0.5) for nm in (507 - 17.07, 507)]
    assert per_nm[0] / per_nm[1] == pytest.approx(0.5, abs=0.01)
    with pytest.raises(ValueError, match="lower wavelength first"):
        EGFP.emission_share(550, 500)


def test_every_filter_has_a_dye_that_its_lamp_excites() -> None:
    lamps = {"Hoechst 33342": 385.0, "EGFP": 475.0, "mCherry": 555.0, "SiR": 630.0, "iRFP670": 630.0}
    bands = [(435.0, 485.0), (500.0, 550.0), (579.0, 631.0), (669.0, 741.0), (669.0, 741.0)]
    for (name, lamp_nm), band in zip(lamps.items(), bands, strict=True):
        dye = FLUOROPHORES[name]
        assert dye.emission_share(*band) > 0.35
        assert dye.cross_section_cm2(lamp_nm) > 0.4 * dye.cross_section_cm2(dye.excitation_nm)
    assert EGFP.emission_share(669, 741) < 1e-5
    assert FLUOROPHORES["SiR"].cross_section_cm2(488) < 1e-5 * EGFP.cross_section_cm2(488)
    assert FLUOROPHORES["Hoechst 33342"].cross_section_cm2(488) < 1e-3 * EGFP.cross_section_cm2(488)


@pytest.mark.parametrize("name", sorted(FLUOROPHORES))
def test_half_is_bleached_after_the_published_time(name: str) -> None:
    dye = FLUOROPHORES[name]
    # each molecule emits 1000 photons per second: 1000 / emitted-per-fluence is the irradiance
    fluence = 1000 / dye.emitted_per_j_cm2(dye.excitation_nm) * dye.half_life_s
    assert surviving(fluence, dye.excitation_nm, dye) == pytest.approx(0.5, rel=1e-5)


@given(st.floats(0, 2000), st.floats(0, 2000), st.sampled_from([405.0, 470.0, 488.0, 561.0]))
@settings(max_examples=40, deadline=None)
def test_doses_add_up(first: float, second: float, wavelength_nm: float) -> None:
    both = surviving(first + second, wavelength_nm, EGFP)
    assert surviving(first, wavelength_nm) * surviving(second, wavelength_nm) == pytest.approx(
        both, rel=1e-4, abs=1e-30
    )


def test_bleaching_follows_the_absorbed_light() -> None:
    fluence = np.linspace(0, 500, 60, dtype=np.float32).reshape(6, 10)
    left = surviving(fluence, 488)
    assert left.dtype == np.float32
    assert left.shape == fluence.shape
    assert np.log(left) == pytest.approx(fluence / fluence[0, 1] * np.log(left[0, 1]), rel=1e-3, abs=1e-6)
    assert surviving(500.0, 488, MCHERRY) > 0.9 * surviving(500.0, 587, MCHERRY)
    assert surviving(100.0, 640) == pytest.approx(1, abs=1e-6)
    with pytest.raises(ValueError, match="found a fluence of -1"):
        surviving(-1.0, 488)


def test_any_dose_leaves_a_share_between_none_and_all() -> None:
    assert surviving(0.0, 488) == 1
    assert surviving(np.array([1e9, 1e30, np.inf]), 488) == pytest.approx(np.zeros(3))
    assert surviving(np.inf, 900) == 1  # so far from its spectrum that nothing is absorbed
    with pytest.raises(ValueError, match="found a fluence of nan"):
        surviving(np.array([1.0, np.nan]), 488)


def test_light_that_a_mask_holds_back_bleaches_nothing() -> None:
    image = np.zeros((20, 20), dtype=bool)
    image[:, 10:] = True
    light = replace(LIGHT, pattern=Mask(image, mirror_um=0.8, na=1.2, extinction=0.0))
    left = surviving(SCOPE.fluence(VIEW, light, 200.0), 488)
    assert left[:, :54].min() == 1  # the edge is in the middle, column 64
    assert left[:, 74:].max() < 0.9
    assert left[:, 74:] == pytest.approx(float(surviving(light.mean_w_cm2 * 200.0, 488)), rel=1e-3)


def test_bleached_images_fade_with_the_dose_they_had() -> None:
    left, light = 1.0, replace(LIGHT, power_mw=50)
    seen = []
    for _ in range(8):
        seen.append(float(SCOPE.image(Plain(sheets=[(1.0, sheet(100 * left))]), VIEW, "dye", 1, light, 1.0).mean()))
        left *= float(surviving(SCOPE.fluence(VIEW, light, 1.0).mean(), 488))
    rate = -np.polyfit(np.arange(8), np.log(seen), 1)[0]
    expected = EGFP.bleaching_yield * EGFP.absorbed_per_j_cm2(488) * light.mean_w_cm2
    assert rate == pytest.approx(expected, rel=0.01)
