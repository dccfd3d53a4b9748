"""What is taken of a scenario's specimen: channels, planes, phases; as words behind its name, or as options."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from onscope.runtime import SourceError
from onscope.specimen.scenarios import Scenario

from ..micromanager._rounds import Step

FINE = "fine"
"""The aim that is no channel: the same dye, twice as fine."""
WORDS: Mapping[str, type] = {
    "planes": int,
    "step_um": float,
    "z_um": float,
    "phases": int,
    "channels": str,
    "flat": str,
    "against": str,
    "exposure_ms": float,
    "lapse": float,
    "size": int,
    "seed": int,
}
"""Options that may stand behind a scenario's name, `NAME@CHANNEL,planes=13,step_um=0.6`, and what they are."""
MOST = 999
"""Planes, and phases, of a round."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What is taken in every round: `channels` (names in the scenario) in turn, of those in `flat` the middle plane.

    `planes` lie `step_um` apart around `z_um` (None: each channel's own focal plane). Of a channel with stripes its
    first `phases` (None: all). `exposure_ms` for all (None: the channel's own). `against`: what a network is to find,
    a channel or "fine". Raises SourceError for what the scenario has not, or cannot be.
    """

    scenario: Scenario
    channels: tuple[str, ...]
    planes: int = 1
    step_um: float = 1.0
    z_um: float | None = None
    phases: int | None = None
    flat: frozenset[str] = frozenset()
    exposure_ms: float | None = None
    against: str | None = None

    def __post_init__(self) -> None:
        where = self.scenario.name
        for name in (*self.channels, *self.flat):
            self._raw(name)
        if len(set(self.channels)) < len(self.channels):
            raise SourceError(f"found {'+'.join(self.channels)}, expected each channel once: leave out the second one")
        if not 1 <= self.planes <= MOST or not 0 < self.step_um < math.inf:
            raise SourceError(
                f"found {self.planes} planes {self.step_um:g} um apart, expected 1 to {MOST}, and a step above 0"
            )
        if not self.flat < set(self.channels) and self.flat:
            raise SourceError(
                f"found flat={'+'.join(sorted(self.flat))}, expected some of {'+'.join(self.channels)}, not all: leave "
                "planes out where none is a stack"
            )
        most = max(len(self._raw(name)) for name in self.channels)
        if self.phases is not None and not 1 <= self.phases <= most:
            wanted = f"1 to {most}" if most > 1 else "a channel with stripes (`sim` in the scenario's file)"
            raise SourceError(f"found phases={self.phases} of {'+'.join(self.channels)}, expected {wanted} in {where}")
        if self.against is not None and self.against != FINE and len(self._raw(self.against)) > 1:
            raise SourceError(f"found against={self.against}, expected a channel without stripes, or {FINE}")
        if self.against == FINE and self.scenario.all_channels[self.first].dye is None:
            raise SourceError(f"found against={FINE} of transmitted light, expected a channel with a dye")

    @property
    def first(self) -> str:
        """The preset of the first exposure."""
        return self._raw(self.channels[0])[0]

    @property
    def first_ms(self) -> float:
        """Of the first exposure, in milliseconds."""
        return self._exposure_ms(self.first)

    @property
    def steps(self) -> tuple[Step, ...]:
        """A round: all channels in turn; of each the planes, the lowest first; of each plane the phases."""
        found = []
        for c, name in enumerate(self.channels):
            raw = self._raw(name)[: self.phases]
            middle_um, exposure_ms = self._middle_um(raw[0]), self._exposure_ms(raw[0])
            planes = [self.planes // 2] if name in self.flat else list(range(self.planes))
            for z in planes:
                z_um = round(middle_um + (z - (self.planes - 1) / 2) * self.step_um, 6)
                for i, preset in enumerate(raw):
                    index = {"c": c} if len(self.channels) > 1 else {}
                    index |= {"z": z} if self.planes > 1 else {}
                    index |= {"i": i} if len(raw) > 1 else {}
                    found.append(Step(exposure_ms, index, preset, name, z_um))
        return tuple(found)

    @property
    def walks(self) -> bool:
        """Whether it takes more than one exposure to a time point."""
        return len(self.steps) > 1

    @property
    def told(self) -> dict[str, Any]:
        """The options that choose the same again, but for the first channel."""
        told: dict[str, Any] = {}
        if len(self.channels) > 1:
            told["channels"] = "+".join(self.channels)
        if self.planes > 1:
            told |= {"planes": self.planes, "step_um": float(self.step_um)}
        if self.flat:
            told["flat"] = "+".join(sorted(self.flat))
        for key in ("z_um", "exposure_ms", "phases", "against"):
            if (value := getattr(self, key)) is not None:
                told[key] = value
        return told

    @property
    def words(self) -> str:
        """As one says it: "Channel nuclei, 50 ms", "Channels transmitted (13 planes, 0.6 um apart) and nuclei"."""
        told = []
        for name in self.channels:
            raw = self._raw(name)[: self.phases]
            notes = [f"{self._exposure_ms(raw[0]):g} ms"]
            if self.planes > 1 and name not in self.flat:
                notes.append(f"{self.planes} planes {self.step_um:g} um apart")
            if len(raw) > 1:
                notes.append(f"{len(raw)} phases")
            told.append(f"{name}, {', '.join(notes)}")
        return f"Channel{'s' * (len(told) > 1)} {'; '.join(told)}"

    def _middle_um(self, preset: str) -> float:
        return self.scenario.all_channels[preset].z_um if self.z_um is None else self.z_um

    def _exposure_ms(self, preset: str) -> float:
        return self.scenario.all_channels[preset].exposure_s * 1e3 if self.exposure_ms is None else self.exposure_ms

    def _raw(self, name: str) -> tuple[str, ...]:
        """The presets of a channel: one, or one for each pattern of stripes."""
        if name in self.scenario.channels:
            return tuple(self.scenario.channels[name].channels(name))
        if name in self.scenario.all_channels:
            return (name,)
        known = list(dict.fromkeys([*self.scenario.channels, *self.scenario.all_channels]))
        raise SourceError(
            f"found the channel {name!r}, expected one of {', '.join(known)} in {self.scenario.name}: choose one of "
            "them"
        )


def parsed(arg: str) -> tuple[str, str, dict[str, Any]]:
    """Scenario, channel ("": none is named) and options of `NAME@CHANNEL,option=value,...`.

    Raises SourceError for an option that there is not, that comes twice, or whose value is no number where one is due.
    """
    head, *rest = arg.split(",")
    while rest and not re.match(r"\s*\w+\s*=", rest[0]):  # a comma in a path
        head = f"{head},{rest.pop(0)}"
    name, _, channel = head.partition("@")
    options: dict[str, Any] = {}
    for word in rest:
        key, _, text = (part.strip() for part in word.partition("="))
        if key not in WORDS or key in options:
            found = f"a second {key}" if key in options else f"the option {word.strip()!r}"
            raise SourceError(
                f"found {found} behind the specimen {name}, expected some of {', '.join(WORDS)}, each once and as "
                "NAME=VALUE: correct it"
            )
        try:
            options[key] = WORDS[key](text)
        except ValueError:
            kind = "a whole number" if WORDS[key] is int else "a number"
            raise SourceError(f"found {key}={text} behind the specimen {name}, expected {kind}") from None
    return name, channel, options


def listed(text: str | None) -> tuple[str, ...]:
    """The names of `one+other`."""
    return tuple(part.strip() for part in (text or "").split("+") if part.strip())
