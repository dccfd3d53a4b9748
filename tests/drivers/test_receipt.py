"""The moment of core receipt, from stamps that say only how long after the beginning it was."""

from __future__ import annotations

from itertools import accumulate

from hypothesis import given
from hypothesis import strategies as st

from onscope.drivers.micromanager._receipt import MAX_DRIFT, ReceiptClock

BEGAN_NS = 5 * 10**9
steps_ms = st.lists(st.floats(1.0, 100.0), min_size=1, max_size=50)
waits_ns = st.lists(st.integers(0, 10**9), min_size=50, max_size=50)


@given(steps_ms, waits_ns)
def test_it_lies_between_the_truth_and_the_shortest_wait_so_far(steps: list[float], waits: list[int]) -> None:
    clock = ReceiptClock()
    last = popped = 0
    shortest = 10**12
    for elapsed_ms, wait in zip(accumulate(steps), waits, strict=False):
        true_ns = BEGAN_NS + round(elapsed_ms * 1e6)
        popped = max(popped, true_ns + wait)  # taken in order
        shortest = min(shortest, popped - true_ns)
        received = clock.received_ns(elapsed_ms, popped)
        assert last <= received <= popped
        assert received >= true_ns - 2
        assert received <= max(true_ns + shortest + MAX_DRIFT * elapsed_ms * 1e6 + 2, last)
        last = received


@given(st.lists(st.none() | st.floats(-1e6, 1e6), max_size=30))
def test_stamps_without_sense_are_not_believed(stamps: list[float | None]) -> None:
    clock = ReceiptClock()
    last = 0
    for number, stamp in enumerate(stamps, start=1):
        popped = number * 10**10
        received = clock.received_ns(stamp, popped)
        assert last <= received <= popped
        last = received


def test_a_stamp_that_stands_still_leaves_the_moment_of_the_pop() -> None:
    clock = ReceiptClock()
    assert [clock.received_ns(0.0, ns) for ns in (10, 20, 30)] == [10, 20, 30]


def test_without_stamps_the_pop_is_all_there_is() -> None:
    clock = ReceiptClock()
    assert [clock.received_ns(None, ns) for ns in (10, 20, 30)] == [10, 20, 30]
