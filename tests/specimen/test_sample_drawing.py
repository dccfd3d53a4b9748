"""What is drawn is what is there: molecules are conserved at every pixel size, and a moved view shows a moved image."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import binary_dilation, fourier_shift

from onscope.specimen._view import CLASSES, View
from onscope.specimen.optics import Illumination, Microscope, Objective
from onscope.specimen.sample import Cells, CellSettings
from onscope.specimen.sample._chromatin import dna
from onscope.specimen.sample._looks import NUCLEUS_MOLECULES

FEW = CellSettings(count=14, extent_um=(160, 160), mitotic_fraction=0.3, expression_spread=0.3)
WHOLE = (240.0, 240.0)


def culture(seed: int = 1) -> Cells:
    cells = Cells(FEW, seed)
    cells.advance(600)
    return cells


def whole_view(pixel_um: float) -> View:
    return View((80.0, 80.0), (round(WHOLE[0] / pixel_um), round(WHOLE[1] / pixel_um)), pixel_um)


def summed(cells: Cells, view: View, dye: str) -> np.ndarray:
    return np.asarray(np.sum([layer.amount for layer in cells.layers(view, dye)], axis=0))


@pytest.mark.parametrize("pixel_um", [0.2, 0.5, 1.0])
def test_histones_are_all_there_in_every_phase(pixel_um: float) -> None:
    cells = culture()
    expected = (dna(cells.herd) * cells.herd.made[:, 0]).sum() * NUCLEUS_MOLECULES
    assert summed(cells, whole_view(pixel_um), "nucleus").sum() == pytest.approx(expected, rel=0.01)


@pytest.mark.parametrize("dye", ["membrane", "cytoplasm", "mitochondria", "filaments"])
def test_amounts_do_not_depend_on_the_pixels(dye: str) -> None:
    cells = culture()
    totals = [summed(cells, whole_view(pixel_um), dye).sum() for pixel_um in (0.2, 0.4, 0.8)]
    assert totals[1:] == pytest.approx([totals[0]] * 2, rel=0.04)


def test_height_is_the_volume() -> None:
    cells = culture()
    view = whole_view(0.4)
    scene = cells._at(view)
    for patch in scene.patches("filled"):
        volume = patch.pixels.sum() * view.pixel_um**2
        assert volume == pytest.approx(cells.herd.volume_um3[patch.row], rel=0.12)  # the rim tapers off


def test_a_view_moved_by_whole_pixels_shows_the_same() -> None:
    cells = culture()
    pixel = 0.5
    here, there = View((80.0, 80.0), (120, 140), pixel), View((80.0 + 8 * pixel, 80.0 - 5 * pixel), (120, 140), pixel)
    for dye in cells.dyes:
        one, other = summed(cells, here, dye), summed(cells, there, dye)
        assert other[:-8, 5:] == pytest.approx(one[8:, :-5], rel=1e-3, abs=1e-3 * float(one.max()))


@given(dy=st.floats(-1, 1), dx=st.floats(-1, 1))
@settings(max_examples=12, deadline=None)
def test_a_view_moved_by_part_of_a_pixel_shows_a_shifted_image(dy: float, dx: float) -> None:
    cells = culture()
    pixel = 0.25
    one = summed(cells, View((80.0, 80.0), (256, 256), pixel), "nucleus")
    other = summed(cells, View((80.0 + dy * pixel, 80.0 + dx * pixel), (256, 256), pixel), "nucleus")
    window = np.hanning(256)[:, None] * np.hanning(256)
    wave = np.hypot(np.fft.fftfreq(256)[:, None], np.fft.fftfreq(256)[None, :])
    low = wave < 0.15  # what any optics passes
    first = np.fft.fft2(one * window) * low
    moved = np.fft.ifft2(fourier_shift(first, (-dy, -dx))).real
    target = np.fft.ifft2(np.fft.fft2(other * window) * low).real
    inner = (slice(40, -40), slice(40, -40))
    error = np.sqrt(np.mean((moved - target)[inner] ** 2)) / target[inner].std()
    assert error < 0.05


def test_between_two_steps_nothing_moves() -> None:
    cells = culture()
    view = View((80.0, 80.0), (100, 100), 0.8)
    before = summed(cells, view, "membrane")
    cells.advance(608)
    assert np.array_equal(summed(cells, view, "membrane"), before)
    cells.advance(610)
    assert not np.array_equal(summed(cells, view, "membrane"), before)


def test_labels_say_where_the_dye_is() -> None:
    cells = culture()
    view = View((80.0, 80.0), (300, 300), 0.4)
    truth = cells.truth(view)
    assert truth.labels.dtype == truth.nuclei.dtype == np.int32
    cytoplasm, chromatin = summed(cells, view, "cytoplasm"), summed(cells, view, "nucleus")
    assert cytoplasm[truth.labels > 0].sum() > 0.99 * cytoplasm.sum()
    assert chromatin[truth.nuclei > 0].sum() > 0.9 * chromatin.sum()
    inside = truth.nuclei > 0
    assert (truth.labels[inside] == truth.nuclei[inside]).mean() > 0.995  # a nucleus lies in its own cell
    assert set(np.unique(truth.labels)) - {0} <= set(truth.objects["id"].tolist())
    for row in truth.objects:
        pixels = int((truth.labels == row["id"]).sum())
        whole = view.contains(np.array(row["y_um"]), np.array(row["x_um"]), -25.0)
        if whole:
            assert pixels * view.pixel_um**2 == pytest.approx(row["area_um2"], rel=0.03)
            y, x = np.nonzero(truth.nuclei == row["id"])
            place = view.pixels(row["y_um"], row["x_um"])
            assert np.hypot(y.mean() - place[0], x.mean() - place[1]) * view.pixel_um < 2.0


def test_cells_in_mitosis_are_round_high_and_bright() -> None:
    cells = Cells(CellSettings(count=60, extent_um=(500, 500), mitotic_fraction=0.4), 3)
    cells.advance(1200)
    truth = cells.truth(View((250, 250), (500, 500), 1.0))
    kind = truth.objects["kind"]
    flat, plates = truth.objects[kind == 0], truth.objects[kind == CLASSES.index("metaphase")]
    assert len(plates) >= 3
    assert plates["z_um"].mean() > flat["z_um"].mean() + 2
    assert plates["area_um2"].mean() < 0.75 * flat["area_um2"].mean()
    path, absorbance = cells.thickness(View((250, 250), (500, 500), 1.0))
    peak = {int(n): float(path[truth.labels == n].max()) for n in truth.objects["id"]}
    assert np.mean([peak[int(n)] for n in plates["id"]]) > 1.5 * np.mean([peak[int(n)] for n in flat["id"]])
    assert 100 < np.median([peak[int(n)] for n in flat["id"]]) < 350  # nm: quantitative phase of adherent cells
    assert 0 <= absorbance.min() <= absorbance.max() < 0.02


def test_layers_lie_at_rising_heights_and_belong_to_who_asked() -> None:
    cells = culture()
    view = View((80.0, 80.0), (60, 60), 1.0)
    first = cells.layers(view, "membrane")
    heights = [layer.z_um for layer in first]
    assert heights == sorted(heights)
    assert heights[0] < 0.2  # where total internal reflection lights
    first[0].amount[:] = -1
    assert cells.layers(view, "membrane")[0].amount.min() >= 0
    assert all(layer.amount.dtype == np.float32 and layer.amount.shape == (60, 60) for layer in first)


def test_nothing_is_where_no_cell_is() -> None:
    cells = culture()
    far = View((5000.0, 5000.0), (32, 40), 0.3)
    assert all(layer.amount.max() == 0 for dye in cells.dyes for layer in cells.layers(far, dye))
    assert len(cells.truth(far).objects) == 0
    with pytest.raises(KeyError, match="expected one of nucleus"):
        cells.layers(far, "golgi")


@pytest.mark.long
@given(
    y=st.floats(-60, 220),
    x=st.floats(-60, 220),
    rows=st.integers(1, 60),
    columns=st.integers(1, 60),
    pixel_um=st.floats(0.05, 3),
)
@settings(max_examples=25, deadline=None)
def test_any_view_can_be_asked(y: float, x: float, rows: int, columns: int, pixel_um: float) -> None:
    cells, view = OLD, View((y, x), (rows, columns), pixel_um)
    for dye in cells.dyes:
        for layer in cells.layers(view, dye):
            assert layer.amount.shape == (rows, columns)
            assert np.isfinite(layer.amount).all()
            assert layer.amount.min() >= 0
    truth = cells.truth(view)
    ids = set(np.unique(truth.labels).tolist()) | set(np.unique(truth.nuclei).tolist())
    assert ids - {0} == set(truth.objects["id"].tolist())
    assert all(np.isfinite(image).all() for image in cells.thickness(view))


@pytest.mark.parametrize(("magnification", "na"), [(20, 0.75), (40, 0.95)])
def test_masks_are_what_a_microscope_shows(magnification: float, na: float) -> None:
    """In focus a mask is what is brighter than two fifths of its nucleus' middle: nuclei are thinner at their rims."""
    cells = Cells(CellSettings(count=30, extent_um=(220, 220), mitotic_fraction=0.0, deaths_per_hour=0.0), 5)
    cells.advance(3600)
    microscope = Microscope(Objective(magnification, na, 1.0), "widefield", 6.5)
    pixel = 6.5 / magnification
    view = View((110.0, 110.0), (round(180 / pixel), round(180 / pixel)), pixel)
    image = microscope.image(
        cells, view, "nucleus", 3.0, Illumination(561, 4.0, 350.0), 0.05, fluorophore=cells.fluorophore("nucleus")
    )
    truth = cells.truth(view)
    overlaps = []
    for row in truth.objects:
        if not view.contains(np.array(row["y_um"]), np.array(row["x_um"]), -14.0):
            continue
        mask = truth.nuclei == row["id"]
        others = binary_dilation((truth.nuclei > 0) & ~mask, iterations=3)
        near = binary_dilation(mask, iterations=round(3 / pixel)) & ~others
        level = 0.4 * np.median(image[mask]) + 0.6 * np.percentile(image, 2)
        bright = (image > level) & near
        overlaps.append((bright & mask).sum() / (bright | mask).sum())
    assert len(overlaps) > 8
    assert np.median(overlaps) > 0.94
    assert np.min(overlaps) > 0.88


OLD = Cells(CellSettings(count=25, extent_um=(160, 160), mitotic_fraction=0.4, deaths_per_hour=0.6), 9)
OLD.advance(2400)


def test_prometaphase_lasts_until_there_is_a_plate() -> None:
    cells = Cells(CellSettings(count=120, extent_um=(700, 700), mitotic_fraction=1.0), 3)
    truth = cells.truth(View((350, 350), (1400, 1400), 0.5))
    phases = dict(zip(cells.herd.id.tolist(), cells.herd.phase.tolist(), strict=True))
    half_um: dict[str, list[float]] = {"prometaphase": [], "metaphase": []}
    for row, kind in zip(truth.objects, truth.kinds(), strict=True):
        assert (phases[int(row["id"])] == CLASSES.index("metaphase")) == (kind in half_um)
        if kind in half_um:
            axes = np.linalg.eigvalsh(np.cov(np.stack(np.nonzero(truth.nuclei == row["id"]))))
            half_um[kind].append(2 * 0.5 * float(np.sqrt(axes[0])))  # the short half axis of an ellipse
    assert min(len(found) for found in half_um.values()) >= 10
    assert max(half_um["metaphase"]) < 3.0 < 3.5 < float(np.median(half_um["prometaphase"]))
