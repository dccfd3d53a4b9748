"""Micro-Manager microscopes, through a core in this process (pycro-manager's Python backend).

with micromanager.demo() as scope:
    for frame in scope.live(exposure_ms=10).frames(100):
        ...
"""

from __future__ import annotations

from ._demo import demo, demo_source, source
from ._live import LiveSource
from ._scope import Scope
from ._scope import open_scope as open
from ._walk import StageWalk

__all__ = ["LiveSource", "Scope", "StageWalk", "demo", "demo_source", "open", "source"]
