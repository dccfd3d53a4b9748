"""Shots as pycro-manager's events: what they are for stands in the names of their places."""

from __future__ import annotations

from typing import Any

from ._shots import Series, Shot

Axes = dict[str, str | int]
Key = frozenset[tuple[str, str | int]]


def events_of(series: Series) -> list[dict[str, Any]]:
    """Events of a series, in order."""
    return [_event(shot) for shot in series.shots]


def key_of(axes: Axes) -> Key:
    """Axes as something that can be looked up."""
    return frozenset(axes.items())


def _event(shot: Shot) -> dict[str, Any]:
    # Tags of events end the Python backend's event thread (it asks for a method that is not there), so an action is
    # told by axes alone. Numbers are plain ones: NumPy's are refused.
    told = {
        "time": shot.t,
        "position": shot.position if shot.p is not None else None,
        "channel": shot.channel[1] if shot.channel is not None and shot.c is not None else None,
        "z": shot.z,
    }
    event: dict[str, Any] = {"axes": {axis: value for axis, value in told.items() if value is not None}}
    if shot.x_um is not None and shot.y_um is not None:
        event |= {"x": float(shot.x_um), "y": float(shot.y_um)}
    if shot.z_um is not None:
        event["z"] = float(shot.z_um)
    if shot.exposure_ms is not None:
        event["exposure"] = float(shot.exposure_ms)
    if shot.channel is not None:
        event["config_group"] = list(shot.channel)
    if shot.properties:
        event["properties"] = [list(one) for one in shot.properties]
    return event
