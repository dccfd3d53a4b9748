"""A pycro-manager acquisition of the demo camera, with any hook: what the camera gave, what was saved, how it ended."""

from __future__ import annotations

import contextlib
import io
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from onscope.drivers import micromanager

Hook = Callable[[Any, Any], Any]
DISTINCT = {"Mode": "Noise"}
"""No two frames are equal. (Not by DropPixels: the demo camera then writes beside its image and ruins the heap.)"""


@dataclass
class Acquired:
    """CRC-32 of each image by time point: as the hook was given it, and as it lies on the disk afterwards."""

    given: dict[int, int] = field(default_factory=dict)
    saved: dict[int, int] = field(default_factory=dict)
    error: Exception | None = None


def acquire(
    folder: Path, n: int, hook: Hook, *, exposure_ms: float = 10.0, buffer_mb: int = 64, size: int = 512
) -> Acquired:
    """Run an Acquisition of `n` time points without pause, with `hook` as its image_process_fn, saved in `folder`.

    The demo camera shows noise, so that no two frames are equal. An exception that ends the
    acquisition is returned, not raised; what was saved by then is read back from the disk.
    """
    from ndstorage import Dataset
    from pycromanager import Acquisition, multi_d_acquisition_events

    result = Acquired()

    def seen(image: Any, metadata: Any) -> Any:
        result.given[metadata["Axes"]["time"]] = checksum(image)
        return hook(image, metadata)

    with micromanager.demo(size=size, buffer_mb=buffer_mb) as scope:
        scope.core.set_exposure(exposure_ms)
        for name, value in DISTINCT.items():
            scope.set(scope.core.get_camera_device(), name, value)
        try:
            with Acquisition(directory=str(folder), name="acquired", image_process_fn=seen) as acquisition:
                acquisition.acquire(multi_d_acquisition_events(num_time_points=n, time_interval_s=0))
        except Exception as error:  # pycro-manager raises bare Exceptions of its own
            result.error = error
    with contextlib.redirect_stdout(io.StringIO()):  # it prints its progress
        dataset = Dataset(str(folder / "acquired_1"))
        for axes in dataset.get_image_coordinates_list():
            result.saved[axes["time"]] = checksum(dataset.read_image(**axes))
        dataset.close()
    return result


def checksum(image: Any) -> int:
    return zlib.crc32(np.ascontiguousarray(image).tobytes())
