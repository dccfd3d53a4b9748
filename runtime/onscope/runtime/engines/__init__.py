"""Engines run graphs. One file per engine, found by entry point and imported only when asked for by name.

A provider is written `NAME` or `NAME:ARGUMENT`: `cpu`, `oracle`, `null:200`. `auto` takes the first of `PREFERENCE`
that really runs here. The provider asked for is the provider used, or ProviderError says why not.
"""

from ._ahead import AheadOfTime, Built, Progress
from ._fault import behind_faults, chance, parse_fault
from ._interface import WARM_UPS, Engine, Pending, Session, Staged, Stayed, TensorSpec
from ._select import (
    PREFERENCE,
    EngineProbe,
    build_ahead,
    discard_built,
    open_session,
    probe,
    probe_engines,
    require_ahead,
)

__all__ = [
    "PREFERENCE",
    "WARM_UPS",
    "AheadOfTime",
    "Built",
    "Engine",
    "EngineProbe",
    "Pending",
    "Progress",
    "Session",
    "Staged",
    "Stayed",
    "TensorSpec",
    "behind_faults",
    "build_ahead",
    "chance",
    "discard_built",
    "open_session",
    "parse_fault",
    "probe",
    "probe_engines",
    "require_ahead",
]
