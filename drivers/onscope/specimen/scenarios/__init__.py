"""Scenarios: specimens described in YAML files, shipped ones by name.

specimen = load_scenario("dividing-cells", seed=7)
scenario = read_scenario("my.yaml")                 # what the file says: .acquisition, .channels, ...
"""

from __future__ import annotations

from ._load import as_specimen, load_scenario, read_scenario, scenario_names
from ._scenario import Scenario
from ._strict import ScenarioError

__all__ = ["Scenario", "ScenarioError", "as_specimen", "load_scenario", "read_scenario", "scenario_names"]
