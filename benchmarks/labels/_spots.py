"""Spots: care-beads and spots-beads against a Laplacian of Gaussians, on specimens and a real image."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from onscope.export._agreement import near_pairs
from onscope.export.zoo._metrics import MATCH_PX, Found, match
from onscope.export.zoo._quality import THRESHOLD
from onscope.export.zoo._scenes import CLEAR_SNR, EVERYTHING, draw_demo
from onscope.export.zoo._scenes import draw as scene
from onscope.export.zoo.recipes import Part
from onscope.export.zoo.recipes._parts import seed_of
from onscope.specimen.scenarios import load_scenario, read_scenario

from .._rows import Row
from ._classical import laplacians
from ._fields import real
from ._live import Live
from ._plan import Plan
from ._scores import beside

Array = npt.NDArray[Any]
Tell = Callable[[str], object]
PACKAGES = ("zoo/care-beads", "zoo/spots-beads")
SIDE = 256
THRESHOLDS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, THRESHOLD)
NOT_EMPTY = replace(EVERYTHING, empty_fraction=0.0)
Seen = tuple[Array, Array, Array]
"""A frame uint16 (y, x), the places of its spots (n, 2), and those of faint ones (m, 2) that count neither way."""
EMITTERS = "molecules that blink (scenario spots), which the networks were not trained on"
KINDS = ("beads as the demo camera has", "beads of all kinds", EMITTERS)


def spots(plan: Plan, tell: Tell) -> Iterator[Row]:
    """Two rows per kind of spots: our F1 with the package's threshold, and with the one that suits each seed best, over
    that of the Laplacian, whose width and threshold suit each seed best."""
    find = Live(*PACKAGES, settings={"threshold": THRESHOLDS[0]})
    usual: dict[tuple[float, float], Found] = {}
    for kind in KINDS:
        tell(f"spots: {kind}")
        ours, tuned, best, count = [], [], [], 0
        for number in range(plan.seeds):
            frames = list(seen(kind, number, plan.scenes))
            found = by_threshold(find, frames)
            count += found[THRESHOLD].matched + found[THRESHOLD].missed
            ours.append(spot_scores(found[THRESHOLD]))
            tuned.append(spot_scores(max(found.values(), key=lambda one: one.f1)))
            each = by_setting(frames)
            best.append(spot_scores(max(each.values(), key=lambda one: one.f1)))
            if kind == KINDS[1]:
                usual = {key: usual.get(key, NOTHING) + one for key, one in each.items()}
        promised, about = kind != EMITTERS, {"kind": kind}
        words = f"{kind}, {plan.seeds} seeds, {count} spots, within {MATCH_PX:g} px"
        yield beside(f"{words}, scores from {THRESHOLD:g} on", ours, best, "LoG", "F1", about, promised=promised)
        yield beside(f"{words}, scores as suits each seed", tuned, best, "LoG", "F1", about, promised=promised)
    yield from _real(find, max(usual, key=lambda key: usual[key].f1))


def by_threshold(find: Live, frames: Sequence[Seen]) -> dict[float, Found]:
    """What the networks find in all frames together, by the least score of a spot."""
    total = dict.fromkeys(THRESHOLDS, NOTHING)
    for frame, places, faint in frames:
        table = find(frame)
        for least in THRESHOLDS:
            total[least] += _matched(table[table[:, 2] >= least, :2], places, faint, frame)
    return total


NOTHING = Found(0, 0, 0, 0.0)


def seen(kind: str, number: int, scenes: int) -> Iterator[Seen]:
    """Frames of a seed's specimens."""
    seed = seed_of(Part.HELD_OUT, number)
    if kind == EMITTERS:
        asked = read_scenario("spots").acquisition
        specimen = load_scenario("spots", seed)
        for frame in range(scenes):
            # Every third second: most molecules are others by then.
            specimen.advance(specimen.time_s + 3.0 * (frame > 0))
            snap = specimen.snap(asked.stage_um, "emitters", shape=asked.shape)
            assert snap.truth is not None
            lit = snap.truth.objects[snap.truth.objects["on"]]
            lit = lit[snap.view.contains(lit["y_um"], lit["x_um"])]
            yield snap.counts, np.stack(snap.view.pixels(lit["y_um"], lit["x_um"]), axis=1), np.zeros((0, 2))
        return
    for frame in range(scenes):
        own = scenes * number + frame + seed_of(Part.HELD_OUT, 0)
        if kind == KINDS[0]:
            example = draw_demo(own, (SIDE, SIDE))
        else:
            example = scene(np.random.default_rng(own), (SIDE, SIDE), NOT_EMPTY)
        places = np.stack((example.beads.y, example.beads.x), axis=1)
        clear = example.snr >= CLEAR_SNR
        yield example.frame, places[clear], places[~clear]


def by_setting(frames: Sequence[Seen]) -> dict[tuple[float, float], Found]:
    """What the Laplacian finds in all frames together, by its width and threshold."""
    total: dict[tuple[float, float], Found] = {}
    for frame, places, faint in frames:
        for setting, found in laplacians(frame):
            total[setting] = total.get(setting, NOTHING) + _matched(found, places, faint, frame)
    return total


def spot_scores(found: Found) -> dict[str, float]:
    """F1, precision, recall, and the root mean square distance of the hits in pixels."""
    return {"F1": found.f1, "precision": found.precision, "recall": found.recall, "error px": found.rms_px}


def _matched(spots: Array, places: Array, faint: Array, frame: Array) -> Found:
    return match(spots.astype(np.float64), places, (frame.shape[0], frame.shape[1]), faint=faint)


def _real(find: Live, setting: tuple[float, float]) -> Iterator[Row]:
    frame = real("spots_hybiss_spotiflow/img_hybiss_2d.tif")
    if frame is None:
        return
    table = find(frame)
    ours = table[table[:, 2] >= THRESHOLD, :2].astype(np.float64)
    theirs = dict(laplacians(frame))[setting]
    both = len(near_pairs(ours, theirs, MATCH_PX)[0])
    shared = 2 * both / max(len(ours) + len(theirs), 1)
    yield Row(
        "real: HybISS spots, whose truth nobody knows; LoG as it suits beads of all kinds best",
        f"{len(ours)} spots, {both} of them LoG's too",
        f"LoG: {len(theirs)} spots",
        detail={"ours": len(ours), "laplacian": len(theirs), "both": both, "f1_between": shared, "setting": setting},
    )
