"""Proposals of rules, the gate's verdicts on them, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np

from .._frame import Frame, FrameId
from ._actions import Action
from ._wishes import Asked, Target

Table = np.ndarray[Any, Any]


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """What rules see of a result: everything but pixels.

    `tables` are structured arrays by stage, a row per object (columns as in docs/labels.md: label, y, x, area, track,
    ...); `numbers` single numbers by name ("denoise.mean", "phase.suspect"); `trust` and `suspect` as in the Result;
    `frame` has no pixels (a 0 x 0 array), `shape` (y, x) is the frame's. `number` counts results since the start.
    `now_ns` is the moment that rules are asked, `models` the sha256 of the packages behind the answers, by stage.
    """

    number: int
    frame: Frame
    shape: tuple[int, int]
    tables: Mapping[str, Table]
    numbers: Mapping[str, float]
    trust: Mapping[str, Mapping[str, float]]
    suspect: Mapping[str, tuple[str, ...]]
    now_ns: int
    models: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class Proposal:
    """What a rule asks for, and why: `because` says it in words, with the values that decided."""

    rule: str
    asked: Asked
    because: str
    frame: FrameId
    received_ns: int
    proposed_ns: int
    priority: int = 0
    target: Target | None = None
    values: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    models: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """sha256 of the packages behind the values, by stage."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the gate says of one action: `passed`, and a sentence why, or why not."""

    passed: bool
    reason: str
    action: Action | None
    judged_ns: int
