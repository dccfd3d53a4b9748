"""A hostile rule set at 1 kHz gets nothing past the gate that the limits do not allow, nor more often than they do."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from onscope.runtime.feedback import SetExposure, SetPower, Setting

from .hostile import Rules, is_plain
from .made import LIMITS, SETTING, gate, proposal
from .oracle import SECOND, allowed, frames_at

MS = 1_000_000
RATE, FRAMES = 300, 60


@pytest.mark.parametrize(
    ("actions", "seed"),
    [(2500, 1), (2500, 2), *(pytest.param(25_000, seed, marks=pytest.mark.slow) for seed in range(3, 7))],
)
def test_nothing_gets_past(actions: int, seed: int) -> None:
    rules, chance = Rules(seed), random.Random(seed)
    limits = replace(LIMITS, actions_per_s=RATE, frames_per_s=FRAMES)
    judge, setting = gate(limits), SETTING
    passed: list[int] = []
    frames: list[int] = []
    too_many = too_often = 0
    for step in range(actions):
        now = 10 * SECOND + step * MS
        age = chance.choice((-1, 0, 5 * MS, 300 * MS, 300 * MS + 1, 10 * SECOND)) if chance.random() < 0.2 else 0
        received = now - age
        action = rules.action()
        may = allowed(action, limits, setting) and 0 <= now - received <= 300 * MS
        lately = sum(1 for at in passed[-RATE - 1 :] if at > now - SECOND)
        calm = getattr(type(action), "kind", "") in ("pause", "stop")
        verdict = judge.judge(proposal(action, received), action, setting, now)
        if "frames asked for within" in verdict.reason:
            too_many += 1
            assert may
            continue
        assert verdict.passed == (may and (calm or lately < RATE)), (step, action, verdict.reason)
        too_often += may and not verdict.passed
        if verdict.passed:
            assert verdict.action is not None
            assert is_plain(verdict.action)
            assert allowed(verdict.action, limits, setting)
            passed.append(now)
            frames += frames_at(verdict.action, setting, now)
            setting = _after(setting, verdict.action)
    assert min(len(passed), too_many, too_often) > 0.004 * actions  # enough of all, or nothing was shown
    times = np.sort(frames)
    within = np.arange(len(times)) - np.searchsorted(times, times - SECOND, "right") + 1
    assert within.max() <= FRAMES


def _after(setting: Setting, action: Any) -> Setting:
    """The microscope goes where it is told: the next action is judged from there."""
    if action.kind == "move_stage":
        return replace(setting, x_um=action.x_um, y_um=action.y_um)
    if action.kind == "move_focus":
        return replace(setting, z_um=action.z_um)
    if isinstance(action, SetExposure):
        return replace(setting, exposure_ms=action.exposure_ms)
    if isinstance(action, SetPower):
        lights = {**setting.lights, action.light: replace(setting.lights[action.light], power_mw=action.power_mw)}
        channels = {channel: {name: lights[name] for name in each} for channel, each in setting.channels.items()}
        return replace(setting, lights=lights, channels=channels)
    return setting
