"""Proposals, verdicts and outcomes to write journals of."""

from __future__ import annotations

import math

import numpy as np

from onscope.runtime import FrameId
from onscope.runtime.feedback import (
    Action,
    Asked,
    Autofocus,
    Burst,
    Command,
    Done,
    GoTo,
    Illuminate,
    Mark,
    MoveFocus,
    MoveStage,
    Notify,
    Pause,
    Project,
    Proposal,
    Pulse,
    Recentre,
    Refocus,
    Resume,
    ScaleExposure,
    ScalePower,
    SetExposure,
    SetInterval,
    SetPower,
    SetPreset,
    Stack,
    Stop,
    Target,
    Tiles,
    Verdict,
    Visit,
    Wish,
)

MASK = np.zeros((40, 60), np.uint8)
MASK[10:20, 30:45] = 255
ACTIONS: tuple[Action, ...] = (
    MoveStage(12.5, -3.25),
    MoveFocus(4.0),
    Autofocus(10.0, 1.0, "DAPI", 20.0),
    SetPreset("Channel", "FITC"),
    SetExposure(12.0),
    SetPower("laser 488", 1.5),
    SetInterval(2.0),
    Burst(50, 0.0, "FITC"),
    Stack(11, 0.5),
    Visit(((0.0, 1.0), (2.0, 3.0)), stay=True),
    Project(MASK, 0.5, 10.0, 20.0, "laser 405", 0.5, 100.0),
    Pulse("ttl 1", 5.0),
    Mark("here"),
    Notify("phone", "a cell divides"),
    Pause(30.0),
    Pause(),
    Resume(),
    Stop("enough"),
)
WISHES: tuple[Wish, ...] = (
    Recentre(),
    GoTo(1.0, 2.0),
    Refocus(-0.5),
    ScaleExposure(3.0, 6.0),
    ScalePower("laser 488", 3.0, 6.0),
    Illuminate("nuclei", "laser 405", 0.5, 100.0, 1.0),
    Tiles(2, 3),
)
SECOND = 1_000_000_000


def proposal(asked: Asked, at_ns: int = 5 * SECOND, *, rule: str = "mitosis", seq: int = 7, **more: object) -> Proposal:
    """One of a frame that was received 40 ms before."""
    held: dict[str, object] = {
        "because": "2 of the last 3 frames: score of phase 0.91 > 0.8",
        "target": Target(4, 12, 120.5, 33.25, {"area": 301.0}),
        "values": {"score": 0.91, "odd": math.nan},
        "models": {"phase": "ab" * 32},
        **more,
    }
    frame = FrameId("r1", "Camera", 0, seq)
    return Proposal(rule, asked, frame=frame, received_ns=at_ns - 40_000_000, proposed_ns=at_ns, **held)  # type: ignore[arg-type]


def passed(action: Action | None, at_ns: int = 5 * SECOND) -> Verdict:
    return Verdict(True, "within all limits", action, at_ns + 300_000)


def refused(reason: str, at_ns: int = 5 * SECOND, action: Action | None = None) -> Verdict:
    return Verdict(False, reason, action, at_ns + 300_000)


def done(at_ns: int = 5 * SECOND) -> Done:
    commands = (
        Command(at_ns + 900_000, "setProperty", "Laser 488", ["Power", 1.5]),
        Command(at_ns + 1_900_000, "setExposure", "Camera", 12.0),
    )
    return Done(at_ns + 800_000, at_ns + 2_500_000, commands)
