"""Bacteria grow, divide, lie end to end in their channel, and leave it at its open end only."""

from __future__ import annotations

import numpy as np
import pytest

from onscope.specimen._view import View
from onscope.specimen.optics import FLUOROPHORES, surviving
from onscope.specimen.sample import Bacteria, BacteriaSettings
from onscope.specimen.sample._channel import REPAIR_S, TOP_UM
from onscope.specimen.sample._harm import lethal_dose_j_cm2

VIEW = View((34.0, 30.0), (400, 500), 0.12)


def test_the_same_seed_is_the_same_life() -> None:
    one, other = Bacteria(seed=1), Bacteria(seed=1)
    for time_s in (3.0, 17.0, 900.0):
        one.advance(time_s)
        one.layers(VIEW, "membrane")
    other.advance(900.0)
    assert np.array_equal(one.truth(VIEW).labels, other.truth(VIEW).labels)
    assert not np.array_equal(one.truth(VIEW).labels, Bacteria(seed=2).truth(VIEW).labels)


def test_length_doubles_in_the_doubling_time() -> None:
    bacteria = Bacteria(BacteriaSettings(channels=100, doubling_min=20, channel_um=(60.0, 1.2)), 3)
    start = bacteria._rods.length.sum()
    bacteria.advance(20 * 60)
    # Rates spread by 8 % and channels are independent: the sum is good to a per cent or so. None has left yet.
    assert bacteria._rods.length.sum() / start == pytest.approx(2.0, rel=0.03)


def test_division_keeps_lineage_length_and_place() -> None:
    bacteria = Bacteria(BacteriaSettings(channels=12), 4)
    divided = 0
    for step in range(1, 721):
        before = bacteria._rods.taken(np.arange(len(bacteria._rods)))
        bacteria.advance(step * 5.0)
        after = bacteria._rods
        for mother in set(after.parent.tolist()) & set(before.id.tolist()):
            rows = np.flatnonzero(after.parent == mother)
            was = np.flatnonzero(before.id == mother)[0]
            assert after.channel[rows].tolist() == [before.channel[was]] * len(rows)
            if len(rows) == 2:
                divided += 1
                assert rows[1] == rows[0] + 1
                assert after.length[rows].sum() == pytest.approx(before.length[was], rel=0.005)
                assert bacteria.parents[int(after.id[rows[0]])] == mother
        assert len(np.unique(after.id)) == len(after)
        # The one at the closed end stays: it or its first daughter.
        assert len(np.unique(after.channel)) == 12
    assert divided > 80


def test_rods_do_not_overlap_and_leave_by_the_opening() -> None:
    settings = BacteriaSettings(channels=10)
    bacteria = Bacteria(settings, 5)
    bacteria.advance(2 * 3600)
    truth = bacteria.truth(VIEW)
    covered = np.zeros(VIEW.shape, dtype=int)
    for patch in bacteria._heights(VIEW):
        window = patch.window(covered)
        window += patch.pixels > 0
    assert covered.max() == 1
    inside = truth.objects
    assert len(inside) > 50
    assert inside["y_um"].min() > TOP_UM
    assert inside["y_um"].max() < TOP_UM + settings.channel_um[0] + 6
    for row in inside:
        body = truth.labels == row["id"]
        if VIEW.contains(row["y_um"], row["x_um"], -4.0):
            assert body.sum() * VIEW.pixel_um**2 == pytest.approx(row["area_um2"], rel=0.12)
    off = np.abs(inside["x_um"] - np.round(inside["x_um"] / 5) * 5)
    assert off.max() <= (settings.channel_um[1] - settings.width_um) / 2 + 1e-6


def test_soluble_dye_fills_the_volume() -> None:
    bacteria = Bacteria(BacteriaSettings(channels=5), 1)
    path, _ = bacteria.thickness(VIEW)
    layer = bacteria.layers(VIEW, "cytoplasm")[0]
    assert layer.amount.dtype == np.float32
    far, fine = VIEW, View(VIEW.centre_um, (1200, 1500), 0.04)
    totals = [bacteria.layers(view, "cytoplasm")[0].amount.sum() for view in (far, fine)]
    assert totals[0] == pytest.approx(totals[1], rel=0.01)
    assert path.max() == pytest.approx(1000 * 0.07 * 1.2, rel=1e-5)  # the walls


def test_light_bleaches_by_the_law_and_kills() -> None:
    bacteria = Bacteria(BacteriaSettings(channels=8, sensitivity=10), 2)
    left_half = np.zeros(VIEW.shape)
    left_half[:, :250] = 200.0
    bacteria.expose(VIEW, "cytoplasm", left_half, 488)
    truth = bacteria.truth(VIEW)
    lit = truth.objects["x_um"] < 29
    assert (truth.objects["dose_j_cm2"][~lit & (truth.objects["x_um"] > 31)] == 0).all()
    assert truth.objects["dose_j_cm2"][lit] == pytest.approx(np.full(lit.sum(), 200.0))
    expected = (1 - float(surviving(200.0, 488, FLUOROPHORES["EGFP"]))) / 3  # one of three dyes
    assert truth.objects["bleached"][lit] == pytest.approx(np.full(lit.sum(), expected), rel=1e-4)
    before = dict(zip(bacteria._rods.id.tolist(), bacteria._rods.length.tolist(), strict=True))
    bacteria.advance(60)
    kinds = dict(zip(bacteria.truth(VIEW).objects["id"].tolist(), bacteria.truth(VIEW).kinds(), strict=True))
    for n, length in zip(bacteria._rods.id.tolist(), bacteria._rods.length.tolist(), strict=True):
        if n in before:
            assert (length == before[n]) == (kinds.get(n) == "dead")
    assert "dead" in kinds.values()
    assert "bacterium" in kinds.values()


def test_a_rod_at_the_edge_of_the_light_receives_its_part() -> None:
    """Whatever was looked at before, in pixels of any size: the mean over the whole rod."""
    one, other = Bacteria(BacteriaSettings(channels=8), 2), Bacteria(BacteriaSettings(channels=8), 2)
    body = one.truth(VIEW).labels
    lit = View((VIEW.centre_um[0] - 22.0, VIEW.centre_um[1]), (100, 220), 0.3)  # up to y = 27: ends within rods
    y = VIEW.centre_um[0] + (np.arange(400) - 199.5) * 0.12
    inside = y < 27.0
    one.expose(lit, "cytoplasm", 4.0, 488)
    other.expose(View(lit.centre_um, (20, 44), 1.5), "cytoplasm", 4.0, 488)
    other.layers(VIEW, "membrane")
    doses = []
    for row in one.truth(VIEW).objects:
        rows = np.nonzero(body == row["id"])[0]
        doses.append(float(row["dose_j_cm2"]))
        assert doses[-1] == pytest.approx(4.0 * inside[rows].mean(), abs=0.2)
    assert any(0.5 < dose < 3.5 for dose in doses)
    assert one._rods.dose == pytest.approx(other._rods.dose, abs=1e-9)


def test_rods_repair_and_the_dead_do_not() -> None:
    bacteria = Bacteria(BacteriaSettings(channels=30), 1)
    everything = View((40.0, 78.0), (200, 400), 0.5)
    bacteria.expose(everything, None, lethal_dose_j_cm2(470), 470)
    dead, start = bacteria._rods.dead, bacteria._rods.stress.copy()
    # The tolerance is log-normal around 1: a dose of 1 kills half of them.
    assert dead.mean() == pytest.approx(0.5, abs=4 * np.sqrt(0.25 / len(dead)))
    ids = bacteria._rods.id[dead]
    bacteria.advance(900)
    rods = bacteria._rods
    still = np.isin(rods.id, ids)
    assert still.sum() > 0.5 * dead.sum()
    assert rods.dead[still].all()
    assert rods.stress[still] == pytest.approx(np.full(still.sum(), start[0]))
    assert rods.stress[~rods.dead] == pytest.approx(np.full((~rods.dead).sum(), start[0] * np.exp(-900 / REPAIR_S)))
    kinds = dict(zip(*(bacteria.truth(everything).objects[name].tolist() for name in ("id", "stress")), strict=True))
    assert all((kinds[n] > 1) == (n in ids) for n in kinds if n <= 90)


def test_impossible_channels_are_refused() -> None:
    with pytest.raises(ValueError, match="found 0 channels"):
        BacteriaSettings(channels=0)
    with pytest.raises(ValueError, match="expected 1 to 500 channels"):
        BacteriaSettings(width_um=2.0)
    bacteria = Bacteria()
    bacteria.advance(5)
    with pytest.raises(ValueError, match="found time 1"):
        bacteria.advance(1)
    with pytest.raises(KeyError, match="filaments"):
        Bacteria().layers(VIEW, "filaments")
