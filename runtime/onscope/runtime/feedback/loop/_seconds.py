"""How long an action may take at most, so that one that hangs is noticed."""

from __future__ import annotations

from .._actions import Action, Autofocus, Burst, Project, Pulse, Stack, Visit
from .._controller import Setting
from .._planes import planes

MOVE_S = 5.0
"""Of a stage, a filter wheel, a turret: the core's own time-out."""


def seconds(action: Action, setting: Setting) -> float:
    """It in seconds, generously."""
    exposure_s = (getattr(action, "exposure_ms", None) or setting.exposure_ms or 0.0) / 1e3
    if isinstance(action, (Project, Pulse)):
        return MOVE_S + action.duration_ms / 1e3
    if isinstance(action, Burst):
        return MOVE_S + action.frames * max(2 * exposure_s + 0.1, action.interval_ms / 1e3)
    if isinstance(action, (Stack, Autofocus)):
        return MOVE_S + planes(action) * (exposure_s + 1.0)
    if isinstance(action, Visit):
        return MOVE_S + (len(action.places) + 1) * (exposure_s + MOVE_S)
    return 2 * MOVE_S
