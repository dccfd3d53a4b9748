"""The process that acquires: `python -m benchmarks.hooks._acquire HOOK '{"size": 512, ...}'`, one JSON line at the end.

The worker is suspended with two windows in hand, so that all other frames are skipped and accounted for.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from tests.models import plus_one

from onscope.drivers import micromanager
from onscope.runtime import FrameSpec, Pipeline, Runtime, Stage, keep_newest, now_ns
from onscope.runtime._shm import SharedSlots
from onscope.runtime.hooks._attach import tags_of
from onscope.runtime.hooks._saved import read_saved

from .._rows import spread
from ..acquire._cameras import FAST, PROPERTIES
from ._plan import Case

WARM_UPS = 40
SLOTS = 3
"""Of the plain copies: as many as `keep_newest(2)` goes round in, two that wait and one that is being filled."""
PATIENCE_S = 3600.0
"""The model hangs on purpose: no watchdog may end it."""


class Turns:
    """Microseconds of our hook and of the plain one, which have their turns frame by frame."""

    def __init__(self, case: Case) -> None:
        spec = FrameSpec((case.size, case.size), "uint16", camera="Camera")
        self.slots = SharedSlots.create(spec.nbytes, SLOTS)
        self._views = [self.slots.view(slot, spec.shape, spec.dtype) for slot in range(SLOTS)]
        self._times: dict[bool, list[float]] = {True: [], False: []}
        self._seen = 0

    def take(self, ours: Callable[[int], object], image: Callable[[], Any]) -> None:
        """Call `ours(number of our frame)`, or copy `image()`."""
        self._seen += 1
        mine = bool(self._seen % 2)
        start = now_ns()
        if mine:
            ours(self._seen // 2)
        else:
            np.copyto(self._views[self._seen // 2 % SLOTS], image())
        self._times[mine].append((now_ns() - start) / 1e3)

    def summary(self) -> dict[str, Any]:
        self._views.clear()
        self.slots.close()
        ours, plain = (self._times[mine][WARM_UPS // 2 :] for mine in (True, False))
        return {"frames": self._seen, "hook_us": spread(ours), "copy_us": spread(plain)}


def attach(case: Case, folder: Path, runtime: Runtime, turns: Turns) -> None:
    """In the handler of `frameReady`, hardware-sequenced: all that `Runtime.attach` does with a frame."""
    import useq
    from mm_test_adapters import device_adapter_path
    from pymmcore_plus import CMMCorePlus

    core = CMMCorePlus()
    core.loadSystemConfiguration(str(Path(device_adapter_path(), "MMConfig_demo.cfg")))
    core.setCircularBufferMemoryFootprint(case.buffer_mb)
    sides = {f"OnCameraCCD{axis}Size": str(case.size) for axis in "XY"}
    for name, value in {**PROPERTIES, **sides}.items():
        core.setProperty("Camera", name, value)
    core.snapImage()
    core.setProperty("Camera", FAST, "1")
    core.setExposure(case.exposure_ms)

    def taken(image: Any, event: Any, meta: Any) -> None:
        def ours(number: int) -> None:
            tags = tags_of(event, meta)
            tags["ImageNumber"] = str(number)  # as if there were no others: missing frames are work for the account
            runtime._hooked.take(image, tags, event, meta)

        turns.take(ours, lambda: image)

    core.mda.events.frameReady.connect(taken)
    sequence = useq.MDASequence.model_validate({"time_plan": {"interval": 0, "loops": case.frames}})
    core.mda.run(sequence, output=str(folder / "raw.ome.zarr"))


def image_process_fn(case: Case, folder: Path, runtime: Runtime, turns: Turns) -> None:
    """In pycro-manager's processor thread."""

    def hook(image: Any, metadata: Any) -> Any:
        def ours(number: int) -> None:
            runtime.image_process_fn(image, {**metadata, "ImageNumber": str(number)})

        turns.take(ours, lambda: image)
        return image, metadata

    _pycro_manager(case, folder, image_process_fn=hook)


def image_saved_fn(case: Case, folder: Path, runtime: Runtime, turns: Turns) -> None:
    """In pycro-manager's thread for saved images; both read the image from the data set."""

    def hook(axes: Any, dataset: Any) -> None:
        def ours(number: int) -> None:
            image, tags = read_saved(dataset, axes)
            runtime._hooked.take(image, {**tags, "Axes": dict(axes), "ImageNumber": str(number)})

        turns.take(ours, lambda: dataset.read_image(**axes))

    _pycro_manager(case, folder, image_saved_fn=hook)


def _pycro_manager(case: Case, folder: Path, **hook: Any) -> None:
    from pycromanager import Acquisition, multi_d_acquisition_events

    with micromanager.demo(size=case.size, buffer_mb=case.buffer_mb) as scope:
        camera = scope.core.get_camera_device()
        scope.core.set_exposure(case.exposure_ms)
        for name, value in PROPERTIES.items():
            scope.set(camera, name, value)
        scope.core.snap_image()  # type: ignore[attr-defined]
        scope.set(camera, FAST, "1")
        with Acquisition(str(folder), "raw", **hook) as acquisition:
            acquisition.acquire(multi_d_acquisition_events(num_time_points=case.frames, time_interval_s=0))


HOOKS = {"attach": attach, "image_process_fn": image_process_fn, "image_saved_fn": image_saved_fn}


def main() -> None:
    case = Case(**json.loads(sys.argv[2]))
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        pipeline = Pipeline([Stage("plus", plus_one(folder / "plus"))])
        with Runtime(pipeline, admission=keep_newest(2), patience_s=PATIENCE_S) as runtime:
            runtime.prepare(FrameSpec((case.size, case.size), "uint16", camera="Camera"))
            turns, worker = Turns(case), psutil.Process(runtime.worker_pid)
            worker.suspend()
            began = time.perf_counter()
            try:
                HOOKS[sys.argv[1]](case, folder, runtime, turns)
            finally:
                ledger = runtime.ledger.counts
                worker.resume()
            found = {**turns.summary(), "seconds": round(time.perf_counter() - began, 2), "ledger": ledger}
        print(json.dumps(found), flush=True)
    os._exit(0)  # what is left of a core does not always end by itself


if __name__ == "__main__":
    main()
