"""The conformance suite of sources: each driver's tests subclass it and say how its source is made."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from itertools import pairwise
from typing import Any, cast

import numpy as np
import pytest

from onscope.runtime import Frame, FrameSpec, Source, SourceError, now_ns


class SourceTests:
    """Subclass as `class TestMySource(SourceTests)`, with `make_source` and `make_unknown`.

    The source must have at least `LENGTH` frames.
    """

    LENGTH = 6

    def make_source(self) -> AbstractContextManager[Source]:
        """A context manager that gives a fresh source."""
        raise NotImplementedError

    def make_unknown(self) -> AbstractContextManager[Source]:
        """The same, asked for something that does not exist."""
        raise NotImplementedError

    @pytest.fixture
    def source(self, source_place: Any) -> Iterator[Source]:
        with self.make_source() as source:
            yield source

    @pytest.fixture(autouse=True)
    def source_place(self) -> Any:
        """Override it to bring what `make_source` needs, a folder for example."""
        return None

    def test_is_a_source(self, source: Source) -> None:
        assert isinstance(source, Source)
        assert isinstance(source.spec(), FrameSpec)

    def test_frames_are_what_the_spec_says(self, source: Source) -> None:
        spec = source.spec()
        for frame in source.frames(3):
            spec.check(frame.pixels)
            assert frame.axes == spec.axes
            assert frame.id.camera == spec.camera
            assert frame.pixel_size_um == spec.pixel_size_um
        assert source.spec() == spec

    def test_gives_as_many_frames_as_asked_for(self, source: Source) -> None:
        for n in (0, 1, self.LENGTH):
            assert len(list(source.frames(n))) == n

    def test_numbers_begin_at_zero_and_rise(self, source: Source) -> None:
        frames = list(source.frames(self.LENGTH))
        assert frames[0].id.seq == 0
        assert all(a.id.seq < b.id.seq for a, b in pairwise(frames))
        assert len({frame.id[:3] for frame in frames}) == 1

    def test_receipt_is_monotonic_and_never_in_the_future(self, source: Source) -> None:
        before = now_ns()
        last = 0
        for frame in source.frames(self.LENGTH):
            assert last <= frame.received_ns <= now_ns()
            last = frame.received_ns
        assert last >= before

    def test_pixels_belong_to_the_caller(self, source: Source) -> None:
        frames = list(source.frames(3))
        before = [frame.pixels.copy() for frame in frames]
        frames[0].pixels[...] = 0
        frames[0].pixels[...] += 1
        for frame, pixels in zip(frames[1:], before[1:], strict=True):
            assert not np.shares_memory(frames[0].pixels, frame.pixels)
            np.testing.assert_array_equal(frame.pixels, pixels)

    def test_closing_early_stops_it_and_it_can_be_used_again(self, source: Source) -> None:
        first = source.frames()
        frame = next(first)
        cast("Any", first).close()
        with pytest.raises(StopIteration):
            next(first)
        again = list(source.frames(2))
        assert again[0].id.seq == 0
        assert again[0].id.segment > frame.id.segment
        assert again[0].id.run == frame.id.run

    def test_a_generator_that_never_began_does_no_harm(self, source: Source) -> None:
        cast("Any", source.frames()).close()
        assert len(list(source.frames(1))) == 1

    def test_works_on_another_thread(self, source: Source) -> None:
        taken: list[Frame] = []
        thread = threading.Thread(target=lambda: taken.extend(source.frames(3)))
        thread.start()
        thread.join()
        assert len(taken) == 3

    def test_says_so_when_asked_for_what_does_not_exist(self) -> None:
        with pytest.raises(SourceError, match=r"found .*expected "), self.make_unknown():
            pass


@contextmanager
def given(source: Source) -> Iterator[Source]:
    """A source that needs no context, as a context manager."""
    yield source
