"""A camera that plays a script: rates, bursts, pauses, losses, changes and failures, the same each time.

script = [scripted.Steady(200, fps=1000, jitter=0.2), scripted.Drop(7), scripted.Change(shape=(256, 256)),
          scripted.Burst(50), scripted.Fail("unplugged")]
camera = scripted.camera(script, shape=(512, 512))
for frame in camera.frames():
    assert zlib.crc32(frame.pixels) == camera.crc(frame.id)
"""

from __future__ import annotations

from ._camera import ScriptedCamera, camera
from ._cameras import ScriptedCameras, cameras
from ._clock import Clock
from ._file import source
from ._play import Tally
from ._steps import Burst, Change, Drop, Fail, Move, Pause, Restart, Steady, Step

__all__ = [
    "Burst",
    "Change",
    "Clock",
    "Drop",
    "Fail",
    "Move",
    "Pause",
    "Restart",
    "ScriptedCamera",
    "ScriptedCameras",
    "Steady",
    "Step",
    "Tally",
    "camera",
    "cameras",
    "source",
]
