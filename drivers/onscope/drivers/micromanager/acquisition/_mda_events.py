"""Shots as useq events: what they are for stands in their metadata and in the names of their places."""

from __future__ import annotations

from typing import Any

import useq

from ._shots import Series, Shot

NOTE = "onscope"
"""The key of an event's metadata under which its action stands."""


def events_of(series: Series) -> list[useq.MDAEvent]:
    """Events of a series, in order; `metadata["onscope"]` tells kind, action's number, frame and frames."""
    return [_event(series, frame, shot) for frame, shot in enumerate(series.shots)]


def number_of(event: useq.MDAEvent) -> int:
    """The number of the action that an event belongs to; 0: the routine, or nobody's."""
    note = event.metadata.get(NOTE)
    return int(note["action"]) if isinstance(note, dict) else 0


def _event(series: Series, frame: int, shot: Shot) -> useq.MDAEvent:
    note = {"action": series.number, "kind": series.kind, "frame": frame, "frames": len(series.shots)}
    index = {axis: at for axis, at in zip("tpcz", (shot.t, shot.p, shot.c, shot.z), strict=True) if at is not None}
    values: dict[str, Any] = {
        "index": index,
        "x_pos": shot.x_um,
        "y_pos": shot.y_um,
        "z_pos": shot.z_um,
        "exposure": shot.exposure_ms,
        "pos_name": shot.position,
        "channel": None if shot.channel is None else dict(zip(("group", "config"), shot.channel, strict=True)),
        "metadata": {NOTE: note},
    }
    if shot.properties:
        values["properties"] = [*(getattr(shot.origin, "properties", None) or ()), *shot.properties]
    event = useq.MDAEvent.model_validate(values)
    if not isinstance(shot.origin, useq.MDAEvent):
        return event
    ours = {name: getattr(event, name) for name in values} | {"min_start_time": None, "reset_event_timer": False}
    return shot.origin.model_copy(update=ours | {"metadata": {**shot.origin.metadata, NOTE: note}})
