"""A life is the same whoever looks on and whenever; nobody teleports, appears or is lost; the dead stay dead."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onscope.specimen._view import Sample, Truth, View
from onscope.specimen.sample import (
    Bacteria,
    BacteriaSettings,
    BeadSettings,
    BlinkingEmitters,
    BrownianBeads,
    Cells,
    CellSettings,
    EmitterSettings,
    Together,
)
from onscope.specimen.sample._harm import lethal_dose_j_cm2
from onscope.specimen.sample._herd import ANAPHASE, DEAD, DYING, INTERPHASE

CROWD = CellSettings(count=30, extent_um=(150, 150), mitotic_fraction=0.5, deaths_per_hour=1.0, cycle_h=3.0)
RODS = BacteriaSettings(channels=5, doubling_min=8)
MAKERS: dict[str, tuple[Callable[[], Sample], float]] = {
    "cells": (partial(Cells, CROWD, 3), 200.0),
    "bacteria": (partial(Bacteria, RODS, 3), 100.0),
    "beads": (partial(BrownianBeads, BeadSettings(count=20), 3), 0.4),
    "emitters": (partial(BlinkingEmitters, EmitterSettings(filaments=2, length_um=4, on_s=0.02), 3), 0.8),
}
CENTRE = View((40.0, 40.0), (50, 60), 1.0)


def seen(sample: Sample, view: View) -> list[np.ndarray]:
    """All that can be asked of a sample."""
    truth = sample.truth(view)
    layers = [layer.amount for dye in sample.dyes for layer in sample.layers(view, dye)]
    return [truth.labels, truth.nuclei, truth.objects, *layers, *sample.thickness(view)]


@pytest.mark.parametrize("name", [*MAKERS, "together"])
@given(data=st.data())
@settings(max_examples=5, deadline=None)
def test_looking_changes_nothing(name: str, data: st.DataObject) -> None:
    """The same light at the same times: whatever is looked at between, in however many steps, the bits are the same."""
    make, far_s = MAKERS["cells"] if name == "together" else MAKERS[name]
    watched, alone = make(), make()
    if name == "together":
        beads = partial(BrownianBeads, BeadSettings(count=9, stuck_fraction=1.0, extent_um=(150, 150)), 1)
        watched, alone = Together([watched, beads()]), Together([alone, beads()])
    light_s = data.draw(st.floats(0, far_s))
    dye = watched.dyes[0]
    for sample in (watched, alone):
        times = sorted(data.draw(st.lists(st.floats(0, far_s), max_size=4))) if sample is watched else []
        for time_s in [*(t for t in times if t <= light_s), light_s]:
            sample.advance(time_s)
            if sample is watched:
                place = data.draw(st.tuples(st.floats(-20, 120), st.floats(-20, 120)))
                seen(sample, View(place, data.draw(st.tuples(st.integers(1, 40), st.integers(1, 40))), 0.7))
        sample.expose(CENTRE, dye, 3.0, 488)
        for time_s in [*(t for t in times if t > light_s), far_s]:
            sample.advance(time_s)
            if sample is watched:
                sample.layers(CENTRE.padded(data.draw(st.integers(0, 9))), dye)
    for one, other in zip(seen(watched, CENTRE), seen(alone, CENTRE), strict=True):
        assert np.array_equal(one, other)


@pytest.mark.parametrize("make", [make for make, _ in MAKERS.values()], ids=[*MAKERS])
def test_a_jump_is_as_good_as_many_steps(make: Callable[[], Sample]) -> None:
    step_s = {"Cells": 10.0, "Bacteria": 5.0}.get(type(make()).__name__, 0.05)
    jumped, stepped = make(), make()
    jumped.advance(400 * step_s)
    for number in range(1, 401):
        stepped.advance(number * step_s)
    for one, other in zip(seen(jumped, CENTRE), seen(stepped, CENTRE), strict=True):
        assert np.array_equal(one, other)


@pytest.mark.parametrize("make", [make for make, _ in MAKERS.values()], ids=[*MAKERS])
@pytest.mark.parametrize("to_s", [-1.0, float("nan"), float("inf")])
def test_there_are_times_that_never_come(make: Callable[[], Sample], to_s: float) -> None:
    with pytest.raises(ValueError, match="found time"):
        make().advance(to_s)


def test_an_hour_of_blinking_is_no_effort_and_ends_as_it_must() -> None:
    of = EmitterSettings(filaments=4, on_s=0.05, off_s=0.5)
    emitters = BlinkingEmitters(of, 1)
    emitters.advance(3600 * 24)
    duty = 0.05 / 0.55
    assert emitters.shining.mean() == pytest.approx(duty, abs=5 * np.sqrt(duty / len(emitters.shining)))


def test_nobody_teleports_appears_or_is_lost() -> None:
    cells = Cells(CROWD, 4)
    everyone = View((75.0, 75.0), (90, 90), 2.0)
    born = died = 0
    for step in range(1, 700):
        before = cells.herd
        if step == 300:
            cells.expose(everyone, None, 0.9 * lethal_dose_j_cm2(488), 488)
        cells.advance(step * 10.0)
        after = cells.herd
        assert len(np.unique(after.id)) == len(after)
        _, old, new = np.intersect1d(before.id, after.id, return_indices=True)
        moved = np.hypot(after.y[new] - before.y[old], after.x[new] - before.x[old])
        assert moved.max() < 1.5  # um in 10 s: pushed, at most; they crawl 0.1
        turned = np.angle(np.exp(2j * (after.axis[new] - before.axis[old]))) / 2
        assert np.abs(turned).max() < 0.15
        assert np.abs(after.spread[new] - before.spread[old]).max() < 0.1
        assert not ((before.phase[old] >= DYING) & (after.phase[new] < DYING)).any()
        left = ~np.isin(before.id, after.id)
        entered = ~np.isin(after.id, before.id)
        mothers = left & (before.phase == ANAPHASE)
        assert entered.sum() == 2 * mothers.sum()
        assert (before.phase[left & ~mothers] == DEAD).all()
        assert np.array_equal(np.sort(after.parent[entered]), np.sort(np.repeat(before.id[mothers], 2)))
        for row in np.flatnonzero(entered):
            mother = np.flatnonzero(before.id == after.parent[row])[0]
            assert np.hypot(after.y[row] - before.y[mother], after.x[row] - before.x[mother]) < 6
        born += int(entered.sum())
        died += int((after.phase[new] >= DYING).sum() > (before.phase[old] >= DYING).sum())
    assert born > 20
    assert died > 10
    assert len(cells.parents) == 30 + born


def test_the_dead_look_and_stay_dead() -> None:
    cells = Cells(CellSettings(count=6, extent_um=(400, 400), deaths_per_hour=0.0, mitotic_fraction=0.0), 8)
    everyone = View((200.0, 200.0), (400, 400), 1.0)
    flat = {int(row["id"]): float(row["area_um2"]) for row in cells.truth(everyone).objects}
    cells.expose(everyone, None, 20 * lethal_dose_j_cm2(488), 488)
    cells.advance(2 * 3600)
    herd = cells.herd
    assert (herd.phase == DEAD).all()
    early = cells.truth(everyone)
    path = cells.thickness(everyone)[0]
    cells.advance(3.5 * 3600)
    late = cells.truth(everyone)
    assert np.array_equal(early.objects["id"], late.objects["id"])
    assert set(late.kinds()) == {"dead"}
    assert np.array_equal(early.labels, late.labels)  # they neither crawl nor boil
    assert np.array_equal(early.nuclei, late.nuclei)
    for row in late.objects:
        assert row["area_um2"] < 0.6 * flat[int(row["id"])]
        view = View((float(row["y_um"]), float(row["x_um"])), (200, 200), 0.2)
        pieces = cells.truth(view).nuclei == row["id"]
        assert pieces.sum() * 0.04 < 90  # um2: condensed, from some 150
    assert cells.thickness(everyone)[0].sum() < 0.9 * path.sum()  # and leak


def test_a_shrinking_cell_delays_light_as_before() -> None:
    cells = Cells(CellSettings(count=1, extent_um=(200, 200), deaths_per_hour=0.0, mitotic_fraction=0.0), 3)
    everyone = View((100.0, 100.0), (800, 800), 0.25)
    cells.advance(3600)
    before = cells.thickness(everyone)[0].sum()
    cells.expose(everyone, None, 20 * lethal_dose_j_cm2(488), 488)
    cells.advance(3600 + 2000)
    assert cells.herd.phase[0] == DYING
    assert cells.herd.volume_um3[0] < 0.5 * CellSettings().volume_um3 * 2
    # The rim, grain and nucleus are drawn anew: to a few per cent the integral is the dry mass (R. Barer, 1952).
    assert cells.thickness(everyone)[0].sum() == pytest.approx(before, rel=0.12)


@given(
    row=st.integers(0, 380),
    column=st.integers(0, 380),
    rows=st.integers(1, 20),
    columns=st.integers(1, 20),
    star=st.booleans(),
)
@settings(max_examples=30, deadline=None)
def test_what_crosses_the_border_is_labelled_as_in_a_wider_view(
    row: int, column: int, rows: int, columns: int, star: bool
) -> None:
    cells, whole = WIDE[star]
    middle = [75 + (start + (size - 1) / 2 - 199.5) * 0.5 for start, size in ((row, rows), (column, columns))]
    truth = cells.truth(View((middle[0], middle[1]), (rows, columns), 0.5))
    part = slice(row, row + rows), slice(column, column + columns)
    assert np.array_equal(truth.labels, whole.labels[part])
    assert np.mean(truth.nuclei != whole.nuclei[part]) <= 2 / truth.nuclei.size + 0.02
    assert set(np.unique(truth.labels)) - {0} <= set(truth.objects["id"])
    same = whole.objects[np.isin(whole.objects["id"], truth.objects["id"])]
    assert np.array_equal(same, truth.objects)  # the table tells of whole objects, wherever the border is


def _wide(cells: Cells) -> tuple[Cells, Truth]:
    cells.advance(900)
    view = View((75.0, 75.0), (400, 400), 0.5)
    return cells, cells.truth(view)


STAR = CellSettings(count=20, extent_um=(150, 150), elongation=2.5, spikiness=1.0, height_um=2.6, touch=0.6)
WIDE = {False: _wide(Cells(CROWD, 1)), True: _wide(Cells(STAR, 2))}


@pytest.mark.parametrize("count", [1, 2, 2000])
def test_from_one_cell_to_thousands(count: int) -> None:
    side = 300.0 if count < 10 else 1200.0
    cells = Cells(CellSettings(count=count, extent_um=(side, side), mitotic_fraction=0.1), 1)
    cells.advance(600)
    herd = cells.herd
    assert len(herd) >= count
    assert ((herd.y > 0) & (herd.y < side) & (herd.x > 0) & (herd.x < side)).all()
    flat = np.flatnonzero(herd.phase == INTERPHASE)[0]
    view = View((float(herd.y[flat]), float(herd.x[flat])), (60, 60), 0.5)
    assert herd.id[flat] in cells.truth(view).labels
