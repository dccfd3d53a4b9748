"""Which memories a server holds for a session, and when it may forget them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from onscope.runtime import ProviderError
from onscope.runtime.engines import Stayed, TensorSpec
from onscope.runtime.kserve._sequences import Sequences

SPECS = [TensorSpec("h", (2, 3), "float32")]
ZEROS = [np.zeros((2, 3), np.float32)]


@given(st.lists(st.tuples(st.integers(0, 3), st.booleans()), max_size=40))
def test_as_many_sequences_as_memories_that_are_held(windows: list[tuple[int, bool]]) -> None:
    sequences = Sequences()
    held: dict[int, Stayed] = {}
    begun: set[int] = set()
    ended: set[int] = set()
    for place, reset in windows:
        if reset:
            held.pop(place, None)
        memory: list[np.ndarray | Stayed] = [held[place]] if place in held else list(ZEROS)
        step, (held[place],) = sequences.next(memory, SPECS)
        del memory
        assert step.begins == (step.number not in begun)
        begun.add(step.number)
        ended |= {each.number for each in sequences.over()}
        assert len(begun - ended) == len(held), "one for each place, and none that nobody holds"
        assert step.number not in ended
    held.clear()
    assert begun == ended | {each.number for each in sequences.over()}


def test_a_window_alone_ends_what_it_begins() -> None:
    step, left = Sequences().next(ZEROS, [])
    assert (step.begins, step.ends, left) == (True, True, ())


def test_an_older_memory_is_refused() -> None:
    sequences = Sequences()
    _, (first,) = sequences.next(ZEROS, SPECS)
    _, (second,) = sequences.next([first], SPECS)
    with pytest.raises(ProviderError, match="expected the last"):
        sequences.next([first], SPECS)
    assert sequences.next([second], SPECS)[0].number == second.number
    with pytest.raises(ProviderError, match="a server keeps"):
        second.fetch()


def test_a_memory_that_begins_with_numbers_is_refused() -> None:
    with pytest.raises(ProviderError, match="expected zeros"):
        Sequences().next([np.ones((2, 3), np.float32)], SPECS)


def test_what_failed_is_not_gone_on_with() -> None:
    sequences = Sequences()
    step, (left,) = sequences.next(ZEROS, SPECS)
    sequences.failed(step)
    with pytest.raises(ProviderError, match="expected the last"):
        sequences.next([left], SPECS)
