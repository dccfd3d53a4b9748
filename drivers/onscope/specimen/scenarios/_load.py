"""Scenarios by name or file."""

from __future__ import annotations

from pathlib import Path

from .._specimen import Specimen
from ._scenario import Scenario
from ._strict import ScenarioError, built, parsed

HERE = Path(__file__).parent


def scenario_names() -> list[str]:
    """Names of the shipped scenarios."""
    return sorted(path.stem for path in HERE.glob("*.yaml"))


def read_scenario(name: str | Path) -> Scenario:
    """What a shipped scenario or a YAML file says; raises ScenarioError with the line of what is wrong."""
    path = Path(name)
    if path.suffix not in (".yaml", ".yml"):
        path = HERE / f"{name}.yaml"
        if str(name) not in scenario_names():
            raise ScenarioError(
                f"found scenario {str(name)!r}, expected one of {', '.join(scenario_names())}, or a .yaml file"
            )
    return built(Scenario, parsed(path), str(path))


def as_specimen(scenario: Scenario, seed: int | None = None) -> Specimen:
    """The specimen that a scenario describes, at its age; `seed` takes the place of the scenario's own.

    Raises ScenarioError where its parts do not fit each other.
    """
    chosen = scenario.seed if seed is None else seed
    try:
        return Specimen(
            scenario.sample.grown(chosen),
            scenario.optics,
            scenario.all_channels,
            sensor=scenario.camera.sensor,
            drift=scenario.microscope.drift,
            seed=chosen,
        )
    except (KeyError, ValueError) as error:
        raise ScenarioError(f"{scenario.name}: {error.args[0]}") from error


def load_scenario(name: str | Path, seed: int | None = None) -> Specimen:
    """A shipped scenario by its name, or one from a YAML file, ready to be looked at.

    `seed` (None: the file's) chooses other cells and other noise of the same kind. Raises ScenarioError.
    """
    return as_specimen(read_scenario(name), seed)
