"""Controllers of quick mounted microscopes, a thread that takes their frames, and the commands that devices heard."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from onscope.drivers import specimen
from onscope.drivers.micromanager.control import CoreController, SteeredSource, calibration_of
from onscope.runtime import Frame

from ..specimens import QUICK, one_bead

PAUSE = threading.Event()


@contextmanager
def controlled(
    scene: specimen.Scene | None = None, *, real: bool = False, size: int = 64, **options: Any
) -> Iterator[tuple[specimen.SpecimenScope, CoreController]]:
    """A quick microscope and its controller; in time that passes when somebody waits, unless it is `real`."""
    hardware = options.pop("hardware", replace(QUICK, camera=replace(QUICK.camera, shape=(size, size))))
    clock = None if real else specimen.PatientClock()
    with specimen.open(scene or one_bead(), hardware=hardware, clock=clock, buffer_mb=16) as scope:
        yield scope, CoreController(scope, options.pop("calibration", None) or calibration_of(scope), **options)


class Taker:
    """Takes a source's frames in a thread, as `Runtime.stream` does; `frames` are those that came."""

    def __init__(self, source: SteeredSource, n: int | None = None) -> None:
        self.frames: list[Frame] = []
        self.error: BaseException | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._take, args=(source, n), daemon=True)
        self._thread.start()

    def _take(self, source: SteeredSource, n: int | None) -> None:
        frames = source.frames(n)
        try:
            for frame in frames:
                self.frames.append(frame)
                if self._stop.is_set():
                    return
        except BaseException as error:
            self.error = error
        finally:
            frames.close()

    def until(self, n: int) -> None:
        """Wait until so many frames have come."""
        for _ in range(60_000):
            if len(self.frames) >= n:
                return
            assert self._thread.is_alive(), self.error
            PAUSE.wait(0.001)
        raise AssertionError(f"{len(self.frames)} of {n} frames came")

    def more(self, n: int = 2) -> None:
        """Wait for so many more."""
        self.until(len(self.frames) + n)

    def end(self) -> None:
        """Take no more, and wait until the camera is at rest."""
        self._stop.set()
        self.joined()

    def joined(self) -> None:
        """Wait until the frames have ended."""
        self._thread.join(60)
        assert not self._thread.is_alive()
        if self.error is not None:
            raise self.error


@contextmanager
def taken(source: SteeredSource) -> Iterator[Taker]:
    """Frames are taken in the block; at least two have come when it begins."""
    taker = Taker(source)
    try:
        taker.until(2)
        yield taker
    finally:
        taker.end()


def heard(scope: specimen.SpecimenScope, since: int = 0) -> list[tuple[str, str, object]]:
    """What the devices were told, in order, from the journal's place `since` on; exposures without their number."""
    told = [(one.device, one.verb, one.value) for one in scope.bench.journal[since:]]
    return [(device, verb, None if verb == "expose" else value) for device, verb, value in told]


def now(scope: specimen.SpecimenScope) -> int:
    """The journal's place."""
    return len(scope.bench.journal)


def brief(told: list[tuple[str, str, object]]) -> list[str]:
    """The same as words, a run of exposures as one."""
    words: list[str] = []
    for device, verb, value in told:
        word = f"{device} {verb}" + ("" if value is None else f" {value}")
        if not (verb == "expose" and words and words[-1] == word):
            words.append(word)
    return words
