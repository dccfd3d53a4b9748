"""A microscope's limits and setting, proposals, and one action of every kind that passes."""

from __future__ import annotations

from typing import Any

import numpy as np

from onscope.runtime import Frame, FrameId
from onscope.runtime.feedback import (
    Action,
    Autofocus,
    Burst,
    Light,
    Limits,
    Mark,
    MoveFocus,
    MoveStage,
    Notify,
    Pause,
    Project,
    Proposal,
    Pulse,
    Resume,
    SetExposure,
    SetInterval,
    SetPower,
    SetPreset,
    Setting,
    Stack,
    Stop,
    Visit,
)
from onscope.runtime.feedback.dose import DoseBook
from onscope.runtime.feedback.gate import Gate

S = 1_000_000_000
ID = FrameId("run", "camera", 0, 0)
BLUE, RED = Light(2.0, 10_000.0), Light(5.0, 40_000.0)
DISK = np.zeros((64, 64), np.uint8)
DISK[20:40, 20:40] = 255
DISK.flags.writeable = False

LIMITS = Limits(
    x_um=(-1000.0, 1000.0),
    y_um=(-500.0, 500.0),
    z_um=(0.0, 100.0),
    step_um=400.0,
    z_step_um=30.0,
    exposure_ms=(1.0, 200.0),
    interval_s=(0.0, 60.0),
    power_mw={"blue": 10.0, "red": 20.0},
    pulse_ms={"valve": 500.0, "shutter": 50.0},
    presets={"channel": frozenset({"GFP", "Cy5"}), "objective": frozenset({"20x"})},
    targets={"me": ("notify-send",)},
    frames=50,
    actions_per_s=20.0,
    frames_per_s=100.0,
    stale_ms=300.0,
    apply_ms=100.0,
    project_ms=1000.0,
    action_s=120.0,
)
SETTING = Setting(
    x_um=100.0,
    y_um=0.0,
    z_um=50.0,
    exposure_ms=20.0,
    interval_s=1.0,
    channel="GFP",
    channels={"GFP": {"blue": BLUE}, "Cy5": {"red": RED}, "both": {"blue": BLUE, "red": RED}},
    lights={"blue": BLUE, "red": RED},
    lines={"shutter": "blue"},
    pixel_um=1.0,
    shape=(100, 100),
)
PASSING: tuple[Action, ...] = (
    MoveStage(200.0, 100.0),
    MoveFocus(60.0),
    Autofocus(20.0, 2.0),
    SetPreset("channel", "Cy5"),
    SetExposure(50.0),
    SetPower("blue", 3.0),
    SetInterval(0.5),
    Burst(10, 30.0, "Cy5", 10.0),
    Stack(11, 1.0),
    Visit(((100.0, 0.0), (200.0, 0.0))),
    Project(DISK, 1.0, 100.0, 0.0, "blue", 5.0, 100.0),
    Pulse("shutter", 10.0),
    Mark("seen"),
    Notify("me", "look"),
    Pause(3.0),
    Resume(),
    Stop("enough"),
)


def gate(limits: Limits = LIMITS, doses: DoseBook | None = None, **more: Any) -> Gate:
    return Gate(limits, None, doses or DoseBook(), **more)


def proposal(action: Any, received_ns: int = 0) -> Proposal:
    return Proposal("rule", action, "because", ID, received_ns, received_ns)


def frame(seq: int = 0, **more: Any) -> Frame:
    return Frame(FrameId("run", "camera", 0, seq), np.zeros((100, 100), np.uint16), **more)
