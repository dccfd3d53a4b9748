"""The devices of a microscope in a core, with the configuration that a hardware wizard would write for them."""

from __future__ import annotations

from pymmcore_plus.core import Keyword

from ._bench import Bench
from ._camera import Camera
from ._catalogue import LIBRARY
from ._core import SpecimenCore
from ._device import OnBench
from ._hardware import Channel, Hardware
from ._slm import Slm
from ._stages import FocusDrive, XYStage
from ._switches import FilterWheel, Light, ObjectiveTurret, Shutter

CAMERA, XY, FOCUS, SHUTTER, SLM = "Camera", "XY", "Focus", "Shutter", "SLM"
"""Labels of the devices; the light sources bear those of the hardware's description."""
WHEEL, TURRET = "Emission", "Objective"
CHANNEL_GROUP, OBJECTIVE_GROUP, SYSTEM_GROUP, STARTUP = "Channel", "Objective", "System", "Startup"


def load(core: SpecimenCore, bench: Bench) -> None:
    """Load, initialise and choose all devices; define groups and pixel sizes; apply System/Startup."""
    hardware = bench.hardware
    devices: dict[str, type[OnBench]] = {
        CAMERA: Camera,
        XY: XYStage,
        FOCUS: FocusDrive,
        SHUTTER: Shutter,
        WHEEL: FilterWheel,
        TURRET: ObjectiveTurret,
        SLM: Slm,
        **{source.label: Light for source in hardware.lights},
    }
    for label, device in devices.items():
        core.loadDevice(label, LIBRARY, device.name())
    core.initializeAllDevices()
    core.setCameraDevice(CAMERA)
    core.setXYStageDevice(XY)
    core.setFocusDevice(FOCUS)
    core.setShutterDevice(SHUTTER)
    core.setSLMDevice(SLM)
    core.setAutoShutter(True)
    _define(core, hardware)
    core.updateSystemStateCache()
    core.setConfig(SYSTEM_GROUP, STARTUP)
    core.waitForSystem()
    core.updateSystemStateCache()


def _define(core: SpecimenCore, hardware: Hardware) -> None:
    label = Keyword.Label.value
    for objective in hardware.objectives:
        core.defineConfig(OBJECTIVE_GROUP, objective.label, TURRET, label, objective.label)
        pixel_um = hardware.pixel_um(objective)
        core.definePixelSizeConfig(f"Res {objective.label}", TURRET, label, objective.label)
        core.setPixelSizeUm(f"Res {objective.label}", pixel_um)
        core.setPixelSizeAffine(f"Res {objective.label}", [pixel_um, 0.0, 0.0, 0.0, pixel_um, 0.0])
    for channel in hardware.channels:
        for device, name, value in channel_settings(hardware, channel):
            core.defineConfig(CHANNEL_GROUP, channel.name, device, name, value)
    core.setChannelGroup(CHANNEL_GROUP)
    first = next(channel for channel in hardware.channels if channel.name == hardware.start_channel)
    startup = [
        (Keyword.CoreDevice.value, Keyword.CoreChannelGroup.value, CHANNEL_GROUP),
        (CAMERA, Keyword.Binning.value, "1"),
        (CAMERA, Keyword.PixelType.value, "16bit"),
        (TURRET, label, hardware.start_objective),
        *channel_settings(hardware, first),
    ]
    for device, name, value in startup:
        core.defineConfig(SYSTEM_GROUP, STARTUP, device, name, value)


def channel_settings(hardware: Hardware, channel: Channel) -> list[tuple[str, str, str]]:
    """(device, property, value) of a preset of the group Channel: what is off first, then what is on, then the
    filter."""
    state = Keyword.State.value
    off = [(source.label, state, "0") for source in hardware.lights if source.label not in channel.power_mw]
    on = [(name, "Power_mW", f"{power:g}") for name, power in channel.power_mw.items()]
    on += [(name, state, "1") for name in channel.power_mw]
    return [*off, *on, (WHEEL, Keyword.Label.value, channel.filter)]
