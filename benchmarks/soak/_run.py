"""The run: a scripted camera, a runtime with a worker process, a rolling recording, and every frame looked at."""

from __future__ import annotations

import os
import threading
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.models import brightest

from onscope.drivers import scripted
from onscope.runtime import FrameId, Pipeline, Runtime, Stage, block, keep_newest, now_ns
from onscope.runtime.record import Recording
from onscope.runtime.record.recorder import read_frames

from ._vitals import Gatherer, Vitals

LOOK_S = 1.0
"""Seconds between two looks into the recording's table; its window holds `KEEP_S` seconds."""
KEEP_S = 20.0
CAMERA_BUFFER_S = 1.0


@dataclass(frozen=True)
class Plan:
    """`seconds` at `fps` frames per second of `size` x `size` uint16; a line every `every_s` seconds."""

    seconds: float
    fps: float
    size: int
    every_s: float

    @property
    def frames(self) -> int:
        return max(1, round(self.seconds * self.fps))


@dataclass
class Account:
    """What must be 0 or complete at the end, and the intervals on the way."""

    frames: int = 0
    lost_by_camera: int = 0
    unaccounted: int = 0
    wrong_in_results: int = 0
    wrong_on_disk: int = 0
    unrecorded: int = 0
    error: str = ""
    ledger: dict[str, int] = field(default_factory=dict)
    vitals: list[Vitals] = field(default_factory=list)


def soak(
    plan: Plan, folder: Path, tell: Callable[[Vitals], object] = lambda vitals: None, *, until_loss: bool = False
) -> Account:
    """Run it. Files go to `folder`, which must be new or empty; `tell` hears of each interval.

    `until_loss` ends it at the first frame that the camera lost because it was not taken in time.
    """
    account = Account()
    camera = scripted.camera(
        [scripted.Steady(None, fps=plan.fps)],
        shape=(plan.size, plan.size),
        buffer=max(4, round(plan.fps * CAMERA_BUFFER_S)),
    )
    pipeline = Pipeline([Stage("spots", brightest(folder / "package"))])
    keep = max(64, round(plan.fps * KEEP_S))
    with (
        Recording(folder / "recording", pipeline, keep=keep, expected=plan.frames) as recording,
        Runtime(pipeline, admission=keep_newest(2), record=recording) as runtime,
    ):
        runtime.prepare(camera.spec())
        results = runtime.subscribe(block(4))
        gatherer = Gatherer()
        done = threading.Event()

        def feed() -> None:
            try:
                for frame in camera.frames(plan.frames):
                    start = now_ns()
                    runtime.submit(frame)
                    gatherer.submit_us.append((now_ns() - start) / 1e3)
                    if until_loss and camera.tally.lost:
                        break
            except Exception as error:  # whatever ends it is the finding
                account.error = repr(error)
            finally:
                done.set()

        def read() -> None:
            for result in results:
                gatherer.latency_ms.append(result.latency_ms)
                account.wrong_in_results += zlib.crc32(result.frame.pixels.data) != camera.crc(result.frame.id)

        threads = [threading.Thread(target=work, name=f"soak-{work.__name__}") for work in (feed, read)]
        for thread in threads:
            thread.start()
        check = _Check(recording.folder, camera)
        due = time.perf_counter() + plan.every_s

        def note() -> None:
            pids = {"acquisition": os.getpid(), "worker": runtime.worker_pid, "recorder": recording.sink.pid}
            account.vitals.append(
                gatherer.take(pids, runtime.ledger.counts, recording.raw_frames, len(check.seen) + check.done)
            )
            tell(account.vitals[-1])

        while not done.wait(LOOK_S):
            check.look()
            if time.perf_counter() >= due:
                due += plan.every_s
                note()
        runtime.drain(30)
        _until(lambda: recording.raw_frames >= runtime.ledger.submitted or bool(account.error), 60)
        check.look()
        note()
        results.close()
        threads[1].join()
        account.frames = runtime.ledger.submitted
        account.ledger = runtime.ledger.counts
        account.lost_by_camera = account.ledger["lost_upstream"]
        ended = sum(account.ledger.values()) - account.ledger["open"]
        account.unaccounted = abs(plan.frames + account.lost_by_camera - ended) + account.ledger["open"]
        account.wrong_on_disk = check.wrong
        account.unrecorded = account.frames - check.done - len(check.seen)
    return account


class _Check:
    """Holds the recorder's CRC-32 of each frame against the camera's; the window on the disk moves on meanwhile."""

    def __init__(self, folder: Path, camera: scripted.ScriptedCamera) -> None:
        self.wrong = 0
        self.done = 0
        self.seen: set[int] = set()
        self._folder = folder
        self._camera = camera

    def look(self) -> None:
        """Check the rows that are new. Rows come in order, so that one number says up to where all were seen."""
        columns: dict[str, list[Any]] = read_frames(self._folder).to_pydict()
        names = ("number", "run", "camera", "segment", "seq", "crc32")
        for number, run, camera, segment, seq, crc32 in zip(*(columns[name] for name in names), strict=True):
            if number >= self.done and number not in self.seen:
                self.seen.add(number)
                self.wrong += crc32 != self._camera.crc(FrameId(run, camera, segment, seq))
        while self.done in self.seen:
            self.seen.remove(self.done)
            self.done += 1


def _until(true: Callable[[], bool], seconds: float) -> None:
    end = time.perf_counter() + seconds
    while not true() and time.perf_counter() < end:
        time.sleep(0.05)
