"""The parts of a running feedback, put together for one run of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from ..._clock import now_ns
from ..._frame import Frame
from .._actions import Notify
from .._controller import Controller
from .._limits import Limits, LimitsChange
from .._proposal import Proposal
from ..dose import DoseBook
from ..gate import Gate
from ..journal import Journal
from ..notify import Notifier
from ._act import Acting
from ._budget import Budget
from ._decide import Asking, Decider
from ._hold import Hold
from ._light import RoutineLight
from ._settings import Settings
from ._source import RulesSource
from ._terms import Terms

CURVES_NS = 1_000_000_000


class Parts:
    """Everything from a proposal on: settings, doses, gate, journal, hold, controller's thread. `close` ends all.

    Raises RecordError and RuleError when journal or doses cannot be opened, or limits make no sense.
    """

    def __init__(
        self,
        controller: Controller,
        changes: Sequence[LimitsChange],
        terms: Terms,
        rules: RulesSource,
        packages: Mapping[str, str],
        refused: Callable[[Proposal], object],
        tell: Callable[[str], object],
        told_safe: Callable[..., object],
    ) -> None:
        self._patience_s = terms.patience_s
        self.doses = DoseBook(terms.doses)
        try:
            self.gate = gate = gate_of(controller.limits(), changes, self.doses, terms.armed)
            self.limits = limits = gate.limits
            self.notifier = Notifier(limits.targets, tell=tell)
            self.journal = Journal(
                terms.journal,
                rules_name=rules.name,
                rules=rules.text,
                limits=limits,
                armed=terms.armed,
                packages=packages,
                tell=tell,
            )
        except BaseException:
            self.doses.close()
            raise
        self.settings = Settings(controller.setting())
        self.hold = Hold(controller, terms.armed, told_safe)
        self.decider = Decider(gate, rules.aim)
        self.acting = Acting(
            controller,
            self.decider,
            limits,
            self.hold,
            self.journal,
            self.settings,
            self._notify,
            refused,
            tell,
        )
        self.budget = Budget(self.hold, terms.patience_s, self.propose)
        self.light = RoutineLight(self.decider, self.settings, tell, self._lit)
        self._told_ns = 0

    def _lit(self, frame: Frame, spent: str) -> None:
        """A routine frame's light was booked: the budget hears of it, and the journal's curves now and then."""
        self.budget.lit(frame, spent)
        if (now := now_ns()) - self._told_ns < CURVES_NS:
            return
        self._told_ns = now
        setting = self.settings.of(frame)
        x_um, y_um = (setting.x_um, setting.y_um) if frame.stage_um is None else frame.stage_um[:2]
        values = {"exposure_ms": setting.exposure_ms, "interval_s": setting.interval_s}
        if x_um is not None and y_um is not None:
            values["dose_j_cm2"] = self.doses.field(x_um, y_um)
        self.journal.values({name: value for name, value in values.items() if value is not None})

    def acting_hangs(self) -> str:
        """What is wrong with the controller's thread; empty: nothing."""
        if not self.acting.alive:
            return "the controller's thread has ended"
        since, doing = self.hold.busy_ns, self.acting.doing
        if not since or doing is None:
            return ""
        took_s, expected_s = (now_ns() - since) / 1e9, self.acting.expected_s
        if took_s > expected_s + self._patience_s:
            return f"{doing.kind} hangs: it has taken {took_s:.1f} s, expected {expected_s:.1f} s"
        return ""

    def propose(self, proposal: Proposal, frame: Frame) -> None:
        """What no rule asks for, about a frame (without its pixels)."""
        number = self.journal.proposal(proposal)
        self.acting.put(Asking(number, proposal, frame, None, self.settings.of(frame)))

    def _notify(self, action: Notify) -> None:
        self.notifier.send(action.target, action.words)

    def close(self, error: str, timeout_s: float) -> None:
        """End all but the hold, which was taken before."""
        self.acting.close(timeout_s)
        self.notifier.close(timeout_s)
        self.journal.close(error)
        self.doses.close()

    def unwritten(self) -> str:
        """Why journal or doses cannot be written, in words; empty: they can."""
        return self.journal.failure or self.doses.trouble


def gate_of(limits: Limits, changes: Sequence[LimitsChange], doses: DoseBook, armed: bool) -> Gate:
    """The gate of a device's limits, as all changes together tighten them. Raises RuleError for what is no limit."""
    ordered = sorted(changes, key=lambda each: not each.targets)  # whom to tell: once, and first
    gate = Gate(limits, ordered[0] if ordered else None, doses, armed=armed)
    for change in ordered[1:]:
        gate.tighten(change)
    return gate
