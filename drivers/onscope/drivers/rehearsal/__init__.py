"""A specimen under a virtual microscope: feedback is rehearsed on it, faster than real time and the same each time.

microscope = VirtualMicroscope(read_scenario("rare-event"), seed=3, hours=6)
while (shot := microscope.next()) is not None:              # routine frames, at their times
    ...
    microscope.apply(Burst(10, interval_ms=500))            # its light bleaches and harms
    for shot in microscope.taken(): ...
"""

from __future__ import annotations

from ._microscope import VirtualMicroscope
from ._open import specimen
from ._recorded import FrameTruth, truth_beside
from ._times import DeviceTimes

__all__ = ["DeviceTimes", "FrameTruth", "VirtualMicroscope", "specimen", "truth_beside"]
