"""The live images of a Micro-Manager that somebody else uses: a real core, in this process and behind the bridge.

The bridge's client is the real one, its server the stand-in of `java_server.py`; a real Studio was never there.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from itertools import pairwise
from typing import Any

import pytest

from onscope.drivers import micromanager
from onscope.drivers.micromanager._java_core import JavaCore
from onscope.drivers.micromanager._studio import PythonWatched, StudioSource
from onscope.runtime import Source, SourceError
from tests.drivers.source_tests import SourceTests
from tests.drivers.test_java_core import Studio

PAUSE = threading.Event()


@contextmanager
def live(camera: str | None = None, patience_s: float = 60.0) -> Iterator[Any]:
    """The core of somebody else's live mode, and a source that looks at it."""
    with micromanager.demo(size=64, buffer_mb=4) as scope:
        core: Any = scope.core
        core.set_exposure(5.0)
        core.start_continuous_sequence_acquisition(0.0)
        try:
            yield core, StudioSource(PythonWatched(core), camera, patience_s)
        finally:
            core.stop_sequence_acquisition()


class TestStudioSource(SourceTests):
    def make_source(self) -> AbstractContextManager[Source]:
        return _source(None)

    def make_unknown(self) -> AbstractContextManager[Source]:
        return _source("Elsewhere")


@contextmanager
def _source(camera: str | None) -> Iterator[Source]:
    with live(camera) as (_, source):
        source.spec()
        yield source


def test_nothing_is_taken_out_of_the_buffer_and_missed_numbers_are_jumps() -> None:
    with live() as (core, source):
        frames = source.frames(20)
        taken = [next(frames)]
        PAUSE.wait(0.2)  # a reader that is slow once
        taken += frames
        core.stop_sequence_acquisition()
        held = core.get_remaining_image_count()
        popped = [int(core.pop_next_tagged_image().tags["ImageNumber"]) for _ in range(held)]
    assert popped == list(range(held))
    assert held > taken[-1].id.seq
    jumps = [b.id.seq - a.id.seq for a, b in pairwise(taken)]
    assert min(jumps) >= 1
    assert jumps[0] > 2
    assert {frame.exposure_ms for frame in taken} == {5.0}


def test_live_mode_that_starts_again_opens_a_segment_and_one_that_stays_off_ends() -> None:
    with live(patience_s=0.5) as (core, source):
        frames = source.frames()
        first = [next(frames) for _ in range(3)]
        core.stop_sequence_acquisition()
        core.set_roi(0, 0, 32, 16)
        core.start_continuous_sequence_acquisition(0.0)
        second = [next(frames) for _ in range(3)]
        core.stop_sequence_acquisition()
        rest = list(frames)
    assert {(frame.id.segment, frame.pixels.shape) for frame in first} == {(0, (64, 64))}
    assert {(frame.id.segment, frame.pixels.shape) for frame in [*second, *rest]} == {(1, (16, 32))}


@pytest.mark.long
def test_over_the_bridge_the_same_images_come_and_stay(tmp_path: Any) -> None:
    server = Studio(tmp_path)
    user = JavaCore(server.port)  # whoever uses Micro-Manager
    try:
        user.start_continuous_sequence_acquisition(0.0)
        with micromanager.studio(server.port) as source:
            taken = list(source.frames(10))
            user.stop_sequence_acquisition()
            held = user.get_remaining_image_count()
            popped = [user.pop_next_tagged_image() for _ in range(held)]
        assert [int(image.tags["ImageNumber"]) for image in popped] == list(range(held))
        assert {frame.pixels.shape for frame in taken} == {(128, 128)}
        assert all(a.id.seq < b.id.seq for a, b in pairwise(taken))
        assert server.counts[0] <= 4, "Java objects are let go"
    finally:
        user.close()
        server.kill()
    with pytest.raises(SourceError, match="is not there"), micromanager.studio(server.port):
        pass


def test_the_command_lines_word_for_it_wants_a_port() -> None:
    with pytest.raises(SourceError, match="write studio=4827"), micromanager.source("studio=here"):
        pass
