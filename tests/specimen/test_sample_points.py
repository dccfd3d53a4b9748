"""Beads diffuse as Einstein says, emitters blink as their rates say, and both lie where their images are."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onscope.specimen._view import View
from onscope.specimen.optics import FLUOROPHORES, surviving
from onscope.specimen.sample import BeadSettings, BlinkingEmitters, BrownianBeads, EmitterSettings
from onscope.specimen.sample._points import layers


@given(y=st.floats(-3, 3), x=st.floats(-3, 3), z=st.floats(0.1, 5), pixel=st.floats(0.05, 0.4))
@settings(max_examples=40, deadline=None)
def test_a_point_is_where_it_is(y: float, x: float, z: float, pixel: float) -> None:
    view = View((1.0, -2.0), (160, 170), pixel)
    found = layers(view, np.array([z]), np.array([1 + y]), np.array([-2 + x]), np.array([50.0]), 0.1, 0.5)
    image = np.sum([layer.amount for layer in found], axis=0, dtype=np.float64)
    assert sum(layer.z_um * layer.amount.sum() for layer in found) / image.sum() == pytest.approx(z, abs=1e-4)
    if view.contains(np.array(1 + y), np.array(-2 + x), -8 * max(pixel, 0.1)):
        assert image.sum() == pytest.approx(50, rel=1e-3)
        rows, columns = view.pixels(np.array(1 + y), np.array(-2 + x))
        middle = (image.sum(1) @ np.arange(160)) / image.sum(), (image.sum(0) @ np.arange(170)) / image.sum()
        assert middle == pytest.approx((float(rows), float(columns)), abs=0.01)


def test_diffusion_is_that_of_einstein() -> None:
    """Stokes and Einstein: 1.32 um2/s for 0.5 um in water at 37 degrees; displacements have variance 2 D t per axis."""
    of = BeadSettings(count=4000, extent_um=(4000.0, 4000.0), height_um=4000.0)
    assert of.diffusion_um2_s == pytest.approx(1.317, rel=0.01)
    beads = BrownianBeads(of, 1)
    start = beads.places_um
    beads.advance(0.5)
    moved = beads.places_um - start
    variance = moved.var(axis=1)
    assert variance == pytest.approx(np.full(3, 2 * of.diffusion_um2_s * 0.5), rel=5 * np.sqrt(2 / 4000))
    assert abs(np.corrcoef(moved)[np.triu_indices(3, 1)]).max() < 5 / np.sqrt(4000)


def test_frame_rate_does_not_change_the_walk() -> None:
    often, once = BrownianBeads(seed=3), BrownianBeads(seed=3)
    for time_s in np.arange(1, 41) * 0.0125:
        often.advance(float(time_s))
    once.advance(0.5)
    assert np.array_equal(often.places_um, once.places_um)
    assert not np.array_equal(once.places_um, BrownianBeads(seed=4).places_um)


def test_walls_hold_beads_and_glue_holds_them_still() -> None:
    beads = BrownianBeads(BeadSettings(count=500, extent_um=(20.0, 20.0), height_um=2.0, stuck_fraction=0.4), 1)
    start = beads.places_um
    beads.advance(4)
    z, y, x = beads.places_um
    assert 0.25 <= z.min() < z.max() <= 1.75
    assert 0 <= min(y.min(), x.min()) < max(y.max(), x.max()) <= 20
    still = (beads.places_um == start).all(axis=0)
    assert still.mean() == pytest.approx(0.4, abs=5 * np.sqrt(0.24 / 500))
    assert (z[still] == 0.25).all()


def test_beads_in_the_light_bleach() -> None:
    beads = BrownianBeads(BeadSettings(stability=2.0), 1)
    view = View((100.0, 100.0), (200, 200), 0.5)
    light = np.zeros(view.shape)
    light[:100] = 50.0
    beads.expose(view, "beads", light, 488)
    table = beads.truth(view).objects
    lit = table["y_um"] < 100
    assert table["bleached"][~lit].max() == 0
    expected = 1 - float(surviving(25.0, 488, FLUOROPHORES["EGFP"]))
    assert table["bleached"][lit] == pytest.approx(np.full(lit.sum(), expected), rel=1e-4)
    assert set(beads.truth(view).kinds()) == {"bead"}


def test_emitters_blink_with_their_rates() -> None:
    of = EmitterSettings(filaments=20, on_s=0.05, off_s=0.5, length_um=20)
    emitters = BlinkingEmitters(of, 2)
    count = emitters.places_um.shape[1]
    duty = 0.05 / 0.55
    states = []
    for step in range(1, 401):
        emitters.advance(step * 0.005)
        states.append(emitters.shining)
    history = np.array(states)
    # Switching with a time of 45 ms (1 / (1/on + 1/off)) gives about 22 independent looks at each emitter in 2 s.
    assert history.mean() == pytest.approx(duty, abs=5 * np.sqrt(duty / (22 * count)))
    starts = ~history[:-1] & history[1:]
    per_second = starts.sum() / (~history[:-1]).sum() / 0.005
    # Seen every 5 ms: blinks that end between two looks are missed, as the exact two-state chance says.
    seen = duty * (1 - np.exp(-0.005 * (1 / 0.05 + 1 / 0.5))) / 0.005
    assert per_second == pytest.approx(seen, rel=5 / np.sqrt(starts.sum()))


def test_emitters_lie_on_their_filaments() -> None:
    emitters = BlinkingEmitters(seed=1)
    view = View((20.0, 20.0), (400, 400), 0.1)
    table = emitters.truth(view).objects
    for number in np.unique(table["parent"])[:10]:
        of = table[table["parent"] == number]
        step = np.hypot(np.diff(of["y_um"]), np.diff(of["x_um"]))
        assert np.median(step) == pytest.approx(0.02, rel=1e-2)
    assert 0.1 <= table["z_um"].min() < table["z_um"].max() <= 0.6


def test_only_shining_emitters_bleach_and_for_good() -> None:
    emitters = BlinkingEmitters(EmitterSettings(on_s=1.0, off_s=1.0, stability=1.0), 1)
    view = View((20.0, 20.0), (400, 400), 0.1)
    shining = emitters.shining
    emitters.expose(view, "emitters", 400.0, 488)
    lost = shining & ~emitters.shining
    survivors = float(surviving(400.0, 488, FLUOROPHORES["EGFP"]))
    assert 0.05 < survivors < 0.95
    expected = 1 - survivors
    assert lost.sum() / shining.sum() == pytest.approx(expected, abs=5 * np.sqrt(0.25 / shining.sum()))
    emitters.advance(5.0)
    assert not (emitters.shining & lost).any()
    assert (emitters.truth(view).objects["bleached"] > 0).sum() == lost.sum()


def test_drawn_emitters_are_those_that_shine() -> None:
    emitters = BlinkingEmitters(EmitterSettings(on_s=0.5, off_s=5.0), 3)
    view = View((20.0, 20.0), (440, 440), 0.1)
    total = sum(float(layer.amount.sum()) for layer in emitters.layers(view, "emitters"))
    assert total == pytest.approx(4.0 * emitters.shining.sum(), rel=1e-3)


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        (BeadSettings, {"diameter_um": 0.0}),
        (BeadSettings, {"fluorophore": "GFP9"}),
        (EmitterSettings, {"on_s": 0.0}),
        (EmitterSettings, {"height_um": (1.0, 0.5)}),
    ],
)
def test_impossible_settings_are_refused(kind: Any, change: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="found"):
        kind(**change)


@pytest.mark.parametrize("sample", [BrownianBeads(), BlinkingEmitters()])
def test_wrong_questions_are_refused(sample: Any) -> None:
    view = View((20.0, 20.0), (16, 16), 0.5)
    with pytest.raises(KeyError, match="nucleus"):
        sample.layers(view, "nucleus")
    with pytest.raises(KeyError, match="nucleus"):
        sample.expose(view, "nucleus", 1.0, 488)
    with pytest.raises(ValueError, match="expected 0 or more"):
        sample.expose(view, None, -1.0, 488)
    sample.advance(0.1)
    with pytest.raises(ValueError, match="cannot go back"):
        sample.advance(0.05)
