"""What a hook costs inside an acquisition: handing over to a stalled model, and a plain copy, turn by turn."""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from tests.models import plus_one

from onscope.runtime import FrameSpec, Pipeline, Runtime, Stage, keep_newest, now_ns
from onscope.runtime._shm import SharedSlots

from .._rows import spread
from ._cameras import Hook
from ._job import Job

WARM_UPS = 40
PATIENCE_S = 3600.0
"""The model hangs on purpose: no watchdog may end it."""
SLOTS = 3
"""Of the plain copies: as many as `keep_newest(2)` goes round in, two that wait and one that is being filled."""
INTERVALS_S = (0.005, 0.001, 0.0005, 0.0001, 0.00005)
TURN = 10
"""Frames under one switch interval before the next one has its turn."""


@contextmanager
def copies(job: Job, folder: Path, found: dict[str, Any]) -> Iterator[Hook]:
    """Every other frame goes to `Runtime.image_process_fn`, the ones between into slots of the same kind."""
    spec = FrameSpec((job.size, job.size), "uint16", camera="Camera")
    slots = SharedSlots.create(spec.nbytes, SLOTS)
    views = [slots.view(slot, spec.shape, spec.dtype) for slot in range(SLOTS)]
    ours: list[float] = []
    plain: list[float] = []
    seen = 0
    with _stalled(job, folder) as runtime:

        def hook(image: Any, metadata: Mapping[str, Any]) -> Any:
            nonlocal seen
            seen += 1
            if seen % 2:
                # Numbered as if there were no others: frames that are missing would be more work for the account.
                tags = {**metadata, "ImageNumber": str(seen // 2)}
                start = now_ns()
                runtime.image_process_fn(image, tags)
                ours.append((now_ns() - start) / 1e3)
            else:
                start = now_ns()
                np.copyto(views[seen // 2 % SLOTS], image)
                plain.append((now_ns() - start) / 1e3)
            return image, metadata

        yield hook
        found.update(hook_us=spread(ours[WARM_UPS // 2 :]), copy_us=spread(plain[WARM_UPS // 2 :]))
        found.update(ledger=runtime.ledger.counts)
    views.clear()
    slots.close()


@contextmanager
def turns(job: Job, folder: Path, found: dict[str, Any]) -> Iterator[Hook]:
    """The hook's time under each of `INTERVALS_S`, in turns of some frames."""
    times: dict[float, list[float]] = defaultdict(list)
    before = sys.getswitchinterval()
    seen = 0
    with _stalled(job, folder) as runtime:

        def hook(image: Any, metadata: Mapping[str, Any]) -> Any:
            nonlocal seen
            interval = INTERVALS_S[seen // TURN % len(INTERVALS_S)]
            if seen % TURN == 0:
                sys.setswitchinterval(interval)
            seen += 1
            tags = dict(metadata)
            start = now_ns()
            runtime.image_process_fn(image, tags)
            if seen > WARM_UPS:
                times[interval].append((now_ns() - start) / 1e3)
            return image, metadata

        try:
            yield hook
        finally:
            sys.setswitchinterval(before)
        found.update(hook_us={f"{interval * 1e3:g}": times[interval] for interval in INTERVALS_S})


@contextmanager
def _stalled(job: Job, folder: Path) -> Iterator[Runtime]:
    """A runtime whose model hangs: two windows are with it for good, the rest is skipped."""
    pipeline = Pipeline([Stage("plus", plus_one(folder / "plus"))])
    with Runtime(pipeline, admission=keep_newest(2), patience_s=PATIENCE_S) as runtime:
        runtime.prepare(FrameSpec((job.size, job.size), "uint16", camera="Camera"))
        worker = psutil.Process(runtime.worker_pid)
        worker.suspend()
        try:
            yield runtime
        finally:
            worker.resume()
