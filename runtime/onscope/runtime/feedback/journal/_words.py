"""Actions, wishes and times in words, from the plain values of a journal: whatever these are, words come of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from .._controller import Command
from ._entry import Entry, Head, Plain

LONGEST = 200
MOST_VALUES = 12


def asked_words(asked: Plain) -> str:
    """What was asked for, as it follows upon "to": "move the stage to x 12.5 um, y -3.25 um"."""
    kind = asked.get("kind")
    say = WORDS.get(kind) if isinstance(kind, str) else None
    return clean(say(_Told(asked)) if say else f"do {kind}")


def command_words(command: Command) -> str:
    """A call to the hardware: "setExposure Camera 12"."""
    value = command.value
    held = value if isinstance(value, (list, tuple)) else [] if value is None else [value]
    return clean(" ".join(filter(None, (command.verb, command.device, ", ".join(map(number, held))))))


def target_words(target: Plain) -> str:
    """The object that something was asked for."""
    told = _Told(target)
    track = f" (track {told['track']})" if target.get("track") else ""
    values = values_words(target.get("values"))
    return clean(
        f"object {told['label']}{track} at y {told['y']}, x {told['x']} pixels{': ' + values if values else ''}"
    )


def values_words(values: object) -> str:
    """Names and numbers: "score 0.91, area 301"."""
    held = list(values.items()) if isinstance(values, Mapping) else []
    words = ", ".join(f"{name} {number(value)}" for name, value in held[:MOST_VALUES])
    return words + (f" and {len(held) - MOST_VALUES} more" if len(held) > MOST_VALUES else "")


def number(value: object) -> str:
    """A number with as many digits as a reader wants; "no number" for NaN; anything else shortly."""
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, float):
        return "no number" if value != value else f"{value:.4g}" if abs(value) < 1e4 else f"{value:,.0f}"
    if isinstance(value, Mapping) and "shape" in value:
        return mask_words(value)
    words = str(value)
    return words if len(words) <= LONGEST else words[:LONGEST] + "…"


def mask_words(mask: object) -> str:
    """A mask by its size and how much of it is lit."""
    if not isinstance(mask, Mapping):
        return "a mask"
    shape = mask.get("shape")
    size = " x ".join(map(str, shape)) if isinstance(shape, list) else "?"
    return f"{number(mask.get('lit'))} lit pixels of a mask of {size}"


def clean(text: object) -> str:
    """In one line; what a terminal would obey is written out."""
    line = " ".join(str(text).split())
    return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in line)


def since(head: Head, at_ns: int) -> str:
    """Time after the start: "35.6 s", "12 min 5 s", "3 h 20 min"."""
    seconds = (at_ns - head.clock.monotonic_ns) / 1e9
    if abs(seconds) < 120:
        return f"{seconds:.3g} s" if abs(seconds) < 10 else f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 120 else f"{minutes // 60} h {minutes % 60} min"


def clock_time(head: Head, at_ns: int, form: str = "%H:%M:%S.%f") -> str:
    """A moment in local time, by default to the millisecond."""
    try:
        told = datetime.fromtimestamp(head.clock.wall_of(at_ns) / 1e9).astimezone().strftime(form)
    except (ValueError, OverflowError, OSError):
        return "at an unknown time"
    return told[:-3] if form.endswith("%f") else told


def what_words(entry: Entry) -> str:
    """What an entry is about, in a few words: what was asked for, or what happened."""
    return clean(f"{entry.kind}: {entry.because}") if entry.frame is None else asked_words(entry.action or entry.asked)


class _Told:
    """Plain values by name, as words."""

    def __init__(self, values: Plain) -> None:
        self._values = values

    def __getitem__(self, name: str) -> str:
        return number(self._values.get(name, "?"))

    def get(self, name: str) -> Any:
        return self._values.get(name)

    def frame(self) -> str:
        """The channel and exposure that images are taken with, where they are told."""
        channel = f" in {self['channel']}" if self.get("channel") is not None else ""
        return channel + (f" with {self['exposure_ms']} ms" if self.get("exposure_ms") is not None else "")


def _visit(told: _Told) -> str:
    places = told.get("places")
    count = len(places) if isinstance(places, list) else 0
    back = "and stay there" if told.get("stay") else "and come back"
    first = ""
    if count and isinstance(places[0], list) and len(places[0]) == 2:
        first = f" from x {number(places[0][0])}, y {number(places[0][1])} um"
    return f"take a frame at each of {count} places{first}{told.frame()}, {back}"


def _interval(told: _Told) -> str:
    if told.get("interval_s") == 0:
        return "take frames as fast as the camera can"
    return f"take a frame every {told['interval_s']} s"


def _pause(told: _Told) -> str:
    return "pause" + (f" for {told['duration_s']} s" if told.get("duration_s") is not None else " until it is resumed")


WORDS: Mapping[str, Callable[[_Told], str]] = {
    "move_stage": lambda told: f"move the stage to x {told['x_um']} um, y {told['y_um']} um",
    "move_focus": lambda told: f"move the focus to {told['z_um']} um",
    "autofocus": lambda told: (
        f"find the focus within {told['range_um']} um, in steps of {told['step_um']} um" + told.frame()
    ),
    "set_preset": lambda told: f"set {told['group']} to {told['preset']}",
    "set_exposure": lambda told: f"set the exposure to {told['exposure_ms']} ms",
    "set_power": lambda told: f"set {told['light']} to {told['power_mw']} mW",
    "set_interval": _interval,
    "burst": lambda told: (
        f"take a burst of {told['frames']} frames"
        + ("" if not told.get("interval_ms") else f", one each {told['interval_ms']} ms")
        + told.frame()
    ),
    "stack": lambda told: f"take a stack of {told['planes']} planes, {told['step_um']} um apart{told.frame()}",
    "visit": _visit,
    "project": lambda told: (
        f"project {told['light']} at {told['power_mw']} mW for {told['duration_ms']} ms on "
        + f"{mask_words(told.get('mask'))} around x {told['x_um']} um, y {told['y_um']} um"
    ),
    "pulse": lambda told: f"pulse {told['line']} for {told['duration_ms']} ms",
    "mark": lambda told: f"mark this moment: {told['words']}",
    "notify": lambda told: f"tell {told['target']}: {told['words']}",
    "pause": _pause,
    "resume": lambda told: "resume",
    "stop": lambda told: "stop the acquisition" + (f": {told['words']}" if told.get("words") else ""),
    "recentre": lambda told: (
        f"bring the object to the middle (damping {told['damping']}, unless it is within "
        + f"{told['deadband_um']} um)"
    ),
    "go_to": lambda told: (
        "move the stage to the object"
        + (f", {told['dx_um']}, {told['dy_um']} um (x, y) beside it" if told.get("dx_um") or told.get("dy_um") else "")
    ),
    "refocus": lambda told: f"move the focus by {told['dz_um']} um",
    "scale_exposure": lambda told: f"scale the exposure so that {told['value']} becomes {told['target']}",
    "scale_power": lambda told: f"scale {told['light']} so that {told['value']} becomes {told['target']}",
    "illuminate": lambda told: (
        f"light up the object with {told['light']} at {told['power_mw']} mW for " + f"{told['duration_ms']} ms"
    ),
    "tiles": lambda told: f"take {told['rows']} x {told['columns']} tiles around it{told.frame()}, and come back",
}
