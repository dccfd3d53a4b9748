"""Cells walk, touch without overlap, grow, divide with their lineage kept, and die; the same seed is the same life."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from onscope.specimen._view import CLASSES, View
from onscope.specimen.sample import Cells, CellSettings
from onscope.specimen.sample._herd import Herd

QUICK: dict[str, Any] = {"cycle_h": 2.0, "prophase_min": 4.0, "metaphase_min": 8.0, "anaphase_min": 4.0}


def same(one: Herd, other: Herd) -> bool:
    return all(np.array_equal(getattr(one, name), getattr(other, name)) for name in Herd.__slots__)


def test_the_same_seed_is_the_same_life_whatever_is_looked_at() -> None:
    settings = CellSettings(count=30, extent_um=(300, 300), **QUICK)
    watched, alone, other = Cells(settings, 4), Cells(settings, 4), Cells(settings, 5)
    for time_s in (0.0, 7.0, 10.0, 300.0, 3000.0, 3001.5):
        watched.advance(time_s)
        watched.layers(View((100 + time_s / 100, 120), (64, 48), 0.5), "membrane")
        watched.truth(View((150, 150), (40, 40), 1.0))
    alone.advance(3001.5)
    other.advance(3001.5)
    assert same(watched.herd, alone.herd)
    assert not np.array_equal(alone.herd.x[:20], other.herd.x[:20])
    view = View((150, 150), (64, 64), 1.0)
    for dye in alone.dyes:
        ours, theirs = watched.layers(view, dye), alone.layers(view, dye)
        assert all(np.array_equal(a.amount, b.amount) for a, b in zip(ours, theirs, strict=True))


def test_time_does_not_go_back() -> None:
    cells = Cells(CellSettings(count=3))
    cells.advance(25)
    assert cells.time_s == 25
    with pytest.raises(ValueError, match="found time 20 s, expected 25"):
        cells.advance(20)


def test_division_keeps_the_lineage() -> None:
    settings = CellSettings(count=25, extent_um=(400, 400), deaths_per_hour=0.0, **QUICK)
    cells = Cells(settings, 1)
    view = View((200, 200), (400, 400), 1.0)
    born: dict[int, float] = {}
    for minute in range(0, 5 * 60, 2):
        before = cells.herd
        cells.advance(minute * 60.0)
        after = cells.herd
        gone, new = set(before.id) - set(after.id), set(after.id) - set(before.id)
        mothers = [int(after.parent[after.id == one][0]) for one in new]
        assert sorted(mothers) == sorted(2 * list(gone))  # two daughters for every mother that left, no one else
        for one in new:
            row, mother = int(np.flatnonzero(after.id == one)[0]), cells.parents[int(one)]
            born[int(one)] = after.born_s[row]
            place = np.flatnonzero(before.id == mother)[0]
            moved = np.hypot(after.y[row] - before.y[place], after.x[row] - before.x[place])
            assert moved < 12  # half of the distance of the chromosomes, and two minutes of being pushed
        assert after.id.size == np.unique(after.id).size
    assert len(born) > 60  # two generations and more
    grandmothers = [cells.parents[cells.parents[one]] for one in born if cells.parents[one] in born]
    assert grandmothers
    assert all(born[one] > born.get(cells.parents[one], 0.0) for one in born if cells.parents[one])
    table = cells.truth(view).objects
    assert all(cells.parents[int(row["id"])] == row["parent"] for row in table)


def test_phases_come_in_their_order_and_take_their_time() -> None:
    settings = CellSettings(count=40, extent_um=(500, 500), deaths_per_hour=0.0, **QUICK)
    cells = Cells(settings, 2)
    history: dict[int, list[str]] = {}
    counts = dict.fromkeys(CLASSES, 0)
    for step in range(0, 4 * 360):
        cells.advance(step * 10.0)
        herd = cells.herd
        for one, kind in zip(herd.id.tolist(), herd.phase.tolist(), strict=True):
            name = CLASSES[kind]
            counts[name] += 1
            line = history.setdefault(one, [])
            if not line or line[-1] != name:
                line.append(name)
    order = ["telophase", "interphase", "prophase", "metaphase", "anaphase"]
    whole = [line for line in history.values() if len(line) == 5]
    assert len(whole) > 20
    for line in history.values():
        start = order.index(line[0])
        assert line == order[start : start + len(line)]
    # As long as a phase lasts, as many cells are in it (each own duration has a factor of mean exp(0.02)).
    ratio = counts["metaphase"] / counts["anaphase"]
    assert ratio == pytest.approx(settings.metaphase_min / settings.anaphase_min, rel=0.25)


def test_daughters_are_as_bright_and_large_as_their_mother() -> None:
    cells = Cells(CellSettings(count=40, extent_um=(400, 400), mitotic_fraction=1.0), 5)
    mothers = cells.herd
    cells.advance(3600)
    both = [(row, int(np.flatnonzero(mothers.id == n)[0])) for row, n in enumerate(cells.herd.parent) if n]
    assert len(both) > 30
    born, before = cells.herd.taken(np.array(both)[:, 0]), mothers.taken(np.array(both)[:, 1])
    # A tenth of the spread of 0.35 (brightness) and a fifth of that of 0.12 (volume) is drawn anew, in logarithms.
    assert np.log(born.made / before.made**0.9).std() == pytest.approx(0.035, rel=0.3)
    assert np.log(born.volume / before.volume**0.8).std() == pytest.approx(0.024, rel=0.35)
    assert born.volume.mean() == pytest.approx(before.volume.mean(), rel=0.05)


def test_the_culture_doubles_in_its_cycle() -> None:
    settings = CellSettings(count=150, extent_um=(1200, 1200), cycle_h=4.0, deaths_per_hour=0.0)
    cells = Cells(settings, 3)
    whole_cycle_s = 4 * 3600 + sum(settings.mitosis_s[:3]) + settings.mitosis_s[3]
    cells.advance(whole_cycle_s)
    # Ages are spread as in exponential growth, so any time of one cycle doubles the number, up to its scatter.
    assert len(cells.herd) / 150 == pytest.approx(2.0, abs=0.2)


def test_cells_touch_but_bodies_do_not_overlap() -> None:
    settings = CellSettings(count=120, extent_um=(280, 280), spikiness=0.8, mitotic_fraction=0.2)
    cells = Cells(settings, 6)
    cells.advance(1800)
    view = View((140, 140), (560, 560), 0.5)
    scene = cells._at(view)
    covered = np.zeros(view.shape, dtype=int)
    for patch in scene.patches("depth"):
        window = patch.window(covered)
        window += patch.pixels > 0.05
    assert (covered <= 1).mean() > 0.9999
    assert (covered == 1).mean() > 0.5  # the plate is crowded
    herd = cells.herd
    apart = np.hypot(herd.y[:, None] - herd.y, herd.x[:, None] - herd.x)[np.triu_indices(len(herd), 1)]
    assert apart.min() > 3.0


def test_walk_is_persistent_with_the_stated_speed() -> None:
    """The mean square displacement of a persistent random walk: 2 v^2 P (t - P (1 - exp(-t/P))) (R. Fuerth, 1920)."""
    settings = CellSettings(
        count=120, extent_um=(6000, 6000), cycle_h=1000, mitotic_fraction=0.0, deaths_per_hour=0.0, persistence_min=15
    )
    cells = Cells(settings, 8)
    cells.advance(3600)  # flat, and apart
    start = cells.herd
    speed = settings.speed_um_per_min / 60
    for minutes in (5, 40):
        cells.advance(3600 + minutes * 60)
        now, t, p = cells.herd, minutes * 60.0, 15 * 60.0
        measured = np.mean((now.y - start.y) ** 2 + (now.x - start.x) ** 2)
        # Speeds are 0.6 to 1.4 of the mean: their mean square is 1 + 0.8^2 / 12.
        expected = 2 * speed**2 * (1 + 0.64 / 12) * p * (t - p * (1 - np.exp(-t / p)))
        assert measured == pytest.approx(expected, rel=0.35)  # 120 walks: a standard error of a tenth


def test_a_wound_is_free_at_first_and_then_closes() -> None:
    cells = Cells(CellSettings(count=150, extent_um=(300, 400), gap_um=120), 2)
    middle = View((150, 200), (250, 80), 1.0)
    start = (cells.truth(middle).labels > 0).mean()
    cells.advance(5 * 3600)
    assert start < 0.05
    assert (cells.truth(middle).labels > 0).mean() > 0.4


def test_dead_cells_shrink_and_float_away() -> None:
    settings = CellSettings(count=40, extent_um=(400, 400), deaths_per_hour=2.0, cycle_h=100)
    cells = Cells(settings, 3)
    flat = cells.herd.radius_um(settings)
    cells.advance(1800)
    herd = cells.herd
    dying = herd.phase >= CLASSES.index("dying")
    share = dying.mean()
    assert share == pytest.approx(1 - np.exp(-1), abs=5 * np.sqrt(0.63 * 0.37 / 40))
    cells.advance(2.5 * 3600)
    herd = cells.herd
    radius, dead = herd.radius_um(settings), herd.phase == CLASSES.index("dead")
    assert dead.sum() > 10
    assert radius[dead].mean() < 0.7 * flat.mean()
    cells.advance(16 * 3600)
    assert len(cells.herd) < 5
    view = View((200, 200), (50, 50), 2.0)
    assert len(cells.truth(view).objects) == len(np.unique(cells.truth(view).labels)) - 1
    assert all(layer.amount.shape == (50, 50) for layer in cells.layers(view, "cytoplasm"))


def test_thousands_of_cells_live() -> None:
    cells = Cells(CellSettings(count=2000, extent_um=(1500, 1500)), 0)
    cells.advance(60)
    assert len(cells.herd) >= 2000
    assert len(cells.truth(View((750, 750), (256, 256), 2.0)).objects) > 150


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"count": 0}, "found 0 cells"),
        ({"extent_um": (10.0, 100.0)}, "expected 1 to 5000 cells and 50 um"),
        ({"cycle_h": 0.0}, "a duration or a size"),
        ({"sensitivity": -1.0}, "sensitivity"),
        ({"fluorophores": ("EGFP",)}, "found fluorophores"),
        ({"gap_um": 580.0}, "found a gap of 580"),
    ],
)
def test_impossible_cultures_are_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        CellSettings(**change)
