"""The two ways of acquiring: pycro-manager with its Python core, and pymmcore-plus."""

from __future__ import annotations

import contextlib
import io
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from onscope.drivers import micromanager
from onscope.runtime.hooks._attach import attached

from ._job import Job

Hook = Callable[[Any, Any], Any]
PROPERTIES = {"PixelType": "16bit", "BitDepth": "16", "Binning": "1", "Mode": "Noise", "FastImage": "0"}
FAST = "FastImage"
"""The camera then shows its last image again and again: making images is no part of what is measured."""


def acquire(job: Job, folder: Path, hook: Hook) -> tuple[str, int, float]:
    """(what ended it early, frames on the disk, seconds) of the job's acquisition with the hook in it."""
    return (_pycro_manager if job.driver == "pycro-manager" else _pymmcore_plus)(job, folder, hook)


def _pycro_manager(job: Job, folder: Path, hook: Hook) -> tuple[str, int, float]:
    from ndstorage import Dataset
    from pycromanager import Acquisition, multi_d_acquisition_events

    error = ""
    with micromanager.demo(size=job.size, buffer_mb=job.buffer_mb) as scope:
        scope.core.set_exposure(job.exposure_ms)
        for name, value in PROPERTIES.items():
            scope.set(scope.core.get_camera_device(), name, value)
        scope.core.snap_image()  # type: ignore[attr-defined]
        scope.set(scope.core.get_camera_device(), FAST, "1")
        began = time.perf_counter()
        try:
            with Acquisition(directory=str(folder), name="acquired", image_process_fn=hook) as acquisition:
                acquisition.acquire(multi_d_acquisition_events(num_time_points=job.frames, time_interval_s=0))
        except Exception as raised:  # pycro-manager raises bare Exceptions of its own
            error = _line(raised)
        seconds = time.perf_counter() - began
    with contextlib.redirect_stdout(io.StringIO()):  # it prints its progress
        dataset = Dataset(str(folder / "acquired_1"))
        saved = len(dataset.get_image_coordinates_list())
        dataset.close()
    return error, saved, seconds


def _pymmcore_plus(job: Job, folder: Path, hook: Hook) -> tuple[str, int, float]:
    import useq
    from mm_test_adapters import device_adapter_path
    from pymmcore_plus import CMMCorePlus

    core = CMMCorePlus()
    core.setDeviceAdapterSearchPaths([str(device_adapter_path())])
    core.loadSystemConfiguration(str(Path(device_adapter_path(), "MMConfig_demo.cfg")))
    core.setCircularBufferMemoryFootprint(job.buffer_mb)
    sides = {f"OnCameraCCD{axis}Size": str(job.size) for axis in "XY"}
    for name, value in {**PROPERTIES, **sides}.items():
        core.setProperty(core.getCameraDevice(), name, value)
    core.snapImage()
    core.setProperty(core.getCameraDevice(), FAST, "1")
    core.setExposure(job.exposure_ms)
    sequence = useq.MDASequence.model_validate({"time_plan": {"interval": 0, "loops": job.frames}})
    target = folder / "acquired.ome.zarr"
    error = ""
    began = time.perf_counter()
    try:
        with attached(core, lambda image, tags, event, meta: hook(image, tags)):
            core.mda.run(sequence, output=str(target))
    except Exception as raised:  # whatever the engine or a handler raises ends the acquisition: that is the result
        error = _line(raised)
    seconds = time.perf_counter() - began
    saved = sum(1 for path in target.glob("0/c/**/*") if path.is_file())
    return error, saved, seconds


def _line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[-1][:120]
