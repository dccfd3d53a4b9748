"""Noise-free frames of Micro-Manager's own demo camera, for the evaluation."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt


def demo_camera_frames(count: int, *, step_um: float = 97.0) -> list[npt.NDArray[Any]]:
    """`count` frames of `Fluorescent Beads`, uint16 (512, 512), the stage moved by `step_um` between them.

    Needs pymmcore and mm-test-adapters (the extra `micromanager`); raises ImportError without them.
    """
    import pymmcore
    from mm_test_adapters import device_adapter_path

    core = pymmcore.CMMCore()
    core.setDeviceAdapterSearchPaths([str(device_adapter_path())])
    for label, device in (("Camera", "DCam"), ("XY", "DXYStage")):
        core.loadDevice(label, "DemoCamera", device)
    core.initializeAllDevices()
    core.setCameraDevice("Camera")
    core.setXYStageDevice("XY")
    core.setProperty("Camera", "PixelType", "16bit")
    core.setProperty("Camera", "Mode", "Fluorescent Beads")
    frames = []
    for index in range(count):
        core.setXYPosition(index * step_um, index * step_um / 3)
        core.waitForDevice("XY")
        core.snapImage()
        frames.append(np.array(core.getImage(), dtype=np.uint16))
    core.unloadAllDevices()
    return frames
