"""A scenario as a mounted microscope: its sample under devices that are as the scenario says."""

from __future__ import annotations

from pathlib import Path

from pymmcore_plus.core import Keyword

from onscope.specimen.optics import Objective as Lens
from onscope.specimen.scenarios import Scenario, ScenarioError, read_scenario

from ._clock import Clock
from ._core import SpecimenCore
from ._hardware import NO_FILTER, CameraModel, Channel, Filter, Hardware, LightSource, Objective, SlmModel
from ._living import Living
from ._mount import BUFFER_MB, SpecimenScope, mount
from ._setup import CAMERA, CHANNEL_GROUP
from ._stand import Stand

SLM_RELAY = 1.4
"""Enlarges the mirror array (10.5 mm high) to 14.7 mm in the intermediate image: it lights all of a 13.3 mm chip."""

EMCCD_LINE_S = 1 / 26 / 1024
"""Seconds per line of an EMCCD of 1024 x 1024 pixels that gives 26 frames/s (Andor, iXon Ultra 888, at 30 MHz)."""

OPEN_NM = (350.0, 1000.0)
"""What passes where a scenario's channel has no filter, in nm."""


class ScenarioScope(SpecimenScope):
    """A scope with a scenario's specimen on it: `scenario` is what its file says, `scene` knows the truth."""

    def __init__(self, mmc: SpecimenCore, scenario: Scenario, scene: Living) -> None:
        super().__init__(mmc)
        self.scenario, self.scene = scenario, scene

    def choose(self, channel: str) -> None:
        """Set a channel as the scenario has it: light, filter, exposure, focal plane; back when all have arrived.

        The preset of that name alone leaves exposure and focus as they are. Raises KeyError for an unknown channel.
        """
        _choose(self.mmc, self.scenario, channel)


def from_scenario(
    scenario: Scenario | str | Path,
    *,
    seed: int | None = None,
    clock: Clock | None = None,
    lapse: float = 1.0,
    buffer_mb: int = BUFFER_MB,
    remember: int = 0,
) -> ScenarioScope:
    """A scenario (its name, a YAML file, or what was read from one) under a microscope in a Micro-Manager core.

    Camera, objective, light sources, filters and the group Channel are the scenario's: a preset for each of its
    channels (nine, say, for one with three angles and three phases of stripes). The stage stands at its place, the
    region of the camera has its shape around the middle of the chip, and its first channel is set, in focus. The
    sample is as old as the scenario has it when the clock begins. `seed` (None: the scenario's own) chooses other cells
    and other noise; `remember`: see `Living`; the rest is as for `open`. The turret has this one objective; fields of
    light are squares. Raises ScenarioError where the scenario's parts do not fit each other, SourceError as `open`.
    """
    told = scenario if isinstance(scenario, Scenario) else read_scenario(scenario)
    scene = living_of(told, told.seed if seed is None else seed, remember)
    mmc = mount(scene, hardware=hardware_of(told), clock=clock, lapse=lapse, buffer_mb=buffer_mb)
    try:
        mmc.setProperty(CAMERA, Keyword.PixelType, _pixel_type(told))
        y_um, x_um = told.acquisition.stage_um
        mmc.setXYPosition(x_um, y_um)
        (rows, columns), (height, width) = mmc.bench.hardware.camera.shape, told.acquisition.shape
        height, width = min(height, rows), min(width, columns)
        mmc.setROI((columns - width) // 2, (rows - height) // 2, width, height)
        _choose(mmc, told, next(iter(told.all_channels)))
        return ScenarioScope(mmc, told, scene)
    except BaseException:
        mmc.unloadAllDevices()
        raise


def _choose(mmc: SpecimenCore, scenario: Scenario, channel: str) -> None:
    how = scenario.all_channels[channel]
    mmc.setConfig(CHANNEL_GROUP, channel)
    mmc.setExposure(how.exposure_s * 1e3)
    mmc.setPosition(how.z_um)
    mmc.waitForSystem()


def living_of(scenario: Scenario, seed: int, remember: int = 0) -> Living:
    """The scenario's sample, grown, as a scene. Raises ScenarioError where its parts do not fit each other."""
    stand = scenario.microscope
    sample = scenario.sample.grown(seed)
    for name, channel in scenario.channels.items():
        if channel.dye is not None and channel.dye not in sample.dyes:
            known = ", ".join(sample.dyes)
            raise ScenarioError(
                f"{scenario.name}: found dye {channel.dye!r} in channel {name!r}, expected one of {known}, or none"
            )
    return Living(
        sample,
        dyes={filter_of(scenario, name).label: one.dye for name, one in scenario.channels.items() if one.dye},
        stand=Stand(
            stand.mode,
            drift=stand.drift,
            path=stand.path,
            condenser=stand.condenser,
            medium_per_um3=stand.medium_per_um3,
            transmission=stand.objective.transmission,
        ),
        sensor=scenario.camera.sensor,
        seed=seed,
        remember=remember,
    )


def hardware_of(scenario: Scenario) -> Hardware:
    """The devices that a scenario needs, each once."""
    channels = []
    lights: dict[str, LightSource] = {}
    filters: dict[str, Filter] = {}
    for name, told in scenario.channels.items():
        emission = filter_of(scenario, name)
        filters[emission.label] = emission
        for each, channel in told.channels(name).items():
            light = channel.illumination
            kind = "Lamp" if told.dye is None else "Laser"
            label = f"{kind} {light.wavelength_nm:g}{each.removeprefix(name)}"
            while label in lights and _differs(lights[label], light.field_um, light.unevenness):
                label += "'"
            most = max(100.0 if told.dye else 1.0, 2 * light.power_mw)
            if label in lights:
                most = max(most, lights[label].max_power_mw)
            lights[label] = LightSource(
                label,
                light.wavelength_nm,
                most,
                transmitted=told.dye is None,
                field_um=light.field_um,
                unevenness=light.unevenness,
                pattern=light.pattern,
            )
            channels.append(Channel(each, emission.label, {label: light.power_mw}))
    objective = _objective(scenario.microscope.objective)
    return Hardware(
        camera=_camera(scenario),
        objectives=(objective,),
        lights=tuple(lights.values()),
        filters=tuple(filters.values()),
        channels=tuple(channels),
        slm=SlmModel(relay=SLM_RELAY),
        start_objective=objective.label,
        start_channel=channels[0].name,
    )


def filter_of(scenario: Scenario, channel: str) -> Filter:
    """The emission filter of a channel; two dyes of one colour have a filter each, for a filter tells the dye."""
    told = scenario.channels[channel]
    if told.dye is None:
        return Filter(NO_FILTER, *OPEN_NM)
    band = told.emission_nm or OPEN_NM
    return Filter(f"{told.dye} {band[0]:g}-{band[1]:g}", *band)


def _differs(source: LightSource, field_um: float, unevenness: float) -> bool:
    return (source.field_um, source.unevenness) != (field_um, unevenness)


def _objective(lens: Lens) -> Objective:
    immersion = "" if lens.immersion_index < 1.2 else " W" if lens.immersion_index < 1.4 else " Oil"
    label = f"{lens.magnification:g}x {lens.na:.2f}{immersion}"
    return Objective(label, lens.magnification, lens.na, lens.immersion_index)


def _camera(scenario: Scenario) -> CameraModel:
    camera = scenario.camera
    chip = camera.sensor.chip
    if camera.kind == "scmos" or chip is None:
        return CameraModel(pixel_um=camera.pixel_um)
    return CameraModel("EMCCD", chip, camera.pixel_um, EMCCD_LINE_S)


def _pixel_type(scenario: Scenario) -> str:
    return next(f"{bits}bit" for bits in (8, 12, 16) if bits >= scenario.camera.bit_depth)
