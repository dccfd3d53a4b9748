"""What the devices can do, as they and the calibration tell."""

from __future__ import annotations

from contextlib import suppress
from types import MappingProxyType

from onscope.runtime.feedback import Limits, Range

from ._calibration import Calibration
from ._core import Steerable


def device_limits(core: Steerable, calibration: Calibration) -> Limits:
    """Ranges that properties and the calibration tell, the narrower of both; None where neither does."""
    stages, camera = calibration.stages, str(core.get_camera_device())
    powers = {}
    for name, light in calibration.lights.items():
        told = _range(core, light.device, light.property)
        most = light.most_mw if told is None else min(light.most_mw, told[1] * light.mw_per_unit)
        powers[name] = most
    presets = {}
    with suppress(Exception):  # a core without groups
        for group in core.get_available_config_groups():
            presets[str(group)] = frozenset(map(str, core.get_available_configs(str(group))))
    xy, focus = str(core.get_xy_stage_device()), str(core.get_focus_device())
    return Limits(
        x_um=_narrower(stages.x_um, _of_stage(core, xy, "X")) if xy else None,
        y_um=_narrower(stages.y_um, _of_stage(core, xy, "Y")) if xy else None,
        z_um=_narrower(stages.z_um, _of_stage(core, focus, "")) if focus else None,
        exposure_ms=_narrower(calibration.exposure_ms, _range(core, camera, "Exposure")) if camera else None,
        interval_s=(0.0, 7 * 24 * 3600.0),
        power_mw=MappingProxyType(powers),
        pulse_ms=MappingProxyType({name: line.most_ms for name, line in calibration.lines.items()}),
        presets=MappingProxyType(presets),
    )


def _of_stage(core: Steerable, device: str, axis: str) -> Range | None:
    """What a stage's own properties tell: those of ASI's controllers, or the limits of a property Position."""
    low, high = f"LowerLim{axis}(mm)", f"UpperLim{axis}(mm)"
    with suppress(Exception):  # a device without such properties
        if core.has_property(device, low) and core.has_property(device, high):
            return float(core.get_property(device, low)) * 1e3, float(core.get_property(device, high)) * 1e3
    return None if axis else _range(core, device, "Position")


def _range(core: Steerable, device: str, name: str) -> Range | None:
    with suppress(Exception):  # a device without such a property
        if core.has_property(device, name) and core.has_property_limits(device, name):
            return float(core.get_property_lower_limit(device, name)), float(
                core.get_property_upper_limit(device, name)
            )
    return None


def _narrower(one: Range | None, other: Range | None) -> Range | None:
    if one is None or other is None:
        return one or other
    return max(one[0], other[0]), min(one[1], other[1])
