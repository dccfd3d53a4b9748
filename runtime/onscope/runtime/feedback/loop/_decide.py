"""From a proposal to a verdict: aimed, then judged by the gate; whatever fails on the way refuses it."""

from __future__ import annotations

from dataclasses import dataclass

from ..._clock import now_ns
from ..._errors import RuleError
from ..._frame import Frame
from ..._result import Result
from .._actions import Action
from .._controller import Setting
from .._proposal import Proposal, Verdict
from ..aim import AimSettings, aim
from ..gate import Gate


@dataclass(frozen=True, slots=True, eq=False)
class Asking:
    """One proposal with what it was made of: the frame (without pixels), its result, and the setting of that time.

    `number` is its number in the journal.
    """

    number: int
    proposal: Proposal
    frame: Frame
    result: Result | None
    setting: Setting


class Decider:
    """Aims proposals and has the gate judge them; from any thread."""

    def __init__(self, gate: Gate, settings: AimSettings) -> None:
        self._gate, self._settings = gate, settings

    def decide(self, asking: Asking, now: Setting, held: str) -> Verdict:
        """The verdict on it, as the microscope stands `now`; refused while it is `held`. Never raises."""
        action: Action | None = None
        try:
            action = aim(asking.proposal, asking.result, asking.frame, asking.setting, self._settings)
            if held:
                return refused(f"the microscope is held in its safe state: {held}", action)
            return self._gate.judge(asking.proposal, action, now, now_ns())
        except RuleError as error:
            return refused(str(error), action)
        except Exception as error:
            # Broad on purpose: what neither aim nor gate can make sense of does not pass.
            return refused(f"it could not be judged ({error!r})", action)

    def fresh(self, verdict: Verdict) -> bool:
        """Whether an action may still be applied."""
        return self._gate.still_fresh(verdict, now_ns())

    def exposed(self, frame: Frame, setting: Setting) -> str:
        """Book the light of a routine frame; why routine imaging has to pause, in words (empty: it has not)."""
        return self._gate.exposed(frame, setting)

    def done(self, action: Action, setting: Setting) -> None:
        """An action was carried out, or tried."""
        self._gate.done(action, setting)


def refused(reason: str, action: Action | None = None) -> Verdict:
    """A verdict that the loop itself gives."""
    return Verdict(False, reason, action, now_ns())
