"""Doses of places: the sum over pixels, never less, never lower than before; kept over runs."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from onscope.runtime import Frame, FrameId
from onscope.runtime.feedback import Burst, Light, Project, Setting, Visit
from onscope.runtime.feedback.dose import DoseBook, Pattern, Square, dose_j_cm2, light_of, light_of_frame

SIDE = 240
"""Pixels of 1 um of the plain map, around (0, 0)."""


def plain_map(parts: tuple[Square | Pattern, ...]) -> np.ndarray[Any, Any]:
    """Every pixel of 1 um by itself: what shines on its middle."""
    middle = np.arange(SIDE) - SIDE / 2 + 0.5
    y, x = np.meshgrid(middle, middle, indexing="ij")
    given = np.zeros((SIDE, SIDE))
    for part in parts:
        if isinstance(part, Square):
            given[(abs(y - part.y_um) <= part.side_um / 2) & (abs(x - part.x_um) <= part.side_um / 2)] += part.j_cm2
            continue
        for row, column in np.argwhere(part.lit):
            at_y = part.y_um + (row - (part.lit.shape[0] - 1) / 2) * part.pixel_um
            at_x = part.x_um + (column - (part.lit.shape[1] - 1) / 2) * part.pixel_um
            given[(abs(y - at_y) <= part.pixel_um / 2) & (abs(x - at_x) <= part.pixel_um / 2)] += part.j_cm2
    return given


def seen(book: DoseBook) -> np.ndarray[Any, Any]:
    """The book's doses at the middles of the plain map's pixels."""
    at = np.arange(SIDE) - SIDE / 2 + 0.5
    return np.array([[book.field(x, y) for x in at] for y in at])


doses = st.floats(0.001, 10.0)
places = st.integers(-60, 60).map(float)
squares = st.builds(Square, places, places, st.integers(1, 50).map(lambda half: 2.0 * half), doses)


@st.composite
def patterns(draw: st.DrawFn) -> Pattern:
    """With pixels on whole micrometres, so that the plain map can hold them."""
    rows, columns = draw(st.integers(1, 20)), draw(st.integers(1, 20))
    lit = np.random.default_rng(draw(st.integers(0, 2**16))).random((rows, columns)) < draw(st.floats(0, 1))
    size = draw(st.sampled_from([1.0, 2.0, 3.0]))
    y, x = draw(places) + rows * size / 2 % 1, draw(places) + columns * size / 2 % 1
    return Pattern(lit, size, x, y, draw(doses))


@pytest.mark.long
@settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(squares | patterns(), max_size=6))
def test_in_fine_cells_it_is_the_sum_over_pixels(parts: list[Square | Pattern]) -> None:
    book = DoseBook(cell_um=1.0)
    before = np.zeros((SIDE, SIDE))
    for part in parts:
        would = book.after((part,))
        book.book(would)
        after = seen(book)
        assert (after >= before).all()
        lit = plain_map((part,)) > 0
        assert would.field_j_cm2 == pytest.approx(after[lit].max(initial=0.0))
        before = after
    assert np.allclose(before, plain_map(tuple(parts)), rtol=1e-12)
    assert book.joules == pytest.approx(plain_map(tuple(parts)).sum() * 1e-8)
    together = DoseBook(cell_um=1.0).after(tuple(parts))
    assert together.field_j_cm2 == pytest.approx(before.max())


@pytest.mark.long
@settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(squares | patterns(), min_size=1, max_size=6), st.sampled_from([3.0, 7.5, 20.0, 333.0]))
def test_in_coarse_cells_it_is_never_less(parts: list[Square | Pattern], cell_um: float) -> None:
    book = DoseBook(cell_um=cell_um)
    for part in parts:
        book.book(book.after((part,)))
    plain, found = plain_map(tuple(parts)), seen(book)
    assert (found >= plain * (1 - 1e-12)).all()
    assert found.max() <= sum(part.j_cm2 for part in parts) * (1 + 1e-12)
    _, cells = book.cells()
    assert cells.max(initial=0.0) == pytest.approx(found.max())
    if len(parts) == 1:  # nothing farther than a cell from its light is touched
        assert found.max() == pytest.approx(plain.max())
        for axis in (0, 1):
            lit, touched = (np.flatnonzero((each > 0).any(axis=axis)) for each in (plain, found))
            assert not len(lit) or (touched.min() > lit.min() - cell_um and touched.max() < lit.max() + cell_um)


def test_dose_in_the_units_of_microscopes() -> None:
    # 1 mW for 1 s on 1 mm2: 1 mJ on 0.01 cm2
    assert dose_j_cm2(1.0, 1000.0, 1e6) == pytest.approx(0.1)
    assert Square(0.0, 0.0, 1000.0, 0.1).joules == pytest.approx(1e-3)


BLUE, RED = Light(2.0, 10_000.0), Light(5.0, 40_000.0)
CHANNELS = {"a": {"b": BLUE}, "c": {"b": BLUE, "r": RED}}
SETTING = Setting(x_um=10.0, y_um=20.0, exposure_ms=20.0, channel="a", channels=CHANNELS)


def frame(**more: Any) -> Frame:
    return Frame(FrameId("run", "camera", 0, 0), np.zeros((100, 100), np.uint16), **more)


def test_a_frame_is_lit_as_it_says_itself() -> None:
    assert light_of_frame(frame(), SETTING) == (Square(10.0, 20.0, 100.0, 0.4),)
    told = frame(exposure_ms=10.0, stage_um=(1.0, 2.0, 3.0), labels={"c": "c"})
    assert light_of_frame(told, SETTING) == (Square(1.0, 2.0, 100.0, 0.2), Square(1.0, 2.0, 200.0, 0.125))
    assert light_of_frame(frame(labels={"c": "unknown"}), SETTING) == light_of_frame(frame(), SETTING)


def test_without_a_stage_there_is_one_place() -> None:
    assert light_of(Burst(2), replace(SETTING, x_um=None, y_um=None)) == (Square(0.0, 0.0, 100.0, 0.8),)


def test_a_hologram_has_all_of_its_power_in_its_pixels() -> None:
    mask = np.zeros((10, 10), np.uint8)
    mask[4:6, 4:6] = 1
    action = Project(mask, 1.0, 10.0, 20.0, "stim", 1.0, 100.0)
    (spread,) = light_of(action, replace(SETTING, lights={"stim": Light(0.0, 10_000.0)}))
    (tight,) = light_of(action, SETTING)
    assert spread.j_cm2 == pytest.approx(1.0)
    assert tight.j_cm2 == pytest.approx(2500.0)
    assert light_of(replace(action, mask=mask * 0), SETTING) == ()


def test_visits_that_overlap_add_up() -> None:
    book = DoseBook(cell_um=10.0)
    would = book.would(Visit(((0.0, 0.0), (50.0, 0.0), (1000.0, 0.0)), exposure_ms=10.0), SETTING)
    assert would.field_j_cm2 == pytest.approx(0.4)
    book.book(would)
    assert [book.field(x, 1.0) for x in (-40.0, 25.0, 80.0, 1000.0, 300.0)] == pytest.approx([0.2, 0.4, 0.2, 0.2, 0.0])


@pytest.mark.parametrize("x", [math.nan, math.inf, 1e300, -1e15])
def test_places_on_no_microscope_are_no_places(x: float) -> None:
    with pytest.raises(ValueError, match="expected a"):
        DoseBook().would(Burst(1), replace(SETTING, x_um=x))
