"""Living cells whose lineage is known."""

from __future__ import annotations

import numpy as np
import pytest

from onscope.runtime.objects import measure
from onscope.runtime.track import Tracker, TrackSettings, links, tracks_from
from onscope.specimen import View
from onscope.specimen.scenarios import load_scenario

FRAMES = 12


@pytest.mark.parametrize("seed", [2, 5])
def test_true_nuclei_are_followed_and_their_divisions_found(seed: int) -> None:
    specimen = load_scenario("dividing-cells", seed=seed)
    view = View((240.0, 240.0), (512, 512), 0.3)
    tracker = Tracker(TrackSettings(max_distance_um=6, gap=2, divisions=True))
    tables, told = [], []
    last: dict[int, int] = {}
    true: set[tuple[tuple[int, int], tuple[int, int]]] = set()
    mothers: dict[int, set[int]] = {}
    for number in range(FRAMES):
        specimen.advance(3600.0 + 180 * number)
        seen = specimen.truth(view)
        tables.append(measure(seen.nuclei, {}, view.pixel_um))
        told.append(tracker.update(number, tables[-1], view.pixel_um))
        parents = dict(zip(seen.objects["id"].tolist(), seen.objects["parent"].tolist(), strict=True))
        here = set(np.unique(seen.nuclei).tolist()) - {0}
        for cell in here:
            mother = cell if cell in last else parents[cell]
            if mother in last:
                true.add(((last[mother], mother), (number, cell)))
            if cell not in last and parents[cell] in last:
                mothers.setdefault(parents[cell], set()).add(cell)
        last.update(dict.fromkeys(here, number))
    tracks = tracks_from(told, tables)
    name = list(zip(tracks.frame.tolist(), tracks.label.tolist(), strict=True))
    found = {(name[one], name[other]) for one, other in links(tracks).tolist()}
    assert len(true) > 500
    assert len(true & found) / len(true | found) > 0.99
    born = {
        (int(tracks.parent[row]), int(tracks.label[row])) for row in np.flatnonzero(tracks.begins & (tracks.parent > 0))
    }
    pairs = [{cell for parent, cell in born if parent == mother} for mother in {parent for parent, _ in born}]
    whole = [daughters for daughters in mothers.values() if len(daughters) == 2]
    assert whole, "the specimen divides"
    assert sum(daughters in pairs for daughters in whole) >= len(whole) - 1
    assert sum(pair not in whole for pair in pairs) <= 1
