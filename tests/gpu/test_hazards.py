"""Whatever is begun, waited for, held and dropped in whatever order: the answers are those of NumPy, bit for bit.

The stand-in's streams work beside the caller and take their time; frames' memory is scribbled over as soon as that is
allowed. A wait too few, an event too few or memory used too early shows as other numbers.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from onscope.runtime.engines import TensorSpec

from .kernels import SHAPE, frame, network, one_frame, session

WINDOWS = st.lists(
    st.fixed_dictionaries(
        {
            "keys": st.one_of(
                st.none(), st.lists(st.one_of(st.none(), st.integers(0, 9)), min_size=3, max_size=3), st.integers(0, 30)
            ),
            "memory": st.sampled_from(["older", "last", "zeros", "array"]),
            "wait": st.sampled_from(["later", "now", "later", "never"]),
            "forget": st.sampled_from([False, False, False, True]),
            "slots": st.booleans(),
        }
    ),
    min_size=6,
    max_size=16,
)


class Run:
    """One session and what it should answer."""

    def __init__(self, cuda: Any, stays: bool, registered: bool) -> None:
        self.session, _ = session(cuda)
        self.depth = self.session.depth
        self.slots = np.zeros((3 * self.depth, *SHAPE), np.uint16)
        self.place = 0
        if registered:
            self.session.lie_in(self.slots.reshape(-1).view(np.uint8))
        self.stays = stays
        if stays:
            self.session.stay([1])
        self.open: list[tuple[Any, list[np.ndarray], list[np.ndarray]]] = []
        self.memories: list[tuple[Any, np.ndarray]] = []

    def begin(self, said: dict[str, Any]) -> None:
        keys = list(range(said["keys"], said["keys"] + 3)) if isinstance(said["keys"], int) else said["keys"]
        contents = [
            frame(1000 + self.place * 7 + at if key is None else key) for at, key in enumerate(keys or [None] * 3)
        ]
        frames = contents
        if said["slots"] and len(self.open) < self.depth:  # so many windows of three frames each fill them
            part = self.place % self.depth * 3
            self.slots[part : part + 3] = contents
            frames = [self.slots[part + at] for at in range(3)]
        given, meant = self.memory(said["memory"])
        gain = np.array([self.place + 1], np.float32)
        self.place += 1
        first, second, third = contents
        wanted = network(first, second, third, gain, meant)
        all_keys = None if keys is None else [*keys, None, None]
        pending = self.session.start([*frames, gain, given], all_keys)
        self.open.append((pending, wanted, [*frames, gain]))
        if self.stays:  # the next window may have it before this one was waited for
            self.memories.append((pending.stayed[0], wanted[1]))
        if len(self.open) > self.depth:
            self.open.pop(0)  # was not waited for, and its memory is used again
        if said["wait"] == "now":
            while self.open:
                self.finish()
        elif said["wait"] == "later" and len(self.open) == self.depth:
            self.finish()
        if said["forget"]:
            self.memories = self.memories[-1:]

    def memory(self, which: str) -> tuple[Any, np.ndarray]:
        if which in ("last", "older") and self.memories:
            return self.memories[-1 if which == "last" else 0]
        array = np.zeros(SHAPE, np.float32) if which == "zeros" else np.full(SHAPE, self.place, np.float32)
        return array, array.copy()

    def finish(self) -> None:
        pending, (image, after, count), sources = self.open.pop(0)
        found = pending.wait()
        for source in sources:
            source[...] = 7  # they are the caller's again
        np.testing.assert_array_equal(found[0], image)
        np.testing.assert_array_equal(found[-1], count)
        if not self.stays:
            np.testing.assert_array_equal(found[1], after)
            self.memories.append((found[1].copy(), after))

    def end(self) -> None:
        while self.open:
            self.finish()
        for stayed, meant in self.memories:
            np.testing.assert_array_equal(stayed.fetch() if self.stays else stayed, meant)
        self.memories.clear()
        self.session.close()


@pytest.mark.long
@pytest.mark.parametrize("shared", ["0", "1"], ids=["discrete", "shared memory"])
@pytest.mark.parametrize("refuses", ["", "cudaStreamEndCapture"], ids=["recorded", "launched"])
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(WINDOWS, st.sampled_from([True, True, False]), st.booleans())
def test_answers_are_numpys(
    cuda: Any,
    shared: str,
    refuses: str,
    monkeypatch: pytest.MonkeyPatch,
    windows: list[dict[str, Any]],
    stays: bool,
    registered: bool,
) -> None:
    monkeypatch.setenv("STANDIN_INTEGRATED", shared)
    monkeypatch.setenv("STANDIN_REFUSES", refuses)
    run = Run(cuda, stays, registered)
    for said in windows:
        run.begin(said)
    run.end()


@pytest.mark.parametrize("shared", ["0", "1"], ids=["discrete", "shared memory"])
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.one_of(st.none(), st.integers(0, 2)), st.booleans()), min_size=4, max_size=14))
@example([(0, False), (1, False), (1, False), (0, False)])
def test_the_only_frame_of_a_window_is_the_right_one(
    cuda: Any, shared: str, monkeypatch: pytest.MonkeyPatch, windows: list[tuple[int | None, bool]]
) -> None:
    monkeypatch.setenv("STANDIN_INTEGRATED", shared)
    spec = (TensorSpec("frame", SHAPE, "uint16"),)
    opened, _ = session(cuda, spec, spec, one_frame)
    begun: list[tuple[Any, np.ndarray, np.ndarray]] = []

    def finish() -> None:
        pending, wanted, source = begun.pop(0)
        answer = pending.wait()[0]
        source[...] = 7
        np.testing.assert_array_equal(answer, wanted)

    for number, (key, waits) in enumerate(windows):
        source = frame(1000 + number if key is None else key)
        begun.append((opened.start([source], [key]), source + np.uint16(1), source))
        while len(begun) > (0 if waits else 2):
            finish()
    while begun:
        finish()
    opened.close()
