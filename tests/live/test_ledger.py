"""Every frame ends in exactly one state, and the counts add up to the frames of the source."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onscope.runtime import FrameId, FrameMismatchError, Ledger

OUTCOMES = ["done", "late", "skipped", "failed"]


@given(st.lists(st.tuples(st.integers(0, 3), st.sampled_from(OUTCOMES)), max_size=60))
def test_counts_add_up_to_the_frames_of_the_camera(steps: list[tuple[int, str]]) -> None:
    ledger = Ledger()
    seq = 0
    for gap, outcome in steps:
        seq += gap
        ledger.enter(FrameId("r", "cam", 0, seq))
        ledger.close([FrameId("r", "cam", 0, seq)], outcome, "why" if outcome == "skipped" else "")  # type: ignore[arg-type]
        seq += 1
    counts = ledger.counts
    assert sum(counts.values()) == seq
    assert counts["lost_upstream"] == sum(gap for gap, _ in steps)
    assert ledger.adds_up()
    assert ledger.submitted == len(steps)
    assert sum(row.frames for row in ledger.table()) == seq


def test_an_open_frame_does_not_add_up() -> None:
    ledger = Ledger()
    ledger.enter(FrameId("r", "cam", 0, 0))
    assert ledger.open == 1
    assert not ledger.adds_up()


def test_no_frame_ends_twice() -> None:
    ledger = Ledger()
    id = FrameId("r", "cam", 0, 0)
    ledger.enter(id)
    ledger.close([id], "done")
    with pytest.raises(KeyError):
        ledger.close([id], "failed", "again")


def test_a_counter_that_goes_back_needs_a_new_segment() -> None:
    ledger = Ledger()
    ledger.enter(FrameId("r", "cam", 0, 5))
    with pytest.raises(FrameMismatchError, match="frame 5 of cam after frame 5"):
        ledger.enter(FrameId("r", "cam", 0, 5))
    ledger.enter(FrameId("r", "cam", 1, 0))
    assert ledger.counts["lost_upstream"] == 5
    assert ledger.submitted == 2


def test_cameras_count_for_themselves() -> None:
    ledger = Ledger()
    for seq in range(3):
        ledger.enter(FrameId("r", "left", 0, seq))
        ledger.enter(FrameId("r", "right", 0, 2 * seq))
    assert ledger.counts["lost_upstream"] == 2


def test_rows_are_bounded_and_counts_are_not() -> None:
    ledger = Ledger(keep=10)
    for seq in range(25):
        ledger.enter(FrameId("r", "cam", 0, seq))
        ledger.close([FrameId("r", "cam", 0, seq)], "skipped", "queue")
    assert len(ledger.table()) == 10
    assert ledger.reasons == {"skipped(queue)": 25}
