"""Properties, configurations and pixel sizes of Python devices, kept by a core as MMCore keeps those of hardware.

Private parts of pymmcore_plus.experimental.unicore are used here and in `_core.py` (0.18.1 was read): `_pydevices`,
`_pycore`, `_state_cache`, `_py_config_groups`, `_callback_relay` and `_getSystemStateCache`.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from pymmcore import PropertySetting
from pymmcore_plus import CMMCorePlus
from pymmcore_plus.core import Configuration, Keyword
from pymmcore_plus.experimental.unicore import UniMMCore

from ._device import text
from ._errors import DeviceError

CORE = Keyword.CoreDevice.value
ROLES = {role: (f"get{role}Device", f"set{role}Device") for role in ("Camera", "Shutter", "Focus", "XYStage", "SLM")}
"""Properties of the device Core that name a device, and the methods of a core that read and set them."""


class SettingsCore(UniMMCore):
    """What pymmcore-plus 0.18 leaves out of the settings of Python devices, done as MMCore does it.

    Properties are text, in the cache and in the system's state too; the device Core tells which devices are chosen; the
    cache follows what was set by other means; configurations and pixel sizes that change with a property are told;
    a position's new label is taken over into the presets that name the old one; pixel-size configurations hold for
    Python devices.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.events.propertyChanged.connect(self._follow)

    def setCameraDevice(self, cameraLabel: str) -> None:
        self._choose("Camera", cameraLabel, super().setCameraDevice)

    def setShutterDevice(self, shutterLabel: str) -> None:
        self._choose("Shutter", shutterLabel, super().setShutterDevice)

    def setFocusDevice(self, focusLabel: str) -> None:
        self._choose("Focus", focusLabel, super().setFocusDevice)

    def setXYStageDevice(self, xyStageLabel: str) -> None:
        self._choose("XYStage", xyStageLabel, super().setXYStageDevice)

    def setSLMDevice(self, slmLabel: str) -> None:
        self._choose("SLM", slmLabel, super().setSLMDevice)

    def _choose(self, role: str, label: str, choose: Callable[[str], None]) -> None:
        if label and label not in self.getLoadedDevices():
            raise DeviceError(f"found no device {label!r} for {role}, expected a loaded one: load it first")
        python = label in self._pydevices
        if python:  # MMCore does not know it, and would tell that none is chosen
            self._callback_relay.register_property_emission(CORE, role, "")
        else:  # pymmcore-plus would keep the Python device that was chosen before
            self._pycore.set_current(Keyword(role), None)
        choose(label)
        if python:
            self.events.propertyChanged.emit(CORE, role, label)

    def getProperty(self, label: str, propName: str) -> str:
        if label == CORE and propName in ROLES:
            return str(getattr(self, ROLES[propName][0])())
        value = super().getProperty(label, propName)
        return text(value) if label in self._pydevices else value

    def getPropertyFromCache(self, deviceLabel: str, propName: str) -> str:
        known = (deviceLabel, propName) in self._state_cache
        if (deviceLabel == CORE and propName in ROLES) or (deviceLabel in self._pydevices and not known):
            return self.getProperty(deviceLabel, propName)
        return text(super().getPropertyFromCache(deviceLabel, propName))

    def setProperty(self, label: str, propName: str, propValue: bool | float | int | str) -> None:
        if label == CORE and propName in ROLES:
            getattr(self, ROLES[propName][1])(str(propValue))
            return
        super().setProperty(label, propName, propValue)
        if label in self._pydevices:
            self.getProperty(label, propName)  # the cache takes the device's words for it

    def setExposure(self, *args: Any) -> None:
        super().setExposure(*args)
        camera = args[0] if len(args) == 2 else self.getCameraDevice()
        if camera in self._pydevices:
            self.getProperty(camera, Keyword.Exposure.value)

    def defineStateLabel(self, stateDeviceLabel: str, state: int, label: str) -> None:
        device, name = stateDeviceLabel, Keyword.Label.value
        before = self.getStateLabels(device) if device in self._pydevices else ()
        super().defineStateLabel(device, state, label)
        if not before:
            return
        old = before[state]
        for presets in self._py_config_groups.values():
            for settings in presets.values():
                if settings.get((device, name)) == old:
                    settings[(device, name)] = label
        for size in self.getAvailablePixelSizeConfigs():
            if any(setting == (device, name, old) for setting in self.getPixelSizeConfigData(size)):
                self.definePixelSizeConfig(size, device, name, label)
        self.getProperty(device, name)

    def saveSystemState(self, fileName: str) -> None:
        """Write every property that can be set, as lines `Property,device,name,value`."""
        state: Any = self.getSystemState()
        lines = [f"Property,{','.join(one)}\n" for one in state if one[2] and self._settable(*one[:2])]
        Path(fileName).write_text("".join(lines), encoding="utf-8")

    def loadSystemState(self, fileName: str) -> None:
        """Set the properties of such a file. Raises DeviceError for a line of another kind."""
        for line in Path(fileName).read_text(encoding="utf-8").splitlines():
            word, *setting = line.split(",", 3)
            if word != "Property" or len(setting) != 3:
                raise DeviceError(
                    f"found the line {line!r} in {fileName}, expected Property,device,name,value: mend it"
                )
            device, name, value = setting
            if value and self._settable(device, name) and self.getProperty(device, name) != value:
                self.setProperty(device, name, value)

    def _settable(self, device: str, name: str) -> bool:
        loads = (device, name) == (CORE, Keyword.CoreInitialize.value)  # setting it unloads everything
        return not loads and not self.isPropertyReadOnly(device, name)

    def getCurrentPixelSizeConfig(self, cached: bool = False) -> Any:
        """The first pixel-size configuration whose settings all hold; empty for none."""
        get = self.getPropertyFromCache if cached else self.getProperty
        for name in self.getAvailablePixelSizeConfigs():
            settings = self.getPixelSizeConfigData(name)
            if all(text(get(device, prop)) == value for device, prop, value in settings):
                return str(name)
        return ""

    def getPixelSizeUm(self, cached: bool = False) -> float:
        """Side of a pixel of the image in the sample, binning included, in um; 0 when no configuration holds."""
        name = self.getCurrentPixelSizeConfig(cached)
        return self.getPixelSizeUmByID(name) * self._pixel_factor() if name else 0.0

    def getPixelSizeAffine(self, cached: bool = False) -> Any:
        """Pixels to um of the stage, as (xx, xy, x, yx, yy, y); zeros when no configuration holds."""
        name = self.getCurrentPixelSizeConfig(cached)
        by = self._pixel_factor()
        return tuple(value * by for value in self.getPixelSizeAffineByID(name)) if name else (0.0,) * 6

    def _pixel_factor(self) -> float:
        camera = self.getCameraDevice()
        binned = bool(camera) and self.hasProperty(camera, Keyword.Binning.value)
        binning = self.getProperty(camera, Keyword.Binning.value).split("x")[0] if binned else "1"
        return float(binning) / self.getMagnificationFactor()

    def _getSystemStateCache(self, cache: bool, native: bool = False) -> Any:
        plain = CMMCorePlus.getSystemStateCache if cache else CMMCorePlus.getSystemState
        get = self.getPropertyFromCache if cache else self.getProperty
        state: Any = plain(self, native=True)
        for role in ROLES:
            state.addSetting(PropertySetting(CORE, role, get(CORE, role)))
        for label in self._pydevices:
            for name in self.getDevicePropertyNames(label):
                read_only = self.isPropertyReadOnly(label, name)
                state.addSetting(PropertySetting(label, name, get(label, name), read_only))
        return state if native else Configuration.from_configuration(state)

    def _follow(self, device: str, prop: str, value: str) -> None:
        """A property has changed, by whomever: the cache knows it, and what depends on it is told."""
        if device not in self._pydevices:
            return
        self._state_cache[(device, prop)] = value
        for group, presets in list(self._py_config_groups.items()):
            if any((device, prop) in settings for settings in presets.values()):
                self.events.configGroupChanged.emit(group, self.getCurrentConfigFromCache(group))
        sizes = [self.getPixelSizeConfigData(name) for name in self.getAvailablePixelSizeConfigs()]
        if any(device == one[0] and prop == one[1] for size in sizes for one in size):
            self.events.pixelSizeChanged.emit(self.getPixelSizeUm(True))
            self.events.pixelSizeAffineChanged.emit(*self.getPixelSizeAffine(True))
