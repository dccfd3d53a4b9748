"""What the network for nuclei is to answer, and how its answers are counted: against geometry that is known."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onscope.export.zoo._matching import Matched, matched
from onscope.export.zoo._stars import GRID, RAYS, targets
from onscope.export.zoo.recipes import Nuclei, instances
from onscope.export.zoo.recipes._instances import laid_over
from onscope.runtime.decode import decoder
from onscope.runtime.package import make_step
from onscope.specimen import Truth
from onscope.specimen._view import CLASSES, OBJECT

Array = npt.NDArray[Any]
SHAPE = (96, 128)
ARGUMENTS = {"prob_threshold": 0.5, "nms_threshold": 0.4, "n_rays": RAYS, "grid": (GRID, GRID), "b": 0}


def disc(y: float, x: float, radius: float) -> npt.NDArray[np.bool_]:
    rows, columns = np.mgrid[: SHAPE[0], : SHAPE[1]]
    return np.asarray((rows - y) ** 2 + (columns - x) ** 2 <= radius**2)


def truth_of(nuclei: Array, kinds: dict[int, str]) -> Truth:
    objects = np.zeros(len(kinds), OBJECT)
    for row, (number, kind) in zip(objects, kinds.items(), strict=True):
        row["id"], row["kind"] = number, CLASSES.index(kind)
    return Truth(0.0, nuclei.astype(np.int32), nuclei.astype(np.int32), objects)


@settings(max_examples=30, deadline=None)
@given(st.floats(35, 60), st.floats(35, 90), st.floats(4, 30))
def test_distances_of_a_disc_are_where_its_outline_is(y: float, x: float, radius: float) -> None:
    chance, distances = targets(disc(y, x, radius).astype(np.int32))
    row, column = round(y / GRID), round(x / GRID)
    off_y, off_x = row * GRID - y, column * GRID - x
    angles = np.arange(RAYS) * 2 * np.pi / RAYS
    ahead = off_x * np.cos(angles) + off_y * np.sin(angles)
    expected = -ahead + np.sqrt(ahead**2 + radius**2 - off_x**2 - off_y**2)
    assert distances[:, row, column] == pytest.approx(expected, abs=1.2)  # the outline of pixels has steps of one
    assert distances[:, row, column].mean() == pytest.approx(expected.mean(), abs=0.5)
    assert chance[row, column] > 1 - 2.5 / radius
    assert chance.max() == 1
    assert ((chance > 0) == (distances.max(axis=0) > 0)).all()


def test_the_images_border_cuts_rays_but_not_the_probability() -> None:
    chance, distances = targets(disc(0, 64, 20).astype(np.int32))
    assert chance[0, 32] == 1
    down, left = distances[RAYS // 4, 0, 32], distances[RAYS // 2, 0, 32]
    up = distances[3 * RAYS // 4, 0, 32]
    assert (down, left, up) == pytest.approx((20.5, 20.5, 0.5), abs=0.5)


def test_touching_nuclei_end_where_they_touch() -> None:
    labels = np.where(disc(48, 40, 15), 1, np.where(disc(48, 70, 15), 2, 0)).astype(np.int32)
    chance, distances = targets(labels)
    assert distances[0, 24, 20] == pytest.approx(15, abs=1)
    assert distances[RAYS // 2, 24, 35] == pytest.approx(15, abs=1)
    assert chance[24, 27] < 0.2


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000))
def test_the_decoder_gives_back_what_the_targets_were_made_of(seed: int) -> None:
    rng = np.random.default_rng(seed)
    labels = np.zeros(SHAPE, np.int32)
    for _ in range(25):
        one = disc(rng.uniform(0, SHAPE[0]), rng.uniform(0, SHAPE[1]), rng.uniform(5, 16))
        if not labels[one].any() and one.sum() > 40:
            labels[one] = labels.max() + 1
    chance, distances = targets(labels)
    step = make_step("stardist_postprocessing", ARGUMENTS)
    found, _ = decoder(["batch", "channel", "y", "x"], {}, [step])(np.concatenate([chance[None], distances])[None])
    counts = matched(labels, np.asarray(found, np.int32))
    assert counts.f1(0.8) == 1
    assert counts.mean_overlap() > 0.9


def test_an_empty_image_has_nothing() -> None:
    chance, distances = targets(np.zeros(SHAPE, np.int32))
    assert not chance.any()
    assert not distances.any()
    whole, _ = targets(np.ones(SHAPE, np.int32))
    assert (whole == 1).all()


def test_matches_are_counted_by_their_overlap() -> None:
    truth = np.zeros((20, 40), np.int32)
    truth[2:12, 2:12], truth[2:12, 20:30], truth[15:18, 2:12] = 5, 9, 12
    found = np.zeros_like(truth)
    found[2:12, 4:12], found[2:12, 26:36], found[14:19, 30:35] = 3, 1, 2  # 0.8; 0.25; nothing
    counts = matched(truth, found)
    assert (counts.true, counts.found) == (3, 3)
    assert counts.overlaps == pytest.approx((0.8, 0.25))
    assert (counts.f1(0.5), counts.f1(0.9)) == pytest.approx((1 / 3, 0.0))
    assert counts.average_precision(0.5) == pytest.approx(1 / 5)
    assert counts.panoptic() == pytest.approx(0.8 / 3)
    both = counts + matched(truth, truth)
    assert (both.true, both.found, both.hits(0.9)) == (6, 6, 3)


def test_nothing_found_of_nothing_is_right() -> None:
    nothing = np.zeros((5, 5), np.int32)
    assert matched(nothing, nothing) == Matched(0, 0, ())
    assert matched(nothing, nothing).f1(0.5) == 1
    assert matched(np.ones((5, 5), np.int32), nothing).f1(0.5) == 0


def test_one_of_two_pieces_in_anaphase_is_a_nucleus_and_a_dead_cell_stays_one() -> None:
    labels = np.zeros(SHAPE, np.int32)
    labels[disc(20, 20, 6) | disc(20, 40, 6)] = 7  # anaphase
    labels[disc(70, 30, 4) | disc(70, 44, 4)] = 8  # fragments
    labels[disc(70, 37, 2)] = 9  # something between them
    labels[disc(50, 100, 1)] = 10
    found = instances(truth_of(labels, {7: "anaphase", 8: "dead", 9: "interphase", 10: "interphase"}))
    assert found.max() == 4
    assert found[20, 20] != found[20, 40]
    assert found[70, 30] == found[70, 44] == found[66, 37] != found[70, 37]
    assert found[50, 100] == 0
    assert set(np.unique(found)) == set(range(5))


def test_of_nuclei_below_others_the_largest_piece_is_left() -> None:
    below, above = np.zeros(SHAPE, np.int32), np.zeros(SHAPE, np.int32)
    below[40:50, 10:80] = 1
    above[disc(45, 60, 12)] = 4
    laid = laid_over(below, above)
    assert (laid[disc(45, 60, 12)] == laid[45, 60]).all()
    assert laid[45, 20] not in (0, laid[45, 60])
    assert laid[45, 76] == 0
    assert isinstance(Nuclei(laid.astype(np.uint16), laid, 1.0).labels, np.ndarray)
