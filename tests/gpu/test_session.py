"""What a session on a GPU spares (copies, memory, launches), and what it does when CUDA refuses something."""

from __future__ import annotations

import gc
from typing import Any

import numpy as np
import pytest

from onscope.runtime import ProviderError
from onscope.runtime.engines import Staged, TensorSpec

from .kernels import ONE, SHAPE, frame, network, one_frame, session, window

UP, DOWN, ACROSS = 1, 2, 3
FRAME_BYTES = SHAPE[0] * SHAPE[1] * 2


def copies(kind: int, size: int | None = None) -> list[Any]:
    from cuda.bindings import _memory

    return [each for each in _memory.copies if each.kind == kind and size in (None, each.size)]


def check(found: list[Any], arrays: list[Any]) -> None:
    for answer, wanted in zip(found, network(*arrays), strict=True):
        np.testing.assert_array_equal(answer, wanted)


def test_it_is_staged_and_runs(cuda: Any) -> None:
    opened, kernels = session(cuda)
    assert isinstance(opened, Staged)
    arrays = window(1)
    check(opened.run(arrays), arrays)
    opened.close()
    opened.close()
    assert kernels.closed
    with pytest.raises(ProviderError, match="session that was closed"):
        opened.start(arrays)


def test_a_frame_of_several_windows_goes_up_once(cuda: Any) -> None:
    opened, _ = session(cuda)
    from cuda.bindings import _memory

    _memory.copies.clear()
    for first in range(8):
        arrays = window(first)
        check(opened.start(arrays, [first, first + 1, first + 2, None, None]).wait(), arrays)
    assert len(copies(UP, FRAME_BYTES)) == 8 + 2
    assert len(copies(ACROSS, FRAME_BYTES)) == 8 * 3


def test_windows_of_two_places_in_turn_send_each_frame_once(cuda: Any) -> None:
    opened, _ = session(cuda)
    from cuda.bindings import _memory

    _memory.copies.clear()
    for first in range(6):
        for place in (0, 100):
            arrays = window(place + first)
            check(opened.start(arrays, [place + first + each for each in range(3)] + [None, None]).wait(), arrays)
    assert len(copies(UP, FRAME_BYTES)) == 2 * (6 + 2)


def test_the_only_frame_of_a_window_goes_straight_to_its_input(cuda: Any) -> None:
    opened, _ = session(cuda, ONE, ONE, one_frame)
    from cuda.bindings import _memory

    _memory.copies.clear()
    for key in (1, 1, 2, 2, 1):
        np.testing.assert_array_equal(opened.start([frame(key)], [key]).wait()[0], frame(key) + np.uint16(1))
    assert len(copies(UP)) == 3
    np.testing.assert_array_equal(opened.run([frame(9)])[0], frame(9) + np.uint16(1))
    np.testing.assert_array_equal(opened.start([frame(1)], [1]).wait()[0], frame(1) + np.uint16(1))


def test_nothing_is_taken_after_opening(cuda: Any) -> None:
    opened, kernels = session(cuda)
    opened.stay([1])
    from cuda.bindings import _memory, _work

    _memory.taken.clear()
    events, streams, launched = len(_work.events), len(_work.streams), kernels.launched
    memory: Any = np.zeros(SHAPE, np.float32)
    for first in range(6):
        (memory,) = opened.start(window(first, memory=memory), [first, first + 1, first + 2, None, None]).stayed
    assert _memory.taken == []
    assert (len(_work.events), len(_work.streams)) == (events, streams)
    assert kernels.launched == launched, "launched one by one, although it is recorded"


def test_small_inputs_go_up_together_and_answers_come_down_together(cuda: Any) -> None:
    small = (TensorSpec("frame", SHAPE, "uint16"), *(TensorSpec(f"n{each}", (1,), "float32") for each in range(5)))
    opened, _ = session(cuda, small, (*ONE, TensorSpec("sum", (1,), "float32")), lambda x, *n: [x, sum(n)])
    from cuda.bindings import _memory

    _memory.copies.clear()
    found = opened.run([frame(1), *(np.array([each], np.float32) for each in range(5))])
    assert found[1].tolist() == [10.0]
    assert (len(copies(UP)), len(copies(DOWN))) == (2, 1)


def test_memory_that_was_registered_is_copied_from_directly(cuda: Any) -> None:
    opened, _ = session(cuda, ONE, ONE, one_frame)
    slots = np.zeros((4, *SHAPE), np.uint16)
    opened.lie_in(slots.reshape(-1).view(np.uint8))
    from cuda.bindings import _memory

    _memory.copies.clear()
    slots[2] = frame(5)
    np.testing.assert_array_equal(opened.run([slots[2]])[0], frame(5) + np.uint16(1))
    (straight,) = copies(UP)
    assert (straight.source, straight.straight) == (slots[2].ctypes.data, True)
    opened.run([frame(6)])
    assert copies(UP)[-1].straight, "not by memory that is never paged out"
    turned = slots[2].T
    np.testing.assert_array_equal(opened.run([turned])[0], frame(5).T + np.uint16(1))


def test_a_refusal_to_register_is_no_error(cuda: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STANDIN_REFUSES", "cudaHostRegister")
    opened, _ = session(cuda, ONE, ONE, one_frame)
    slots = np.zeros((4, *SHAPE), np.uint16)
    opened.lie_in(slots.reshape(-1).view(np.uint8))
    opened.lie_in(np.empty(0, np.uint8))
    assert int(cuda.cudaGetLastError()[0]) == 0, "left for the next one who asks"
    slots[1] = frame(3)
    np.testing.assert_array_equal(opened.run([slots[1]])[0], frame(3) + np.uint16(1))


def test_two_sessions_may_register_the_same_memory(cuda: Any) -> None:
    slots = np.zeros((2, *SHAPE), np.uint16)
    both = [session(cuda, ONE, ONE, one_frame)[0] for _ in range(2)]
    for each in both:
        each.lie_in(slots.reshape(-1).view(np.uint8))
    both[0].close()
    slots[0] = frame(1)
    np.testing.assert_array_equal(both[1].run([slots[0]])[0], frame(1) + np.uint16(1))
    from cuda.bindings import _memory

    assert _memory.copies[-2].straight


@pytest.mark.parametrize("refused", ["cudaStreamEndCapture", "cudaGraphInstantiate"])
def test_what_cannot_be_recorded_is_launched_and_told_once(
    cuda: Any, refused: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STANDIN_REFUSES", refused)
    opened, kernels = session(cuda)
    assert len(opened.told) == 1
    assert "launched one by one" in opened.told[0]
    before = kernels.launched
    arrays = window(4)
    check(opened.run(arrays), arrays)
    assert kernels.launched == before + 1


def test_boards_with_one_memory_copy_nothing(cuda: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STANDIN_INTEGRATED", "1")
    opened, _ = session(cuda)
    from cuda.bindings import _memory

    _memory.copies.clear()
    arrays = window(4)
    check(opened.run(arrays), arrays)
    assert _memory.copies == []
    assert "gpu" not in {block.kind for block in _memory.blocks.values()}


def test_what_stays_is_fetched_given_on_and_used_again(cuda: Any) -> None:
    opened, _ = session(cuda)
    opened.stay([1])
    from cuda.bindings import _memory

    kept: list[Any] = []
    wanted = []
    for first in range(5):
        arrays = window(first)
        kept.append(opened.start(arrays).stayed[0])
        wanted.append(network(*arrays)[1])
    for stayed, meant in zip(kept, wanted, strict=True):
        assert (stayed.shape, stayed.dtype) == (SHAPE, np.float32)
        np.testing.assert_array_equal(stayed.fetch(), meant)
    arrays = window(9, memory=wanted[0])
    check_with = opened.run([*arrays[:4], kept[0]])
    np.testing.assert_array_equal(check_with[1], network(*arrays)[1])
    kept.clear()
    gc.collect()
    _memory.taken.clear()
    for first in range(5):
        kept.append(opened.start(window(first)).stayed[0])
    assert _memory.taken == [], "the pool was not used"


def test_what_stays_belongs_to_its_session(cuda: Any) -> None:
    one, other = session(cuda)[0], session(cuda)[0]
    one.stay([1])
    (stayed,) = one.start(window(1)).stayed
    with pytest.raises(ProviderError, match="stays in another session"):
        other.run([*window(1)[:4], stayed])
    with pytest.raises(ProviderError, match="found output 3 to stay, expected one of 0 to 2"):
        one.stay([3])
    one.close()
    with pytest.raises(ProviderError, match="session that was closed"):
        stayed.fetch()


def test_answers_hold_until_two_more_windows_were_begun(cuda: Any) -> None:
    opened, _ = session(cuda, ONE, ONE, one_frame)
    first = opened.start([frame(1)]).wait()[0]
    second = opened.start([frame(2)])
    np.testing.assert_array_equal(first, frame(1) + np.uint16(1))
    np.testing.assert_array_equal(second.wait()[0], frame(2) + np.uint16(1))
    np.testing.assert_array_equal(first, frame(1) + np.uint16(1))


def test_a_window_that_was_not_waited_for_keeps_its_answers(cuda: Any) -> None:
    opened, _ = session(cuda, ONE, ONE, one_frame)
    begun = [opened.start([frame(key)]) for key in range(6)]
    for key, pending in enumerate(begun):
        for _ in range(2):
            np.testing.assert_array_equal(pending.wait()[0], frame(key) + np.uint16(1))


def test_answers_outlive_the_session(cuda: Any) -> None:
    opened, _ = session(cuda, ONE, ONE, one_frame)
    (answer,) = opened.run([frame(1)])
    pending = opened.start([frame(2)])
    opened.close()
    np.testing.assert_array_equal(answer, frame(1) + np.uint16(1))
    np.testing.assert_array_equal(pending.wait()[0], frame(2) + np.uint16(1))
