"""Several samples on one stage are all there, with ids of their own; a view is a view."""

from __future__ import annotations

import numpy as np
import pytest

from onscope.specimen._view import Sample, View
from onscope.specimen.sample import BeadSettings, BrownianBeads, Cells, CellSettings, Together

VIEW = View((60.0, 70.0), (120, 140), 0.8)


def both() -> tuple[Cells, BrownianBeads, Together]:
    cells = Cells(CellSettings(count=12, extent_um=(120.0, 140.0)), 1)
    beads = BrownianBeads(BeadSettings(count=40, extent_um=(120.0, 140.0)), 1)
    return cells, beads, Together([cells, beads])


def test_all_is_there() -> None:
    cells, beads, together = both()
    sample: Sample = together
    assert sample.dyes == (*cells.dyes, "beads")
    sample.advance(1.0)
    assert cells.time_s == beads.time_s == sample.time_s == 1.0
    for part, dye in ((cells, "membrane"), (beads, "beads")):
        own, shared = part.layers(VIEW, dye), sample.layers(VIEW, dye)
        assert all(np.array_equal(a.amount, b.amount) for a, b in zip(own, shared, strict=True))
    truth = sample.truth(VIEW)
    assert np.array_equal(truth.labels, cells.truth(VIEW).labels)
    assert len(truth.objects) == len(cells.truth(VIEW).objects) + len(beads.truth(VIEW).objects)
    assert len(np.unique(truth.objects["id"])) == len(truth.objects)
    path = sample.thickness(VIEW)[0]
    assert path == pytest.approx(cells.thickness(VIEW)[0] + beads.thickness(VIEW)[0])


def test_light_reaches_each() -> None:
    cells, beads, together = both()
    together.expose(VIEW, "beads", 5.0, 488)
    assert beads.truth(VIEW).objects["bleached"].min() > 0
    assert cells.truth(VIEW).objects["dose_j_cm2"].max() == pytest.approx(5.0)
    assert (cells.herd.left == 1).all()
    with pytest.raises(KeyError, match="expected one of nucleus"):
        together.expose(VIEW, "golgi", 1.0, 488)
    with pytest.raises(KeyError, match="golgi"):
        together.layers(VIEW, "golgi")


def test_nothing_together_is_refused() -> None:
    with pytest.raises(ValueError, match="found no samples"):
        Together([])


def test_views_know_their_places() -> None:
    view = View((10.0, 20.0), (4, 7), 0.5)
    row, column = view.pixels(np.array([10.0, 9.0]), np.array([20.0, 21.0]))
    assert (row.tolist(), column.tolist()) == ([1.5, -0.5], [3.0, 5.0])
    assert view.contains(np.array([9.01, 8.99]), np.array([20.0, 20.0])).tolist() == [True, False]
    assert view.contains(np.array([8.99]), np.array([20.0]), 0.1).tolist() == [True]
    assert view.padded(3).shape == (10, 13)
    assert view.size_um == (2.0, 3.5)
    assert view.padded(3).encloses(view)
    assert view.encloses(view)
    assert not view.encloses(view.padded(1))
    assert not view.padded(2).encloses(View((10.0, 22.1), (4, 7), 0.5))
    assert view.area_um2 == 7.0
    for shape, pixel in (((0, 3), 0.5), ((2, 3), 0.0)):
        with pytest.raises(ValueError, match="found a view of"):
            View((0.0, 0.0), shape, pixel)
