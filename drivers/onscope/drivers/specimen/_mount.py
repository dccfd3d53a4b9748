"""A microscope with a specimen on it, in a Micro-Manager core of this process."""

from __future__ import annotations

from ..micromanager import Scope
from ..micromanager._core import adapter_path, check_buffer
from ._bench import Bench
from ._clock import Clock
from ._core import SpecimenCore
from ._hardware import Hardware
from ._pycromanager import lend, take_back
from ._scene import Scene
from ._setup import load

BUFFER_MB = 256


def mount(
    scene: Scene,
    *,
    hardware: Hardware | None = None,
    clock: Clock | None = None,
    lapse: float = 1.0,
    buffer_mb: int = BUFFER_MB,
) -> SpecimenCore:
    """A pymmcore-plus core in which `scene` lies under a microscope: devices loaded, configuration groups defined.

    `hardware` describes the microscope (None: an inverted stand with a 2048 x 2048 sCMOS camera); `clock` is the time
    its devices live in (None: real time; `PatientClock()`: as fast as the computer can); the sample lives `lapse` times
    as fast as the clock; `buffer_mb` is the core's image buffer. `mmc.bench.journal` tells every command in its order.
    Call `unloadAllDevices()` at the end. Raises SourceError when Micro-Manager's packages are not installed.
    """
    bench = Bench(scene, hardware or Hardware(), clock, lapse)
    core = SpecimenCore(bench, adapter_path(), check_buffer(buffer_mb))
    load(core, bench)
    return core


class SpecimenScope(Scope):
    """A scope of onscope.drivers.micromanager; `mmc` is the pymmcore-plus core, `bench` where the devices stand."""

    def __init__(self, mmc: SpecimenCore) -> None:
        self.mmc, self.bench = mmc, mmc.bench
        super().__init__(lend(mmc), stop=take_back)


def open_specimen(
    scene: Scene,
    *,
    hardware: Hardware | None = None,
    clock: Clock | None = None,
    lapse: float = 1.0,
    buffer_mb: int = BUFFER_MB,
) -> SpecimenScope:
    """As `mount`, as a Scope: a context manager that unloads all devices at the end.

    Inside the `with` block `scope.live()` gives frames, `pycromanager.Core()` and `pycromanager.Acquisition` find the
    microscope, and `scope.mmc.run_mda(...)` runs pymmcore-plus' acquisitions on it. Raises SourceError when another
    core runs in this process.
    """
    mmc = mount(scene, hardware=hardware, clock=clock, lapse=lapse, buffer_mb=buffer_mb)
    try:
        return SpecimenScope(mmc)
    except BaseException:
        mmc.unloadAllDevices()
        raise
