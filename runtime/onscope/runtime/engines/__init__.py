"""Engines run graphs. One file per engine, found by entry point and imported only when asked for by name.

A provider is written `NAME` or `NAME:ARGUMENT`: `cpu`, `oracle`, `null:200`. `auto` takes the first of `PREFERENCE`
that really runs here. The provider asked for is the provider used, or ProviderError says why not.
"""

from ._interface import WARM_UPS, Engine, Session, TensorSpec
from ._select import PREFERENCE, EngineProbe, open_session, probe_engines

__all__ = [
    "PREFERENCE",
    "WARM_UPS",
    "Engine",
    "EngineProbe",
    "Session",
    "TensorSpec",
    "open_session",
    "probe_engines",
]
