"""Light on cells: dyes bleach by the law, only where light fell; too much of it slows cells and then kills them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onscope.specimen._view import CLASSES, View
from onscope.specimen.optics import FLUOROPHORES, surviving
from onscope.specimen.sample import Cells, CellSettings
from onscope.specimen.sample._harm import REPAIR_S, lethal_dose_j_cm2, pace

VIEW = View((100.0, 100.0), (200, 200), 0.5)


def culture(**change: Any) -> Cells:
    values: dict[str, Any] = {"count": 40, "extent_um": (200.0, 200.0), "deaths_per_hour": 0.0, **change}
    return Cells(CellSettings(**values), 2)


def test_brightness_follows_the_bleaching_law() -> None:
    cells = culture()
    everything = View((100.0, 100.0), (300, 300), 1.0)
    start = sum(float(layer.amount.sum()) for layer in cells.layers(everything, "membrane"))
    for n in range(1, 4):
        cells.expose(everything, "membrane", 40.0, 488)
        now = sum(float(layer.amount.sum()) for layer in cells.layers(everything, "membrane"))
        assert now / start == pytest.approx(float(surviving(40.0 * n, 488, FLUOROPHORES["EGFP"])), rel=1e-3)
    assert (cells.herd.left[:, [0, 2, 3, 4]] == 1).all()  # only the dye that was lit


def test_each_dye_bleaches_as_its_fluorophore() -> None:
    cells = culture()
    assert cells.fluorophore("nucleus").name == "mCherry"
    everything = View((100.0, 100.0), (300, 300), 1.0)
    cells.expose(everything, "nucleus", 10.0, 587)
    expected = float(surviving(10.0, 587, FLUOROPHORES["mCherry"]))
    assert cells.herd.left[:, 0] == pytest.approx(np.full(40, expected), rel=1e-5)
    cells.expose(everything, None, 10.0, 587)
    assert cells.herd.left[:, 0] == pytest.approx(np.full(40, expected), rel=1e-5)


def test_only_what_is_in_the_light_is_touched() -> None:
    cells = culture()
    mask = np.zeros(VIEW.shape)
    mask[:, :100] = 3.0  # x below 100 um
    cells.expose(VIEW, "nucleus", mask, 587)
    herd, reach = cells.herd, 30.0
    view_low, view_high = 50.0, 150.0
    dark = (herd.x > 100 + reach) | (herd.x < view_low - reach) | (herd.y < view_low - reach)
    dark |= herd.y > view_high + reach
    assert dark.sum() > 3
    assert (herd.dose[dark] == 0).all()
    assert (herd.left[dark] == 1).all()
    rows = np.flatnonzero((herd.x < 80) & (herd.x > 70) & (np.abs(herd.y - 100) < 25))
    assert len(rows)
    assert herd.dose[rows] == pytest.approx(np.full(len(rows), 3.0), rel=1e-6)


@given(edge=st.integers(20, 180), fluence=st.floats(0.01, 50))
@settings(max_examples=15, deadline=None)
def test_dose_is_the_mean_over_the_body(edge: int, fluence: float) -> None:
    cells = culture()
    light = np.zeros(VIEW.shape)
    light[:edge] = fluence
    cells.expose(VIEW, None, light, 488)
    truth = cells.truth(VIEW)
    for row in truth.objects:
        body = truth.labels == row["id"]
        if VIEW.contains(np.array(row["y_um"]), np.array(row["x_um"]), -25.0):
            assert row["dose_j_cm2"] == pytest.approx(light[body].mean(), abs=0.04 * fluence)


def test_a_cell_at_the_edge_of_the_view_receives_its_part() -> None:
    cells = culture()
    wide = View(VIEW.centre_um, (400, 400), 0.5)
    body = cells.truth(wide).labels
    cells.expose(VIEW, None, 2.0, 488)
    herd = cells.herd
    inside = np.zeros(wide.shape, dtype=bool)
    inside[100:300, 100:300] = True
    for n, dose in zip(herd.id, herd.dose, strict=True):
        pixels = body == n
        if pixels.any() and np.hypot(*(np.array([herd.y[n - 1], herd.x[n - 1]]) - 100)) < 75:
            assert dose == pytest.approx(2.0 * inside[pixels].mean(), abs=0.08)


def test_what_was_looked_at_before_does_not_change_the_dose() -> None:
    one, other = culture(), culture()
    light = np.zeros(VIEW.shape)
    light[30:90, 50:] = 2.0
    one.layers(VIEW.padded(40), "nucleus")
    for cells in (one, other):
        cells.expose(VIEW, "nucleus", light, 587)
    assert one.herd.dose == pytest.approx(other.herd.dose, abs=0)
    assert one.herd.left == pytest.approx(other.herd.left, abs=0)
    assert one.herd.dose.max() > 0


def test_lethal_dose_is_that_of_the_source() -> None:
    assert lethal_dose_j_cm2(405) == pytest.approx(50)
    assert lethal_dose_j_cm2(640) == pytest.approx(240_000)
    assert 500 < lethal_dose_j_cm2(488) < 2000  # ten times as much as at 405 nm and more
    assert pace(np.array([0.0, 0.15])) == pytest.approx([1.0, 0.5])


def test_half_of_the_cells_die_of_the_lethal_dose() -> None:
    cells = culture(count=200, extent_um=(600.0, 600.0))
    everything = View((300.0, 300.0), (350, 350), 2.0)
    cells.expose(everything, None, lethal_dose_j_cm2(450), 450)
    cells.advance(20)
    dying = (cells.herd.phase >= CLASSES.index("dying")).mean()
    assert dying == pytest.approx(0.5, abs=4 * np.sqrt(0.25 / 200))
    assert cells.truth(everything).objects["stress"].max() > 1


def test_less_light_slows_and_is_repaired() -> None:
    lit, dark = culture(), culture()
    everything = View((100.0, 100.0), (300, 300), 1.0)
    start = dark.herd
    assert np.array_equal(start.id, np.arange(1, 41))
    lit.expose(everything, None, 0.3 * lethal_dose_j_cm2(488), 488)
    for cells in (lit, dark):
        cells.advance(3600)
    assert lit.herd.alive.all()
    both = np.intersect1d(lit.herd.id, dark.herd.id)
    grown = [cells.herd.progress[np.isin(cells.herd.id, both)] - start.progress[both - 1] for cells in (lit, dark)]
    flat = (start.phase[both - 1] == 0) & (grown[1] > 0)
    assert grown[0][flat].mean() < 0.5 * grown[1][flat].mean()
    rows = [np.flatnonzero(np.isin(cells.herd.id, both)) for cells in (lit, dark)]
    walked = [
        np.hypot(cells.herd.x[row] - start.x[both - 1], cells.herd.y[row] - start.y[both - 1]).mean()
        for cells, row in zip((lit, dark), rows, strict=True)
    ]
    assert walked[0] < 0.8 * walked[1]
    assert lit.herd.stress == pytest.approx(np.full(len(lit.herd), 0.3 * np.exp(-3600 / REPAIR_S)), rel=0.02)


def test_light_on_one_cell_leaves_the_chances_of_others_alone() -> None:
    lit, dark = culture(count=20, extent_um=(600.0, 600.0)), culture(count=20, extent_um=(600.0, 600.0))
    victim = View((float(lit.herd.y[0]), float(lit.herd.x[0])), (8, 8), 0.5)
    lit.expose(victim, None, 1e7, 405)
    for cells in (lit, dark):
        cells.advance(1800)
    assert lit.herd.phase[0] == CLASSES.index("dying")
    apart = np.hypot(dark.herd.y - dark.herd.y[0], dark.herd.x - dark.herd.x[0]) > 100
    apart &= np.isin(dark.herd.id, lit.herd.id)
    assert apart.sum() > 8
    for name in ("heading", "progress", "tolerance"):
        assert np.array_equal(getattr(lit.herd, name)[apart], getattr(dark.herd, name)[apart])


def test_light_that_cannot_be_is_refused() -> None:
    cells = culture()
    with pytest.raises(ValueError, match="found a fluence of -1"):
        cells.expose(VIEW, None, -1.0, 488)
    with pytest.raises(ValueError, match="expected \\(200, 200\\)"):
        cells.expose(VIEW, None, np.ones((3, 3)), 488)
    with pytest.raises(KeyError, match="golgi"):
        cells.expose(VIEW, "golgi", 1.0, 488)


def test_a_spot_on_one_nucleus_bleaches_that_one() -> None:
    cells = culture(mitotic_fraction=0.0, expression_spread=0.0)
    truth = cells.truth(VIEW)
    middle = np.hypot(truth.objects["y_um"] - 100, truth.objects["x_um"] - 100)
    target = int(truth.objects["id"][middle.argmin()])
    cells.expose(VIEW, "nucleus", np.where(truth.nuclei == target, 60.0, 0.0), 587)
    left = cells.herd.left[:, 0]
    assert left[target - 1] == pytest.approx(float(surviving(60.0, 587, FLUOROPHORES["mCherry"])), abs=0.02)
    assert (np.delete(left, target - 1) == 1).all()


def test_the_table_of_doses_is_the_sum_of_the_light() -> None:
    """Doses add up over time, wavelengths and channels and are never repaired; harm is."""
    cells = culture(count=20, extent_um=(300.0, 300.0), mitotic_fraction=0.0)
    everything = View((150.0, 150.0), (400, 400), 1.0)
    given_j_cm2 = 0.0
    light = [("membrane", 2.0, 488), (None, 5.0, 546), ("nucleus", 1.0, 561)]
    for number, (dye, fluence, wavelength) in enumerate(light):
        cells.advance(number * 1800.0)
        cells.expose(everything, dye, fluence, wavelength)
        given_j_cm2 += fluence
        table = cells.truth(everything).objects
        assert table["dose_j_cm2"] == pytest.approx(np.full(len(table), given_j_cm2), rel=1e-5)
    stress = sum(
        fluence / lethal_dose_j_cm2(wavelength) * np.exp(-age_s / REPAIR_S)
        for fluence, wavelength, age_s in ((2.0, 488, 3600), (5.0, 546, 1800), (1.0, 561, 0))
    )
    assert cells.herd.stress == pytest.approx(np.full(20, stress), rel=1e-3)
    assert table["stress"] * cells.herd.tolerance == pytest.approx(np.full(20, stress), rel=1e-3)


def test_dyes_come_back_in_the_living_and_not_in_the_dead() -> None:
    cells = culture(count=20, extent_um=(300.0, 300.0), mitotic_fraction=0.0, cycle_h=400.0)
    everything = View((150.0, 150.0), (400, 400), 1.0)
    victim = int(cells.herd.id[0])
    spot = np.where(cells.truth(everything).labels == victim, 50 * lethal_dose_j_cm2(488), 0.0)
    cells.expose(everything, None, spot, 488)
    cells.expose(everything, "membrane", 300.0, 488)
    start = cells.herd.left[:, 1]
    assert start.max() < 0.9
    cells.advance(2 * 3600)
    herd = cells.herd
    assert herd.left[0, 1] == pytest.approx(start[0], rel=0.02)
    living = herd.alive
    assert living.sum() > 10
    expected = 1 - (1 - start[living]) * np.exp(-2 / 20)
    assert herd.left[living, 1] == pytest.approx(expected, rel=1e-3)
