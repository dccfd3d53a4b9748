"""Micro-Manager microscopes, through a core in this process or a running Micro-Manager.

with micromanager.demo() as scope:
    for frame in scope.live(exposure_ms=10).frames(100):
        ...
"""

from __future__ import annotations

from ._demo import demo, demo_source, source
from ._java_core import connect
from ._live import LiveSource, ManyLiveSource
from ._open import open_scope as open
from ._rounds import Rounds, Step
from ._scope import Scope
from ._studio import StudioSource, studio
from ._walk import StageWalk

__all__ = [
    "LiveSource",
    "ManyLiveSource",
    "Rounds",
    "Scope",
    "StageWalk",
    "Step",
    "StudioSource",
    "connect",
    "demo",
    "demo_source",
    "open",
    "source",
    "studio",
]
