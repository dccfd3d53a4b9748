"""What is written in words in a rule file: `2 of 3`, `5 minutes per object`, `highest of 50`, `nearest the middle`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Any, Literal, cast

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema

MOST_FRAMES = 64
MOST_REFERENCE = 256
NEVER_NS = 1 << 62
SECONDS = {"ms": 1e-3, "s": 1.0, "second": 1.0, "min": 60.0, "minute": 60.0, "h": 3600.0, "hour": 3600.0}
Scope = Literal["object", "position", "experiment"]
Statistic = Literal["highest", "lowest", "mean", "first"]


@dataclass(frozen=True, slots=True)
class Like:
    """A text of this pattern, for pydantic and JSON schema; a message shows the example."""

    pattern: str
    example: str

    def check(self, text: str) -> str:
        if not re.fullmatch(self.pattern, text):
            raise ValueError(f"found {text!r}, expected something like: {self.example}")
        return text

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self.check, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {**handler(schema), "pattern": self.pattern}


FrequencyText = Annotated[str, Like(r"^[1-9]\d? of [1-9]\d?$", "2 of 3")]
CooldownText = Annotated[
    str,
    Like(
        r"^\d{1,9}(\.\d{1,6})? (ms|s|seconds?|min|minutes?|h|hours?)( per (object|position|experiment))?$",
        "5 minutes per object, 30 s, 1 hour per position",
    ),
]
OnceText = Annotated[str, Like(r"^per (object|position|experiment)$", "per object")]
ReferenceText = Annotated[
    str, Like(r"^((highest|lowest|mean) of [1-9]\d{0,2}|first)$", "highest of 50, mean of 20, first")
]
PickText = Annotated[
    str,
    Like(
        r"^(oldest|newest|largest|smallest|fastest|nearest the middle|(highest|lowest) \S{1,128})$",
        "oldest, largest, nearest the middle, highest phase.score",
    ),
]


@dataclass(frozen=True, slots=True)
class Frequency:
    """In at least `n` of the last `m` frames."""

    n: int
    m: int


def frequency(text: str) -> Frequency:
    """Of "2 of 3"; raises ValueError."""
    n, m = map(int, text.split(" of "))
    if not 1 <= n <= m <= MOST_FRAMES:
        raise ValueError(f"found {text!r}, expected n of m frames, n at most m, m at most {MOST_FRAMES}")
    return Frequency(n, m)


@dataclass(frozen=True, slots=True)
class Cooldown:
    """For so long after a proposal there is no other one for the same object, at the same position, or at all."""

    ns: int
    scope: Scope = "experiment"


def cooldown(text: str) -> Cooldown:
    """Of "5 minutes per object", or of "per object" (once)."""
    parts = text.split()
    scope = cast(Scope, parts[parts.index("per") + 1]) if "per" in parts else "experiment"
    if parts[0] == "per":
        return Cooldown(NEVER_NS, scope)
    unit = parts[1] if parts[1] in SECONDS else parts[1].removesuffix("s")
    return Cooldown(min(round(float(parts[0]) * SECONDS[unit] * 1e9), NEVER_NS), scope)


@dataclass(frozen=True, slots=True)
class Reference:
    """What a value is compared with: a statistic of the last `frames` before, or the first one ever seen."""

    statistic: Statistic
    frames: int


def reference(text: str) -> Reference:
    """Of "highest of 50" or "first"; raises ValueError."""
    parts = text.split()
    frames = int(parts[2]) if len(parts) > 1 else 1
    if frames > MOST_REFERENCE:
        raise ValueError(f"found {text!r}, expected at most {MOST_REFERENCE} frames")
    return Reference(cast(Statistic, parts[0]), frames)


@dataclass(frozen=True, slots=True)
class Pick:
    """Of several objects the one with the highest (`sign` 1) or lowest (-1) value of a column."""

    column: str
    sign: int


_PICKS = {
    "oldest": Pick("age_frames", 1),
    "newest": Pick("age_frames", -1),
    "largest": Pick("area", 1),
    "smallest": Pick("area", -1),
    "fastest": Pick("speed_um_s", 1),
    "nearest the middle": Pick("from_middle_px", -1),
}


def pick(text: str) -> Pick:
    """Of "largest", "highest phase.score"."""
    if text in _PICKS:
        return _PICKS[text]
    which, column = text.split()
    return Pick(column, 1 if which == "highest" else -1)


NAME = re.compile(r"\{([A-Za-z][A-Za-z0-9_.-]{0,127})\}")
"""A value within words: {phase.score}."""
