"""Crops lie where a segmentation would have them, are to scale, and are called what the truth says."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onscope.export.zoo._crops import NAMES, OF_KIND, PIXEL_UM, SIDE, at_scale, centres, crops, cut
from onscope.export.zoo._crops_recipes import DIVIDING, DYING, MOST_ALIKE
from onscope.export.zoo.recipes import Part, made
from onscope.specimen import Truth, View
from onscope.specimen._view import CLASSES, OBJECT
from onscope.specimen.optics import Illumination, Microscope, Objective
from onscope.specimen.sample import Cells, CellSettings


def truth_of(nuclei: np.ndarray, kinds: dict[int, str]) -> Truth:
    objects = np.zeros(len(kinds), dtype=OBJECT)
    objects["id"], objects["kind"] = list(kinds), [CLASSES.index(kind) for kind in kinds.values()]
    return Truth(0.0, nuclei, nuclei, objects)


@settings(deadline=None, max_examples=60)
@given(st.integers(20, 90), st.integers(20, 90), st.sampled_from([0.1625, 0.325, 0.5, 0.65, 1.3]))
def test_another_scale_keeps_brightness_and_size(rows: int, columns: int, pixel_um: float) -> None:
    image = np.random.default_rng(rows * columns).integers(900, 1100, (rows, columns)).astype(np.uint16)
    scaled = at_scale(image, pixel_um)
    assert scaled.dtype == np.uint16
    sizes = [n * pixel_um / PIXEL_UM for n in image.shape]
    assert all(abs(have - want) <= 0.5 for have, want in zip(scaled.shape, sizes, strict=True))
    assert float(scaled.mean()) == pytest.approx(float(image.mean()), rel=0.02)


def test_crops_are_cut_around_their_places_and_filled_with_background() -> None:
    image = np.arange(100 * 120, dtype=np.uint16).reshape(100, 120)
    inner, corner = cut(image, np.array([[50.2, 60.4], [0.0, 119.0]]), side=8)
    assert np.array_equal(inner, image[46:54, 56:64])
    background = int(np.percentile(image[::4, ::4], 5))
    assert np.array_equal(corner[4:, :5], image[:4, 115:])
    assert (corner[:4] == background).all()
    assert (corner[:, 5:] == background).all()
    assert cut(image, np.zeros((0, 2))).shape == (0, SIDE, SIDE)


def test_a_nucleus_in_pieces_is_seen_whole_or_as_one_of_them() -> None:
    nuclei = np.zeros((60, 60), np.int32)
    nuclei[20:30, 10:14] = nuclei[20:30, 30:34] = 3  # two plates
    nuclei[50:60, 40:50] = 5  # touches the border
    nuclei[5, 5] = 9  # too small
    truth = truth_of(nuclei, {3: "anaphase", 5: "interphase", 9: "dead"})
    rng = np.random.default_rng(0)
    seen = Counter(found for _ in range(400) for found in centres(truth, 0.5, rng))
    assert set(seen) == {(0, 24.5, 11.5), (0, 24.5, 21.5), (0, 24.5, 31.5)}
    assert seen[(0, 24.5, 21.5)] == pytest.approx(200, abs=4 * 10)  # binomial: standard deviation 10
    assert seen[(0, 24.5, 11.5)] == pytest.approx(100, abs=4 * np.sqrt(75))


@pytest.mark.parametrize("magnification", [10.0, 40.0])
def test_nuclei_lie_in_the_middle_of_their_crops(magnification: float) -> None:
    cells = Cells(CellSettings(count=40, extent_um=(200, 200), mitotic_fraction=0.5), 4)
    scope = Microscope(Objective(magnification, 0.3 if magnification == 10 else 0.95, 1.0))
    side = round(180 / scope.pixel_um)
    view = View((100, 100), (side, side), scope.pixel_um)
    dye = cells.fluorophore("nucleus")
    photons = scope.image(cells, view, "nucleus", 4.0, Illumination(561, 30, 350), 0.05, fluorophore=dye)
    truth = cells.truth(view)
    found = crops(np.rint(photons).astype(np.uint16), truth, view.pixel_um, np.random.default_rng(0))
    assert len(found) > 15
    names = dict(zip(truth.objects["id"].tolist(), truth.kinds(), strict=True))
    assert all(one.kind == names[one.id] and one.name == OF_KIND[one.kind] for one in found)
    middle = [one.pixels[26:38, 26:38].mean() for one in found]
    assert np.mean(middle) > 2 * np.mean([one.pixels.mean() for one in found])


@pytest.mark.long
def test_recipes_give_every_class_and_not_too_many_alike() -> None:
    found = made(DIVIDING, Part.VALIDATION, 0) + made(DYING, Part.VALIDATION, 0)
    assert {one.name for one in found} == set(range(len(NAMES)))
    shots = 6 + 5
    assert max(Counter(one.kind for one in found).values()) <= shots * MOST_ALIKE
    assert all(one.pixels.shape == (SIDE, SIDE) and one.pixels.dtype == np.uint16 for one in found)
    again = made(DYING, Part.VALIDATION, 0)
    assert all(np.array_equal(a.pixels, b.pixels) for a, b in zip(found[-len(again) :], again, strict=True))
