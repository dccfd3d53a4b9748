"""Limits: how far actions may go; those of the devices, tightened by the user, never loosened."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

Range = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Limits:
    """Ranges are (lowest, highest), both allowed. What is None or not named is not there: actions on it are refused.

    `x_um`, `y_um`, `z_um`: of the stages; `step_um`, `z_step_um`: the farthest that one action moves them.
    `exposure_ms`, `interval_s`, `power_mw` (the highest, by light), `pulse_ms` (the longest, by line). `presets`: those
    that may be chosen, by group. `targets`: webhooks (loopback only) and commands that may be told, by name. `frames`:
    of one action at most. `actions_per_s`, `frames_per_s`: over the last second. `stale_ms`: the age of a frame, from
    core receipt, that something may still be done for; `apply_ms`: the time from the gate's verdict to its application.
    `project_ms`: the longest projection; `action_s`: the longest that one action may take. `field_j_cm2`,
    `object_j_cm2`: light that any place, any tracked object may be given over the whole experiment (infinite: no
    budget); `reserve`: the part of these budgets (0 to below 1) that is kept for routine frames, out of actions' reach.
    """

    x_um: Range | None = None
    y_um: Range | None = None
    z_um: Range | None = None
    step_um: float = math.inf
    z_step_um: float = math.inf
    exposure_ms: Range | None = None
    interval_s: Range | None = None
    power_mw: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    pulse_ms: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    presets: Mapping[str, frozenset[str]] = field(default_factory=lambda: MappingProxyType({}))
    targets: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}))
    frames: int = 1000
    actions_per_s: float = 20.0
    frames_per_s: float = math.inf
    stale_ms: float = 2000.0
    apply_ms: float = 500.0
    project_ms: float = 10_000.0
    action_s: float = 3600.0
    field_j_cm2: float = math.inf
    object_j_cm2: float = math.inf
    reserve: float = 0.0


@dataclass(frozen=True, slots=True)
class LimitsChange:
    """What a user tightens: fields as in `Limits`; None, or a name that is not told: as it was.

    A group of presets that is named keeps those of its presets that are told here. `targets` are the user's own: no
    device has any.
    """

    x_um: Range | None = None
    y_um: Range | None = None
    z_um: Range | None = None
    step_um: float | None = None
    z_step_um: float | None = None
    exposure_ms: Range | None = None
    interval_s: Range | None = None
    power_mw: Mapping[str, float] | None = None
    pulse_ms: Mapping[str, float] | None = None
    presets: Mapping[str, frozenset[str]] | None = None
    targets: Mapping[str, tuple[str, ...]] | None = None
    frames: int | None = None
    actions_per_s: float | None = None
    frames_per_s: float | None = None
    stale_ms: float | None = None
    apply_ms: float | None = None
    project_ms: float | None = None
    action_s: float | None = None
    field_j_cm2: float | None = None
    object_j_cm2: float | None = None
    reserve: float | None = None
