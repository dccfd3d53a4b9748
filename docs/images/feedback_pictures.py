"""Makes the picture of docs/feedback-journal.md, of invented events: python docs/images/feedback_pictures.py."""

from __future__ import annotations

import random
import tempfile
from pathlib import Path

from onscope.runtime import FrameId
from onscope.runtime.feedback import (
    Action,
    Asked,
    Command,
    Done,
    MoveStage,
    Proposal,
    Recentre,
    ScaleExposure,
    SetExposure,
    SetInterval,
    Target,
    Verdict,
)
from onscope.runtime.feedback.journal import Journal, timeline

HERE = Path(__file__).parent
SECOND, HOUR_S = 10**9, 3600
EVENTS = {"follow": 60, "mitosis": 14, "exposure": 1500}


def main() -> None:
    """An hour: a cell is followed, divisions are imaged faster, the exposure is kept; the watchdog comes once."""
    rng = random.Random(1)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "feedback.jsonl"
        with Journal(path, rules_name="mitosis.yaml", armed=True, packages={"phase": "zoo/mitosis-cells"}) as journal:
            began = journal.clock.monotonic_ns
            moments = [(rng.betavariate(2, 3) * HOUR_S, rule) for rule, count in EVENTS.items() for _ in range(count)]
            dose = 0.0
            for at_s in range(0, HOUR_S, 5):
                dose += 0.0002 * (6 if at_s // 300 % 3 == 1 else 1)
                journal.values({"dose_j_cm2": dose}, at_ns=began + at_s * SECOND)
            for at_s, rule in sorted(moments):
                _event(journal, rng, began + int(at_s * SECOND), rule, int(2 * at_s))
            stuck = began + 2556 * SECOND
            lights = [Command(stuck, "setShutterOpen", "Shutter", False)]
            journal.event("armed", "by the user", at_ns=began + SECOND)
            journal.event("safe state", "no result for 2 s", at_ns=stuck, commands=lights)
            journal.event("armed", "by the user again", at_ns=began + 2664 * SECOND)
        timeline(path, HERE / "feedback-timeline.png")


def _event(journal: Journal, rng: random.Random, received_ns: int, rule: str, seq: int) -> None:
    late = rng.random() < 0.02
    proposed_ns = received_ns + int((2300 if late else rng.lognormvariate(3.4, 0.3)) * 1e6)
    asked, action, because = _wanted(rng, rule)
    target = Target(4, 12, 120.5, 33.25, {"area": 301.0})
    frame = FrameId("a1b2c3d4", "Camera", 0, seq)
    number = journal.proposal(Proposal(rule, asked, because, frame, received_ns, proposed_ns, 5, target))
    judged_ns = proposed_ns + int(rng.lognormvariate(-1.5, 0.4) * 1e6)
    reason = ""
    if late:
        reason = f"found a frame {(judged_ns - received_ns) / 1e6:.0f} ms old, allowed are 0 to 2000 ms: decide faster"
    elif isinstance(action, MoveStage) and action.x_um > 400:
        reason = f"found {action.x_um:.0f} um as x, allowed are -500 to 400 um: set wider limits before the start"
    elif rule == "exposure" and rng.random() < 0.5:
        reason = "found 20 actions in the last 1 s, allowed are 20: give the rules cooldowns"
    journal.verdict(number, Verdict(not reason, reason or "within all limits", action, judged_ns))
    if reason:
        return
    began_ns = judged_ns + int(rng.lognormvariate(-1, 0.4) * 1e6)
    command = Command(began_ns + 200_000, "setXYPosition" if rule == "follow" else "setExposure", "", 1.0)
    if rng.random() < 0.03:
        journal.failed(number, "the stage does not answer", [command])
    else:
        journal.done(number, Done(began_ns, began_ns + int(rng.lognormvariate(2, 0.5) * 1e6), (command,)))


def _wanted(rng: random.Random, rule: str) -> tuple[Asked, Action, str]:
    if rule == "mitosis":
        fast = SetInterval(rng.choice([1.0, 10.0]))
        return fast, fast, f"2 of the last 3 frames: score of phase 0.{rng.randint(81, 99)} > 0.8"
    if rule == "follow":
        place = MoveStage(rng.uniform(-500, 500), rng.uniform(-500, 500))
        return Recentre(), place, "distance from the middle 14.2 um > 5 um"
    return ScaleExposure(4.2, 6.0), SetExposure(rng.uniform(5, 80)), "median of signal 4.2 < 5"


if __name__ == "__main__":
    main()
