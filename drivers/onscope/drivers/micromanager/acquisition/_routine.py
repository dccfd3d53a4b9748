"""The routine: rounds of exposures, one after the other, of the user's own sequence or of plain arguments."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from onscope.runtime import SourceError

from ._shots import Channel, Shot


@dataclass(frozen=True, slots=True)
class Routine:
    """`shots` are taken in every round; `interval_s` from one round to the next (0: without pause), `rounds` of them
    (None: until it is stopped). `group`: the configuration group that channels are presets of.
    """

    shots: tuple[Shot, ...]
    interval_s: float = 0.0
    rounds: int | None = None
    group: str = "Channel"

    @property
    def positions(self) -> int:
        """How many places it has: 0 where frames have no position axis."""
        return len({one.p for one in self.shots if one.p is not None})

    @property
    def channels(self) -> list[str]:
        """Names of channels, in the order of their numbers."""
        named = {one.c: one.channel[1] for one in self.shots if one.c is not None and one.channel is not None}
        return [named[number] for number in sorted(named)]


def plain(
    *,
    interval_s: float = 0.0,
    rounds: int | None = None,
    channels: Sequence[str] = (),
    group: str = "Channel",
    exposure_ms: float | None = None,
    positions: Sequence[tuple[float, float]] = (),
) -> Routine:
    """A routine of every channel at every position: `positions` (x, y) in micrometres (none: where the stage is),
    `channels` presets of `group` (none: as it is), all with `exposure_ms` (None: as it is).

    Raises SourceError when a number makes no sense.
    """
    if not 0 <= interval_s < math.inf or (rounds is not None and rounds < 1):
        raise SourceError(
            f"found an interval of {interval_s} s and {rounds} rounds, expected seconds of at least 0 and at least one "
            "round (None: until it is stopped)"
        )
    shots = [Shot(exposure_ms=exposure_ms)]
    shots = [
        replace(one, x_um=float(x), y_um=float(y), p=p, position=f"position {p}")
        for one in shots
        for p, (x, y) in enumerate(positions)
    ] or shots
    shots = [
        replace(one, channel=(group, name), c=c) for one in shots for c, name in enumerate(dict.fromkeys(channels))
    ] or shots
    return Routine(tuple(shots), float(interval_s), rounds, group)


def of_useq(sequence: Any) -> Routine:
    """A useq.MDASequence, whose time points are the rounds. Raises SourceError when they are not all alike."""
    rounds: int | None = 1
    if sequence.time_plan is not None:
        try:
            rounds = int(sequence.time_plan.num_timepoints())
        except (TypeError, ValueError, AttributeError):
            rounds = None  # it goes on until it is stopped
    events = iter(sequence)
    beginning = list(itertools.islice(_rounds(events, lambda event: event.index.get("t", 0)), 2))
    if not beginning:
        raise SourceError("found a sequence without events, expected at least one: give it channels or a time plan")
    first = beginning[0]
    if other := sorted({str(axis) for event in first for axis in event.index} - set("tpcz")):
        raise SourceError(
            f"found the axes {', '.join(other)}, expected t, p, c and z alone: write the places of a grid as "
            "stage_positions"
        )
    order = [axis for axis in sequence.axis_order if axis in first[0].index]
    if "t" in order[1:]:
        raise SourceError(
            f"found the axis order {''.join(order)}, expected time first (all frames of a time point, then those of "
            "the next): write axis_order='tpcz'"
        )
    shots = [_of_event(event) for event in first]
    interval_s = 0.0
    if len(beginning) > 1:
        interval_s = float((beginning[1][0].min_start_time or 0.0) - (first[0].min_start_time or 0.0))
        again = [replace(_of_event(event), t=None, origin=None) for event in beginning[1]]
        if again != [replace(one, t=None, origin=None) for one in shots]:
            raise SourceError(
                "found time points that differ (acquire_every?), expected all of them alike: leave that out, and let "
                "rules change the routine"
            )
    group = next((one.channel[0] for one in shots if one.channel is not None), "Channel")
    return Routine(tuple(shots), interval_s, rounds, group)


def of_dicts(events: Iterable[Mapping[str, Any]]) -> Routine:
    """Events as `pycromanager.multi_d_acquisition_events` gives them, whose time points are the rounds.

    Raises SourceError when they hold what a routine has no word for, or when time is not their slowest axis.
    """
    grouped = list(_rounds(iter(events), lambda event: event["axes"].get("time", 0)))
    if not grouped:
        raise SourceError("found no events, expected at least one")
    known = {"axes", "x", "y", "z", "exposure", "config_group", "min_start_time"}
    unknown = {key for group in grouped for event in group for key in event} - known
    if unknown:
        raise SourceError(f"found events with {', '.join(sorted(unknown))}, expected {', '.join(sorted(known))} alone")
    times = [group[0]["axes"].get("time", 0) for group in grouped]
    if len(set(times)) < len(times):
        raise SourceError("found time points that come twice, expected time as the slowest axis: write order='tpcz'")
    names: dict[str, dict[Any, int]] = {}
    shots = [_of_dict(event, names) for event in grouped[0]]
    starts = [float(group[0].get("min_start_time", 0.0)) for group in grouped]
    group = next((one.channel[0] for one in shots if one.channel is not None), "Channel")
    return Routine(tuple(shots), starts[1] - starts[0] if len(starts) > 1 else 0.0, len(grouped), group)


def _rounds(events: Iterator[Any], time_of: Any) -> Iterator[list[Any]]:
    for _, group in itertools.groupby(events, time_of):
        yield list(group)


def _of_event(event: Any) -> Shot:
    channel: Channel | None = None if event.channel is None else (event.channel.group, event.channel.config)
    return Shot(
        event.x_pos,
        event.y_pos,
        event.z_pos,
        channel,
        event.exposure,
        event.pos_name,
        event.index.get("p"),
        None,
        event.index.get("c"),
        event.index.get("z"),
        origin=event,
    )


def _of_dict(event: Mapping[str, Any], names: dict[str, dict[Any, int]]) -> Shot:
    def number(axis: str) -> int | None:
        value = event["axes"].get(axis)
        known = names.setdefault(axis, {})
        return None if value is None else known.setdefault(value, len(known))

    def of(key: str) -> float | None:
        return None if event.get(key) is None else float(event[key])

    position = event["axes"].get("position")
    if isinstance(position, int):
        position = f"position {position}"
    preset = event.get("config_group")
    channel = None if preset is None else (str(preset[0]), str(preset[1]))
    return Shot(
        *(of("x"), of("y"), of("z"), channel, of("exposure"), position),
        *(number("position"), None, number("channel"), number("z")),
    )
