"""A microscope with a specimen on it, mounted as real devices in a Micro-Manager core of this process.

with specimen.open(scene) as scope:                  # a Scope of onscope.drivers.micromanager
    for frame in scope.live(exposure_ms=20).frames(100):
        ...
    scope.mmc.run_mda(sequence)                      # pymmcore-plus and useq see the same devices,
    Acquisition(...)                                 # and so does pycro-manager

Anything that follows `Scene` can lie under the objective: `Living` brings the samples and optics of onscope.specimen,
`FieldOfBeads` is the plainest.
"""

# ruff: noqa: E402

from __future__ import annotations

from ..micromanager._core import need
from ..micromanager._versions import check_version

need("pymmcore_plus")  # asked for by the modules below: one sentence instead of their ImportError
check_version("pymmcore-plus")

from ._bench import Bench
from ._clock import Clock, PatientClock, RealClock
from ._core import SpecimenCore
from ._errors import DeviceError
from ._field_of_beads import Dye, FieldOfBeads
from ._from_scenario import ScenarioScope, from_scenario
from ._hardware import Axis, CameraModel, Channel, Filter, Hardware, LightSource, Objective, SlmModel
from ._journal import Command
from ._keeper import TruthKeeper, keep_truth
from ._living import Living, Seen
from ._mount import SpecimenScope, mount
from ._mount import open_specimen as open
from ._open import source
from ._scene import Beam, Projection, Readout, Scene, Shot
from ._source import SpecimenSource
from ._stand import Stand

__all__ = [
    "Axis",
    "Beam",
    "Bench",
    "CameraModel",
    "Channel",
    "Clock",
    "Command",
    "DeviceError",
    "Dye",
    "FieldOfBeads",
    "Filter",
    "Hardware",
    "LightSource",
    "Living",
    "Objective",
    "PatientClock",
    "Projection",
    "Readout",
    "RealClock",
    "ScenarioScope",
    "Scene",
    "Seen",
    "Shot",
    "SlmModel",
    "SpecimenCore",
    "SpecimenScope",
    "SpecimenSource",
    "Stand",
    "TruthKeeper",
    "from_scenario",
    "keep_truth",
    "mount",
    "open",
    "source",
]
