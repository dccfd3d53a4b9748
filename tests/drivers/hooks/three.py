"""One acquisition by three hooks: stacks of the demo camera's still and noise-free beads, the same pixels each time.

As a program, `three.py HOOK FOLDER` sends itself Ctrl-C at the fifth frame, and tells what became of the frames.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from onscope.drivers import micromanager
from onscope.runtime import Pipeline, Runtime, Stage, block
from tests.models import plus_one

HOOKS = ("attach", "image_process_fn", "image_saved_fn")
LOOPS, PLANES, SIZE = 5, 3, 64
FRAMES = LOOPS * PLANES
BEADS = {"PixelType": "16bit", "BitDepth": "16", "Binning": "1", "Mode": "Fluorescent Beads"}
Before = Callable[[], object]


def acquire(hook: str, it: Runtime, folder: Path, before: Before = lambda: None) -> None:
    """Acquire with one of `HOOKS`; `before` is called in the hook's thread ahead of every frame."""
    if hook == "attach":
        _attached(it, folder, before)
        return

    def called(*given: Any) -> Any:
        before()
        return getattr(it, hook)(*given)

    from pycromanager import Acquisition, multi_d_acquisition_events

    # pycro-manager looks at how many arguments a hook takes.
    taken = {"image_process_fn": lambda image, tags: called(image, tags)}
    taken |= {"image_saved_fn": lambda axes, dataset: called(axes, dataset)}
    with micromanager.demo(size=SIZE, buffer_mb=16) as scope:
        scope.core.set_exposure(2.0)
        with Acquisition(str(folder), "raw", **{hook: taken[hook]}) as acquisition:
            acquisition.acquire(
                multi_d_acquisition_events(
                    num_time_points=LOOPS, time_interval_s=0, z_start=0, z_end=PLANES - 1, z_step=1, order="tz"
                )
            )


def _attached(it: Runtime, folder: Path, before: Before) -> None:
    import useq
    from mm_test_adapters import device_adapter_path
    from pymmcore_plus import CMMCorePlus

    core = CMMCorePlus()
    core.loadSystemConfiguration(Path(device_adapter_path(), "MMConfig_demo.cfg"))
    for name, value in {**BEADS, "OnCameraCCDXSize": str(SIZE), "OnCameraCCDYSize": str(SIZE)}.items():
        core.setProperty("Camera", name, value)
    core.setExposure(2.0)
    stack = {"bottom": 0, "top": PLANES - 1, "step": 1}
    plan = useq.MDASequence.model_validate({"time_plan": {"interval": 0, "loops": LOOPS}, "z_plan": stack})
    core.mda.events.frameReady.connect(lambda *told: before())
    try:
        with it.attach(core):
            core.mda.run(plan, output=str(folder / "raw.ome.zarr"))
    finally:
        core.unloadAllDevices()


def interrupted(hook: str, folder: Path) -> dict[str, Any]:
    """The same, with Ctrl-C at the fifth frame; what became of the frames when all is closed."""
    frames, given = 0, 0

    def before() -> None:
        nonlocal frames
        frames += 1
        if frames == 5:
            os.kill(os.getpid(), signal.SIGINT)

    ended = "in order"
    pipeline = Pipeline([Stage("plus", plus_one(folder / "plus"))])
    with Runtime(pipeline, admission=block(4)) as it:
        results = it.subscribe(block(FRAMES))
        try:
            acquire(hook, it, folder, before)
        except KeyboardInterrupt:
            ended = "interrupted"
        it.drain(20)
        results.close()
        for result in results:
            given += int(np.array_equal(result["plus"], result.frame.pixels + 1))
    reasons, counts = it.ledger.reasons, it.ledger.counts
    return {
        "ended": ended,
        "seen": frames,
        "submitted": it.ledger.submitted,
        "adds_up": it.ledger.adds_up(),
        "right": given == counts["done"],
        "reasons": reasons,
    }


if __name__ == "__main__":
    print(json.dumps(interrupted(sys.argv[1], Path(sys.argv[2]))), flush=True)
    os._exit(0)  # threads of pycro-manager may wait for an acquisition that was left
