"""How a sample is looked at: images are kept while they hold, light goes in portions, foresight changes nothing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onscope.specimen import Look, Looking, Sight, View, binned, drift_at
from onscope.specimen._looking import DRIFT_STEP_UM, FADED, KEPT_BYTES
from onscope.specimen.optics import MCHERRY, OBJECTIVES, Drift, Illumination, Microscope
from onscope.specimen.sample import Cells, CellSettings

SCOPE = Microscope(OBJECTIVES["20x/0.75"])
VIEW = View((60.0, 60.0), (64, 80), SCOPE.pixel_um)
GREEN = Look(SCOPE, Illumination(561, power_mw=20, field_um=200), VIEW, VIEW.centre_um, "nucleus")
BLUE = Look(SCOPE, Illumination(488, power_mw=5, field_um=200), VIEW, VIEW.centre_um, "cytoplasm")
NUCLEI = Sight(((GREEN, 0.02),), VIEW.shape, 3.0, (590, 660))
BODIES = Sight(((BLUE, 0.02),), VIEW.shape, 3.0)


def looking(seed: int = 1) -> Looking:
    return Looking(Cells(CellSettings(count=12, extent_um=(120.0, 120.0)), seed=2), seed)


def test_an_image_is_kept_until_a_thousandth_has_bleached() -> None:
    scene, dim = looking(), replace(GREEN, light=replace(GREEN.light, power_mw=0.5))
    first = scene.photons(NUCLEI)
    rate = MCHERRY.bleaching_yield * MCHERRY.absorbed_per_j_cm2(561)
    brightest = float(SCOPE.fluence(VIEW, dim.light, 1.0).max())
    holds_s = FADED / (rate * brightest)
    portions = int(holds_s / 0.1)
    assert portions > 3
    for _ in range(portions):
        scene.send(dim, 0.1)
        assert scene.photons(NUCLEI) is first
    scene.send(dim, 0.1)
    again = scene.photons(NUCLEI)
    assert again is not first
    # what was shown until then was wrong by no more than was allowed for, and it did fade
    assert (first - again).max() > 0
    assert (np.abs(first - again) <= 1.35 * FADED * first + 1e-4).all()


def test_light_of_another_dye_leaves_an_image_as_it_is() -> None:
    scene = looking()
    first = scene.photons(BODIES)
    scene.send(GREEN, 100.0)
    assert scene.photons(BODIES) is first


def test_a_step_of_the_sample_ends_what_is_kept() -> None:
    scene = looking()
    first = scene.photons(NUCLEI)
    assert scene.stands_until(9.9)
    scene.advance(9.9)
    assert scene.photons(NUCLEI) is first
    assert not scene.stands_until(10.0)
    scene.advance(10.0)
    assert scene.photons(NUCLEI) is not first


def test_light_of_less_than_a_tenth_of_a_second_waits_for_the_step() -> None:
    scene = looking()
    scene.send(GREEN, 0.05)
    assert not scene.sample.truth(VIEW).objects["dose_j_cm2"].any()
    scene.advance(10.0)
    assert scene.sample.truth(VIEW).objects["dose_j_cm2"].max() > 0


def test_beams_add_up() -> None:
    scene = looking()
    both = scene.photons(replace(BODIES, looks=BODIES.looks + NUCLEI.looks, emission_nm=None))
    alone = scene.photons(BODIES) + scene.photons(replace(NUCLEI, emission_nm=None))
    np.testing.assert_allclose(both, alone, rtol=1e-5)


def test_no_beam_is_darkness() -> None:
    assert not looking().photons(Sight((), (4, 6))).any()


def test_binned_pixels_are_sums() -> None:
    scene = looking()
    fine = scene.photons(NUCLEI)
    np.testing.assert_allclose(scene.photons(replace(NUCLEI, binning=4)), binned(fine, 4), rtol=1e-6)
    assert binned(fine, 4).shape == (16, 20)
    assert binned(fine, 4).sum() == pytest.approx(fine.sum(), rel=1e-5)


def test_what_is_kept_has_an_end() -> None:
    scene = looking()
    large = (1024, 1024)
    count = KEPT_BYTES // (4 * large[0] * large[1])
    sights = [Sight((), large, float(n)) for n in range(count + 1)]
    first = [scene.photons(one) for one in sights]
    assert scene.photons(sights[1]) is first[1]
    assert scene.photons(sights[0]) is not first[0]


def test_an_image_rendered_ahead_is_the_one_that_comes() -> None:
    scene = looking()
    early = scene.ahead(NUCLEI)
    assert scene.photons(NUCLEI) is early
    assert scene.ahead(NUCLEI) is early


def test_an_image_rendered_ahead_is_thrown_away_when_light_is_booked() -> None:
    scene = looking()
    early = scene.ahead(NUCLEI)
    scene.send(GREEN, 0.1)
    assert scene.photons(NUCLEI) is not early


CALLS = st.one_of(
    st.tuples(st.just("see"), st.sampled_from([NUCLEI, BODIES])),
    st.tuples(st.just("send"), st.tuples(st.sampled_from([GREEN, BLUE]), st.sampled_from([0.03, 0.1, 2.0, 30.0]))),
    st.tuples(st.just("live"), st.sampled_from([0.5, 4.0, 10.0])),
)
FORESIGHT = st.sampled_from([None, NUCLEI, BODIES])


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(CALLS, FORESIGHT), min_size=3, max_size=12))
def test_images_are_the_same_bits_whether_rendered_ahead_or_not(calls: list[tuple[tuple[str, object], Sight]]) -> None:
    foreseeing, blind = looking(), looking()
    for (verb, what), ahead in calls:
        if ahead is not None:
            foreseeing.ahead(ahead)
        seen = []
        for scene in (foreseeing, blind):
            if verb == "see":
                assert isinstance(what, Sight)
                seen.append(scene.photons(what))
            elif verb == "send":
                scene.send(*what)  # type: ignore[misc]
            else:
                scene.advance(scene.sample.time_s + what)  # type: ignore[operator]
        if seen:
            assert np.array_equal(seen[0], seen[1])


def test_noise_comes_from_seed_and_number_alone() -> None:
    draws = {(seed, n): looking(seed).generator(n).random() for seed in (1, 2) for n in (0, 1)}
    assert len(set(draws.values())) == 4
    assert looking(1).generator(1).random() == draws[1, 1]


@settings(max_examples=50, deadline=None)
@given(st.floats(0, 1e5))
def test_drift_goes_in_steps(time_s: float) -> None:
    drift = Drift(velocity_um_h=(1.0, -2.0, 3.0), wander_um=(0.1, 0.2, 0.3))
    for step, smooth in zip(drift_at(drift, time_s), drift.at(time_s), strict=True):
        assert abs(step - smooth) <= DRIFT_STEP_UM / 2 + 1e-9
        assert step / DRIFT_STEP_UM == pytest.approx(round(step / DRIFT_STEP_UM), abs=1e-6)
