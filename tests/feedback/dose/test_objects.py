"""Doses of objects: what falls on them where they were seen last; what is new begins with what it may have had."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from onscope.runtime import Frame, FrameId
from onscope.runtime.feedback.aim import AimSettings
from onscope.runtime.feedback.dose import DoseBook, Pattern, Square


def tell(book: DoseBook, tracks: list[int], x: list[float], y: list[float], run: str = "run", **more: Any) -> None:
    """With a stage at (0, 0) and pixels of 1 um: places are in um around the middle of a frame of 101 x 101."""
    frame = Frame(FrameId(run, "camera", 0, 0), np.zeros((101, 101), np.uint16))
    book.objects(frame, tracks, np.array(y) + 50.0, np.array(x) + 50.0, 1.0, (0.0, 0.0), **more)


def shine(book: DoseBook, x: float, y: float, side: float, dose: float) -> None:
    book.book(book.after((Square(x, y, side, dose),)))


def test_light_falls_on_objects_where_they_are() -> None:
    book = DoseBook(object_um=4.0)
    tell(book, [1, 2, 3], [0.0, 11.9, 12.1], [0.0, 0.0, 0.0])
    shine(book, 0.0, 0.0, 20.0, 1.0)
    assert [book.object(track) for track in (1, 2, 3, 4)] == [1.0, 1.0, 0.0, 0.0]
    tell(book, [1, 3], [100.0, 0.0], [0.0, 0.0])
    shine(book, 0.0, 0.0, 20.0, 0.5)
    assert [book.object(track) for track in (1, 3)] == [1.0, 0.5]


def test_patterns_fall_on_what_they_touch() -> None:
    book = DoseBook(object_um=4.0)
    tell(book, [1, 2, 3], [0.0, 7.0, -9.0], [0.0, 0.0, 0.0])
    lit = np.zeros((21, 21), bool)
    lit[10, 10] = lit[10, 15] = True  # 0 and 5 um from the middle
    would = book.after((Pattern(lit, 1.0, 0.0, 0.0, 2.0),))
    assert would.object_j_cm2 == 2.0
    book.book(would)
    assert [book.object(track) for track in (1, 2, 3)] == [2.0, 2.0, 0.0]


def test_what_is_new_has_had_the_dose_of_its_place() -> None:
    book = DoseBook()
    shine(book, 0.0, 0.0, 100.0, 3.0)
    tell(book, [1, 2], [0.0, 500.0], [0.0, 0.0])
    assert (book.object(1), book.object(2)) == (3.0, 0.0)


def test_daughters_and_tracks_that_go_on_under_another_number_keep_the_dose() -> None:
    book = DoseBook()
    tell(book, [1, 9], [0.0, 60.0], [0.0, 0.0])
    shine(book, 0.0, 0.0, 20.0, 3.0)
    tell(book, [1, 9], [300.0, 60.0], [0.0, 0.0])  # it moves to where it is dark
    tell(book, [2, 3, 4, 9], [310.0, 290.0, 340.0, 60.0], [0.0, 0.0, 0.0, 0.0])
    assert [book.object(track) for track in (2, 3, 4, 9)] == [3.0, 3.0, 0.0, 0.0]


def test_only_what_is_there_counts_against_a_budget() -> None:
    book = DoseBook()
    tell(book, [1], [0.0], [0.0])
    shine(book, 0.0, 0.0, 20.0, 3.0)
    tell(book, [2], [200.0], [0.0])
    assert book.after((Square(0.0, 0.0, 20.0, 1.0),)).object_j_cm2 == 0.0
    assert book.after((Square(200.0, 0.0, 20.0, 1.0),)).object_j_cm2 == 1.0


def test_rows_without_a_track_or_place_are_left_out() -> None:
    book = DoseBook()
    shine(book, 0.0, 0.0, 100.0, 3.0)
    tell(book, [0, 1, 2, 3, 3], [0.0, np.nan, 0.0, 10.0, 20.0], [0.0, 0.0, np.inf, 0.0, 0.0])
    assert [book.object(track) for track in range(5)] == [0.0, 0.0, 0.0, 3.0, 0.0]


def test_pixels_lie_as_the_camera_does() -> None:
    book = DoseBook(object_um=2.0)
    tell(book, [1], [30.0], [0.0], aim=AimSettings(swap_xy=True, flip_y=True))
    shine(book, 0.0, -30.0, 4.0, 1.0)
    assert book.object(1) == 1.0


def test_another_run_begins_with_the_doses_of_the_one_before(tmp_path: Path) -> None:
    with DoseBook(tmp_path / "doses") as book:
        tell(book, [1, 2], [0.0, 40.0], [0.0, 0.0])
        shine(book, 0.0, 0.0, 20.0, 3.0)
        tell(book, [1, 2], [300.0, 40.0], [0.0, 0.0])
        shine(book, 300.0, 0.0, 20.0, 1.0)
    with DoseBook(tmp_path / "doses") as book:
        assert book.object(1) == 0.0  # nobody was told yet: the number may be another object's
        tell(book, [1, 2, 3], [600.0, 305.0, 0.0], [0.0, 0.0, 0.0], run="next")
        assert [book.object(track) for track in (1, 2, 3)] == [0.0, 4.0, 3.0]


class Followed(RuleBasedStateMachine):
    """Objects that come, go and move under light, against a plain account of each."""

    @initialize()
    def begin(self) -> None:
        self.book = DoseBook(cell_um=5.0, object_um=2.0)
        self.at: dict[int, tuple[float, float]] = {}
        self.given: dict[int, float] = {}
        self.next = 1
        self.highest: dict[int, float] = {}

    @rule(moves=st.lists(st.tuples(st.floats(-50, 50), st.floats(-50, 50)), max_size=5), new=st.integers(0, 3))
    def look(self, moves: list[tuple[float, float]], new: int) -> None:
        for (track, _), place in zip(sorted(self.at.items()), moves, strict=False):
            self.at[track] = place
        for index in range(new):
            track, self.next = self.next, self.next + 1
            self.at[track] = (60.0 * self.next, 400.0 + 90.0 * index)  # far from all others, and in the dark
            self.given[track] = self.book.field(*self.at[track])
        tracks = sorted(self.at)
        tell(self.book, tracks, [self.at[each][0] for each in tracks], [self.at[each][1] for each in tracks])

    @rule(x=st.floats(-60, 60), y=st.floats(-60, 60), side=st.floats(1, 80), dose=st.floats(0.01, 3))
    def light(self, x: float, y: float, side: float, dose: float) -> None:
        would = self.book.after((Square(x, y, side, dose),))
        half = side / 2 + 1.0
        hit = [track for track, at in self.at.items() if abs(at[0] - x) <= half and abs(at[1] - y) <= half]
        for track in hit:
            self.given[track] += dose
        assert would.object_j_cm2 == pytest.approx(max((self.given[track] for track in hit), default=0.0))
        self.book.book(would)

    @invariant()
    def each_has_its_sum_and_never_less_than_before(self) -> None:
        for track, dose in getattr(self, "given", {}).items():
            found = self.book.object(track)
            assert found == pytest.approx(dose)
            assert found >= self.highest.get(track, 0.0)
            self.highest[track] = found


TestFollowed = Followed.TestCase
TestFollowed.settings = settings(
    max_examples=40,
    stateful_step_count=25,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
