"""The devices by the names that a configuration file gives them."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ._bench import Bench
from ._camera import Camera
from ._device import OnBench
from ._errors import DeviceError
from ._slm import Slm
from ._stages import FocusDrive, XYStage
from ._switches import FilterWheel, Light, ObjectiveTurret, Shutter

LIBRARY = "onscope.drivers.specimen"
"""Where a configuration file finds the devices (a device adapter's name, for hardware)."""
DEVICES: Mapping[str, Callable[[Bench], OnBench]] = {
    each.name(): each for each in (Camera, XYStage, FocusDrive, Shutter, FilterWheel, ObjectiveTurret, Slm)
}


def made(bench: Bench, label: str, name: str) -> OnBench:
    """A device of that name on the bench. A light is the hardware's source of its label.

    Raises DeviceError when there is no such device, or no such source.
    """
    if name in DEVICES:
        return DEVICES[name](bench)
    sources = {source.label: source for source in bench.hardware.lights}
    if name != Light.name():
        known = ", ".join([*DEVICES, Light.name()])
        raise DeviceError(f"found the device {name!r} of {LIBRARY}, expected one of {known}: name one that is there")
    if label not in sources:
        raise DeviceError(
            f"found the light {label!r}, expected one of {', '.join(sources)}: label it as the hardware's source"
        )
    return Light(bench, sources[label])
