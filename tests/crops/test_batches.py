"""Batches: every object in one of them, and never much room that is wasted."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from onscope.runtime.crops import SIZES, batches_of
from onscope.runtime.crops._batches import sizes_of
from onscope.runtime.package import Axis, AxisSize, TensorDescription


def tensor(*axes: Axis) -> TensorDescription:
    return TensorDescription("crop", "crop", axes, "float32")


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 5000))
def test_all_are_in_a_batch_and_no_quarter_is_empty(count: int) -> None:
    batches = batches_of(count, SIZES)
    assert set(batches) <= set(SIZES)
    assert count <= sum(batches)
    assert sum(batches[:-1]) < max(count, 1)
    assert sum(batches) - count <= batches[-1] / 4 if batches else count == 0
    assert len(batches) <= count // 64 + 6


@settings(deadline=None, max_examples=60)
@given(st.integers(1, 300), st.integers(1, 40))
def test_one_size_is_enough(count: int, size: int) -> None:
    assert batches_of(count, (size,)) == [size] * -(-count // size)


def test_sizes_are_those_that_the_network_takes() -> None:
    assert sizes_of(tensor(Axis("batch", "batch"))) == SIZES
    assert sizes_of(tensor(Axis("batch", "batch", AxisSize(fixed=1)))) == (1,)
    assert sizes_of(tensor(Axis("batch", "batch", AxisSize(fixed=8)))) == (8,)
    assert sizes_of(tensor(Axis("batch", "batch", AxisSize(minimum=2, step=2, maximum=16)))) == (2, 4, 16)
    assert sizes_of(tensor(Axis("channel", "channel"))) == (1,)
