"""Admission: whole windows enter or are skipped, the queue is bounded, and no slot is ever lost."""

from __future__ import annotations

import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onscope.runtime import Admission, FrameSpec, Ledger, keep_newest, keep_oldest
from onscope.runtime._clock import now_ns
from onscope.runtime._lane import Lane, Window
from onscope.runtime.windows._gather import Gather
from onscope.runtime.windows._window import GatheredLane
from tests.models import frame

SMALL = FrameSpec((1, 4), camera="cam")
CHANGED = threading.Condition()


class Driven:
    """A lane with a worker played by hand."""

    def __init__(self, admission: Admission, length: int = 1) -> None:
        self.ledger = Ledger()
        if length == 1:
            self.lane = Lane(SMALL, admission, in_hand=2, lendable=1, ledger=self.ledger)
        else:
            consecutive = Gather.consecutive(length)
            self.lane = GatheredLane(SMALL, admission, consecutive, in_hand=2, lendable=1, ledger=self.ledger)
        self.lane.furnish()
        self.lane.open()
        self.lane.ready = True
        self.slots = self.lane.ring.free
        self.sent: list[Window] = []

    def submit(self, seq: int, **more: int) -> bool:
        given = frame(seq, spec=SMALL, **more)
        self.ledger.enter(given.id)
        enters = self.lane.admit(given, CHANGED)
        if enters:
            self.lane.commit(given, self.lane.ring.take(), now_ns(), now_ns())
        return enters

    def send(self) -> None:
        if len(self.sent) < 2 and (window := self.lane.next()):
            self.sent.append(window)

    def answer(self) -> None:
        if self.sent:
            self.lane.end(self.sent.pop(0), "done", "")

    def finish(self) -> None:
        while self.sent:
            self.answer()
        self.lane.end_waiting("skipped", "closed")


@pytest.fixture
def driven() -> type[Driven]:
    return Driven


ADMISSIONS = st.builds(
    Admission,
    kind=st.sampled_from(["keep_newest", "keep_oldest"]),
    depth=st.integers(1, 3),
    every_n=st.integers(1, 3),
    deadline_ms=st.sampled_from([None, 1e-6, 1e6]),
)


def run_schedule(admission: Admission, length: int, steps: list[str]) -> None:
    driven = Driven(admission, length)
    seq = 0
    try:
        for step in steps:
            if step == "frame":
                driven.submit(seq)
                seq += 1
            elif step == "gap":
                seq += 1
            elif step == "send":
                driven.send()
            else:
                driven.answer()
            assert len(driven.lane.waiting) <= admission.depth
            for window in [*driven.lane.waiting, *driven.sent]:
                numbers = [id.seq for id in window.ids]
                assert numbers == list(range(numbers[0], numbers[0] + length)), "a window of frames that do not follow"
        driven.finish()
        assert driven.ledger.adds_up()
        assert driven.lane.ring.free == driven.slots
    finally:
        driven.lane.close()


@settings(deadline=None, max_examples=200)
@given(ADMISSIONS, st.integers(1, 4), st.lists(st.sampled_from(["frame", "gap", "send", "answer"]), max_size=80))
def test_every_schedule_keeps_the_account_and_the_slots(admission: Admission, length: int, steps: list[str]) -> None:
    run_schedule(admission, length, steps)


def test_keep_newest_skips_the_oldest_that_waits(driven: type[Driven]) -> None:
    it = driven(keep_newest(2))
    assert [it.submit(seq) for seq in range(5)] == [True] * 5
    assert [window.ids[0].seq for window in it.lane.waiting] == [3, 4]
    assert it.ledger.reasons == {"skipped(queue)": 3}


def test_keep_oldest_skips_the_newest(driven: type[Driven]) -> None:
    it = driven(keep_oldest(2))
    assert [it.submit(seq) for seq in range(5)] == [True, True, False, False, False]
    assert [window.ids[0].seq for window in it.lane.waiting] == [0, 1]
    assert it.ledger.reasons == {"skipped(queue)": 3}


def test_sampling_takes_every_nth_window(driven: type[Driven]) -> None:
    it = driven(keep_newest(9, every_n=2), length=2)
    assert [it.submit(seq) for seq in range(8)] == [True, True, False, False, True, True, False, False]
    assert it.ledger.reasons == {"skipped(sampling)": 4}


def test_a_window_past_its_deadline_is_not_begun(driven: type[Driven]) -> None:
    it = driven(keep_newest(3, deadline_ms=50))
    it.submit(0, received_ns=now_ns() - 51_000_000)
    it.submit(1)
    it.send()
    assert [window.ids[0].seq for window in it.sent] == [1]
    assert it.ledger.reasons == {"skipped(expired)": 1}


def test_a_gap_ends_a_window(driven: type[Driven]) -> None:
    it = driven(keep_newest(3), length=3)
    for seq in (0, 1, 3, 4, 5):
        it.submit(seq)
    assert [[id.seq for id in window.ids] for window in it.lane.waiting] == [[3, 4, 5]]
    assert it.ledger.reasons == {"lost_upstream": 1, "skipped(gap)": 2}


def test_another_position_begins_another_window(driven: type[Driven]) -> None:
    it = driven(keep_newest(3), length=2)
    for seq, position in enumerate([0, 1, 1, 2]):
        it.submit(seq, index={"p": position})  # type: ignore[arg-type]
    assert [[id.seq for id in window.ids] for window in it.lane.waiting] == [[1, 2]]
    assert it.ledger.reasons == {"skipped(gap)": 1}


@pytest.mark.slow
@settings(deadline=None, max_examples=10_000)
@given(ADMISSIONS, st.integers(1, 4), st.lists(st.sampled_from(["frame", "gap", "send", "answer"]), max_size=200))
def test_ten_thousand_schedules(admission: Admission, length: int, steps: list[str]) -> None:
    run_schedule(admission, length, steps)
