"""The calibration of a mounted specimen's microscope, as its own data sheet tells it."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

from ._calibration import Calibration, LightOutput, Line, SlmOutput, Stages


def calibration_of(scope: Any) -> Calibration:
    """Lights, channels, SLM and stages of the microscope behind a `SpecimenScope` (or a `ScenarioScope`).

    Power and area are exact, for the simulated sample is lit by the same numbers. The SLM's affine map is that which
    `calibrate_slm` would find.
    """
    bench = scope.bench
    hardware = bench.hardware
    lights = {}
    for source in hardware.lights:
        areas = {one.label: source.field_um**2 if source.field_um else one.field_um2 for one in hardware.objectives}
        areas[""] = areas[bench.objective.label]
        switch = Line(source.label, "State")
        note = "simulated: the sample is lit by this power"
        lights[source.label] = LightOutput(
            source.label, "Power_mW", 1.0, source.max_power_mw, MappingProxyType(areas), switch, note
        )
    a, b, c, d, e, f = map(float, scope.mmc.getProperty("SLM", "Alignment").split())
    low, high = hardware.xy.limits_um
    height, width = bench.scene.extent_um
    return Calibration(
        lights=MappingProxyType(lights),
        channels=MappingProxyType({one.name: MappingProxyType(dict(one.power_mw)) for one in hardware.channels}),
        shutter="Shutter",
        lines=MappingProxyType({"shutter": Line("Shutter", "State")}),
        slms=MappingProxyType(
            {"SLM": SlmOutput("SLM", hardware.slm.shape, ((a, b, c), (d, e, f)), hardware.camera.shape, "full")}
        ),
        stages=Stages((low, min(high, width)), (low, min(high, height)), hardware.z.limits_um),
    )
