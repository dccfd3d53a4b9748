"""Conformance of engines whose work is done while Python goes on (`engines.Staged`), beside what `EngineTests` ask for.

`class TestMine(StagedEngineTests): provider = "mine"`.
"""

from __future__ import annotations

from collections import deque
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from onnx import helper

from onscope.runtime import ProviderError
from onscope.runtime.engines import Pending, Session, Staged, Stayed, open_session
from tests import models

from .engine_tests import save

SHAPE = [24, 32]


def summing(folder: Path) -> Path:
    """answer = a + b + scale * h; h turns upside down and takes a up: two frames, a scalar, a memory."""
    nodes = [
        helper.make_node("Slice", ["h", "start", "end", "axis", "step"], ["turned"]),
        helper.make_node("Mul", ["turned", "scale"], ["scaled"]),
        helper.make_node("Sum", ["a", "b", "scaled"], ["answer"]),
        helper.make_node("Add", ["turned", "a"], ["next"]),
    ]
    frame = ("float32", SHAPE)
    inputs = {"a": frame, "b": frame, "scale": ("float32", [1]), "h": frame}
    turn = {"start": [-1], "end": [-SHAPE[0] - 1], "axis": [0], "step": [-1]}
    return save(folder, nodes, inputs, {"answer": frame, "next": frame}, turn)


def frame_of(number: int) -> np.ndarray:
    return np.random.default_rng(number).integers(0, 1000, SHAPE).astype(np.float32)


class Reference:
    """What the windows answer, in NumPy; whole numbers, so that every order of summing gives the same bits."""

    def __init__(self) -> None:
        self.memory = np.zeros(SHAPE, np.float32)

    def run(self, a: int, b: int, scale: float, remembers: bool) -> np.ndarray:
        turned = (self.memory if remembers else np.zeros(SHAPE, np.float32))[::-1]
        answer = frame_of(a) + frame_of(b) + np.float32(scale) * turned
        self.memory = turned + frame_of(a)
        return np.asarray(answer)


class StagedEngineTests:
    """What the worker relies on."""

    provider: str

    def open(self, graph: Path) -> Session:
        return open_session(graph, self.provider, 1)

    def staged(self, graph: Path) -> Staged:
        session = self.open(graph)
        assert isinstance(session, Staged)
        assert session.depth >= 2
        return session

    def test_windows_begun_together_come_in_their_order(self, folder: Path) -> None:
        session = self.staged(models.plus_one(folder / "plus").weights)
        frames = [np.full((1, 1, 8, 8), number, np.uint16) for number in range(20)]
        under_way: deque[Pending] = deque()
        found: list[int] = []
        for each in frames:
            under_way.append(session.start([each]))
            if len(under_way) == session.depth:
                found.append(int(under_way.popleft().wait()[0][0, 0, 0, 0]))
        found += [int(each.wait()[0][0, 0, 0, 0]) for each in under_way]
        assert found == list(range(1, 21))

    def test_one_more_than_may_be_begun_waits_for_the_oldest(self, folder: Path) -> None:
        session = self.staged(models.plus_one(folder / "plus").weights)
        begun = [session.start([np.full((1, 1, 8, 8), number, np.uint16)]) for number in range(session.depth + 1)]
        assert int(begun[-1].wait()[0].max()) == session.depth + 1

    def test_frames_may_be_written_to_once_their_window_was_waited_for(self, folder: Path) -> None:
        session = self.staged(models.plus_one(folder / "plus").weights)
        slots = [np.zeros((1, 1, 8, 8), np.uint16) for _ in range(session.depth)]
        under_way: deque[tuple[int, Pending]] = deque()
        for number in range(30):
            if len(under_way) == session.depth:
                known, pending = under_way.popleft()
                assert np.all(pending.wait()[0] == known + 1)
            slot = slots[number % len(slots)]
            slot[...] = number
            under_way.append((number, session.start([slot])))
        for known, pending in under_way:
            assert np.all(pending.wait()[0] == known + 1)

    def test_arrays_may_lie_in_memory_that_was_told(self, folder: Path) -> None:
        session = self.staged(models.plus_one(folder / "plus").weights)
        memory = np.zeros(4 * 128, np.uint8)
        session.lie_in(memory)
        for slot in range(4):
            frame = memory[slot * 128 : (slot + 1) * 128].view(np.uint16).reshape(1, 1, 8, 8)
            frame[...] = slot * 100
            assert np.all(session.start([frame]).wait()[0] == slot * 100 + 1)

    # Each engine's class runs it for itself: that is not what `differing_executors` warns of.
    @settings(
        max_examples=30,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.differing_executors],
    )
    @given(data=st.data())
    def test_frames_by_key_memories_and_any_interleaving(self, tmp_path: Path, data: st.DataObject) -> None:
        session = self.staged(summing(tmp_path))
        session.stay([1])
        reference = Reference()
        zeros = np.zeros(SHAPE, np.float32)
        memory: np.ndarray | Stayed = zeros
        under_way: deque[tuple[np.ndarray, Pending]] = deque()
        for number in range(data.draw(st.integers(1, 14))):
            if under_way and (len(under_way) == session.depth or data.draw(st.booleans())):
                expected, pending = under_way.popleft()
                assert np.array_equal(pending.wait()[0], expected)
            remembers = data.draw(st.booleans())
            a, b = number // 2, number // 2 + data.draw(st.integers(0, 2))
            scale = float(data.draw(st.integers(-2, 2)))
            keys = data.draw(st.sampled_from([None, [a, b, None, None], [a, None, None, None]]))
            arrays: list[Any] = [
                frame_of(a),
                frame_of(b),
                np.array([scale], np.float32),
                memory if remembers else zeros,
            ]
            pending = session.start(arrays, keys)
            under_way.append((reference.run(a, b, scale, remembers), pending))
            (memory,) = pending.stayed
        for expected, pending in under_way:
            assert np.array_equal(pending.wait()[0], expected)
        assert not isinstance(memory, np.ndarray)
        assert np.array_equal(memory.fetch(), reference.memory)
        assert (memory.shape, memory.dtype.name) == (tuple(SHAPE), "float32")

    def test_a_memory_may_be_kept_and_used_again_much_later(self, tmp_path: Path) -> None:
        session = self.staged(summing(tmp_path))
        session.stay([1])
        one, zeros = np.ones(1, np.float32), np.zeros(SHAPE, np.float32)
        first = session.start([frame_of(1), frame_of(2), one, zeros])
        first.wait()
        (kept,) = first.stayed
        for number in range(12):
            other = session.start([frame_of(number), frame_of(3), one, zeros])
            other.wait()
        again = session.start([frame_of(5), frame_of(6), one, kept])
        assert np.array_equal(again.wait()[0], frame_of(5) + frame_of(6) + frame_of(1)[::-1])

    def test_running_beside_windows_that_stay_brings_everything_back(self, tmp_path: Path) -> None:
        session = self.staged(summing(tmp_path))
        session.stay([1])
        one, zeros = np.ones(1, np.float32), np.zeros(SHAPE, np.float32)
        begun = session.start([frame_of(1), frame_of(2), one, zeros])
        answer, memory = session.run([frame_of(7), frame_of(8), one, begun.stayed[0]])
        assert np.array_equal(answer, frame_of(7) + frame_of(8) + frame_of(1)[::-1])
        assert np.array_equal(memory, frame_of(1)[::-1] + frame_of(7))

    def test_what_does_not_fit_is_refused_before_it_is_begun(self, folder: Path) -> None:
        session = self.staged(models.plus_one(folder / "plus").weights)
        begun = session.start([np.zeros((1, 1, 8, 8), np.uint16)])
        with pytest.raises(ProviderError, match=r"expected|found"):
            session.start([np.zeros((1, 1, 8, 8), np.float32)])
        assert np.all(begun.wait()[0] == 1)
        assert np.all(session.start([np.ones((1, 1, 8, 8), np.uint16)]).wait()[0] == 2)
