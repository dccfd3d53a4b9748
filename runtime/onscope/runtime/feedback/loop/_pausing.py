"""Routine frames paused by a person, through the gate and the controller like all else."""

from __future__ import annotations

import time

from ..._clock import now_ns
from ..._errors import ControlError
from .._actions import Pause, Resume
from .._proposal import Proposal
from ._budget import PRIORITY
from ._parts import Parts

LOOK_S = 0.002
PERSON = "a person"
"""Who asks, in the journal, where rules have their names."""


def pause(parts: Parts, paused: bool, patience_s: float) -> None:
    """See `Feedback.pause` and `unpause`."""
    if not parts.hold.armed_ns:
        raise ControlError("found the feedback in shadow mode, in which nothing is carried out: arm it first")
    frame = parts.light.last
    if frame is None:
        raise ControlError("found no frame so far, expected some to pause: wait until the first one has come")
    now, action = now_ns(), Pause() if paused else Resume()
    # The frame only says whose run it is: a person decides now, however old it is.
    parts.propose(Proposal(PERSON, action, "a person said so", frame.id, now, now, PRIORITY), frame)
    end = time.monotonic() + patience_s
    while parts.settings.now.paused != paused:
        if time.monotonic() > end or (parts.acting.idle and parts.settings.now.paused != paused):
            raise ControlError(
                f"found that routine frames {'go on' if paused else 'are still paused'}: the journal says why"
            )
        time.sleep(LOOK_S)
