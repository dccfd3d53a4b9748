"""Engines run graphs. One file per engine, found by entry point and imported only when asked for by name.

A provider is written `NAME` or `NAME:ARGUMENT`: `cpu`, `oracle`, `null:200`. Several with commas between are tried in
their order, and `auto` stands for those of `PREFERENCE`. One that is asked for by name is the one used, or
ProviderError says why not.
"""

from ._ahead import AheadOfTime, Built, Progress
from ._fault import behind_faults, chance, parse_fault
from ._interface import WARM_UPS, Engine, Far, Pending, Session, Shares, Staged, Stayed, TensorSpec, check_arrays
from ._kept import KeptEngine, kept_engines, remove_kept, to_prune
from ._lists import (
    AUTO,
    MOST,
    ON_GPU,
    PREFERENCE,
    has_driver,
    is_choice,
    leading,
    listed,
    next_after,
    providers_of,
)
from ._select import (
    EngineProbe,
    build_ahead,
    discard_built,
    made_for,
    open_session,
    probe,
    probe_engines,
    require_ahead,
)

__all__ = [
    "AUTO",
    "MOST",
    "ON_GPU",
    "PREFERENCE",
    "WARM_UPS",
    "AheadOfTime",
    "Built",
    "Engine",
    "EngineProbe",
    "Far",
    "KeptEngine",
    "Pending",
    "Progress",
    "Session",
    "Shares",
    "Staged",
    "Stayed",
    "TensorSpec",
    "behind_faults",
    "build_ahead",
    "chance",
    "check_arrays",
    "discard_built",
    "has_driver",
    "is_choice",
    "kept_engines",
    "leading",
    "listed",
    "made_for",
    "next_after",
    "open_session",
    "parse_fault",
    "probe",
    "probe_engines",
    "providers_of",
    "remove_kept",
    "require_ahead",
    "to_prune",
]
