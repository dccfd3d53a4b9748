"""What a recipe is, and how one specimen of it becomes examples."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

import numpy as np
import numpy.typing as npt

from onscope.specimen import Snap, Truth
from onscope.specimen.scenarios import Scenario, as_specimen, read_scenario
from onscope.specimen.sensor import Emccd, Sensor

from ._parts import Part, seed_of

E_co = TypeVar("E_co", covariant=True)
_PLAN, _EXAMPLES = 0x914, 0xE8A
"""Purposes of the generators beside those of the specimen itself."""


@dataclass(frozen=True, slots=True)
class Shot:
    """One image: `after_s` seconds after the scenario's own age, `stage_um` (y, x) in its middle.

    `exposure_s` and `z_um` (focal plane above the coverslip) are the channel's own where they are None. Light bleaches
    and harms as it does in the specimen: shots in one place are not independent.
    """

    after_s: float
    stage_um: tuple[float, float]
    channel: str
    shape: tuple[int, int] = (512, 512)
    exposure_s: float | None = None
    z_um: float | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """What is simulated with one seed: a scenario, its shots by rising `after_s`, and the camera (None: its own)."""

    scenario: Scenario
    shots: tuple[Shot, ...]
    sensor: Sensor | Emccd | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Field:
    """One shot and its truth: what a recipe's `examples` are made of.

    `seed` is the specimen's, `place` the shot's number in its plan, `sensor` the camera that took it.
    """

    seed: int
    place: int
    shot: Shot
    snap: Snap
    sensor: Sensor | Emccd

    @property
    def counts(self) -> npt.NDArray[np.uint16]:
        """The image as the camera gives it, (rows, columns)."""
        return self.snap.counts

    @property
    def truth(self) -> Truth:
        """Labels of bodies and nuclei, and the table of objects."""
        assert self.snap.truth is not None
        return self.snap.truth

    @property
    def pixel_um(self) -> float:
        """Side of a pixel in the sample in um."""
        return self.snap.view.pixel_um


@dataclass(frozen=True, slots=True)
class Recipe(Generic[E_co]):
    """Examples of one kind from one scenario: `scenario` is the name of a shipped one or the path of a YAML file.

    `plan` is given the scenario and a generator seeded by the specimen's seed, `examples` a field and a generator
    seeded by the specimen's seed and the shot's number. Both are functions of a module, see the room's docstring.
    """

    name: str
    scenario: str
    plan: Callable[[Scenario, np.random.Generator], Plan]
    examples: Callable[[Field, np.random.Generator], Sequence[E_co]]


def made(recipe: Recipe[E_co], part: Part, number: int) -> list[E_co]:
    """All examples of a part's specimen `number`, 0 and up; raises ValueError for a plan that goes back in time."""
    seed = seed_of(part, number)
    plan = recipe.plan(read_scenario(recipe.scenario), np.random.default_rng((seed, _PLAN)))
    specimen = as_specimen(plan.scenario, seed)
    if plan.sensor is not None:
        specimen.sensor = plan.sensor
    began = specimen.time_s
    examples: list[E_co] = []
    for place, shot in enumerate(plan.shots):
        specimen.advance(began + shot.after_s)
        snap = specimen.snap(shot.stage_um, shot.channel, shape=shot.shape, exposure_s=shot.exposure_s, z_um=shot.z_um)
        field = Field(seed, place, shot, snap, specimen.sensor)
        examples.extend(recipe.examples(field, np.random.default_rng((seed, _EXAMPLES, place))))
    return examples


def around(
    scenario: Scenario, rng: np.random.Generator, channel: str, count: int, shape: tuple[int, int], **more: Any
) -> tuple[Shot, ...]:
    """`count` shots at once in random places of the scenario's sample, as far as a field from its ends.

    `more` are other fields of `Shot`. A sample smaller than a field is looked at in its middle. Raises ValueError for
    bacteria, which lie in their channels only.
    """
    extent = _extent_um(scenario)
    pixel = scenario.optics.pixel_um
    room = [(n * pixel / 2, size - n * pixel / 2) for n, size in zip(shape, extent, strict=True)]
    ends = [(low, high) if low < high else (size / 2, size / 2) for (low, high), size in zip(room, extent, strict=True)]
    shot = Shot(0.0, (0.0, 0.0), channel, shape)
    places = [(float(rng.uniform(*ends[0])), float(rng.uniform(*ends[1]))) for _ in range(count)]
    return tuple(replace(shot, stage_um=place, **more) for place in places)


def _extent_um(scenario: Scenario) -> tuple[float, float]:
    sample = scenario.sample
    for part in (sample.cells, sample.beads, sample.emitters):
        if part is not None:
            return float(part.extent_um[0]), float(part.extent_um[1])
    raise ValueError(
        f"found the scenario {scenario.name} of bacteria alone, expected cells, beads or emitters, which lie anywhere: "
        "choose the places of the shots yourself"
    )
