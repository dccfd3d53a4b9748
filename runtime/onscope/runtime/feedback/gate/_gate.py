"""The gate: every action comes through here, and what it says is final."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import replace
from threading import RLock
from typing import Any

from ..._errors import RecordError
from ..._frame import Frame
from .._actions import Action, Pause, Stop
from .._controller import Setting
from .._limits import Limits, LimitsChange
from .._proposal import Proposal, Verdict
from ..dose import DoseBook, Exposures, LightUnknownError, Lit, Square
from ._budget import Budget
from ._checks import CHECKS, check
from ._limited import settled, tighten
from ._rates import Rates
from ._values import RefusedError, is_one_of, shown

REMEMBERED = 256
"""Verdicts that can still be asked for, and actions whose light is booked and that are not yet reported done."""


class Gate:
    """Judges every action against `limits`, those of the devices, tightened by the user's before the start; nobody can
    loosen them afterwards. Rates, ages and budgets of light dose (in `doses`) count as well.

    `armed` False: what passes will not be carried out, and no light is booked for it. Called from any thread. Raises
    RuleError for limits that are none.
    """

    def __init__(
        self, limits: Limits, tightened: Limits | LimitsChange | None, doses: DoseBook, *, armed: bool = True
    ) -> None:
        held = settled(limits)
        if tightened is not None:
            if not held.targets and tightened.targets:  # whom to tell is the user's own affair: no device has any
                held = settled(replace(held, targets=tightened.targets))
            held = tighten(held, tightened)
        self._limits = held
        self._doses, self._budget = doses, Budget(doses)
        self._armed = armed
        self._rates = Rates()
        self._lock = RLock()
        self._last_ns = -(2**63)
        self._passed: OrderedDict[int, Verdict] = OrderedDict()
        self._booked: OrderedDict[int, tuple[Action, Exposures]] = OrderedDict()
        self._over = ""

    @property
    def limits(self) -> Limits:
        """The limits that hold."""
        return self._limits

    def arm(self, armed: bool) -> None:
        """Whether what passes from now on will be carried out; light is booked for it only then."""
        with self._lock:
            self._armed = armed

    def tighten(self, change: Limits | LimitsChange) -> None:
        """Narrower limits from now on; raises RuleError as `tighten` does, and leaves them as they were."""
        with self._lock:
            self._limits = tighten(self._limits, change)

    def judge(self, proposal: Proposal, action: Action, setting: Setting, now_ns: int) -> Verdict:
        """Whether an action passes, as the microscope stands in `setting`. Never raises.

        The verdict's action is made anew of plain values: it, and no other, is to be applied. Its light is booked with
        the verdict: whatever happens next, it is not forgotten.
        """
        with self._lock:
            try:
                return self._judge(proposal, action, setting, now_ns)
            except RefusedError as refusal:
                return Verdict(False, str(refusal), action if is_one_of(action, tuple(CHECKS)) else None, now_ns)
            except Exception as error:  # broad on purpose: what cannot be judged does not pass
                words = f"found an action that cannot be judged ({type(error).__name__}), allowed are plain values"
                return Verdict(False, f"{words}: look at the rule", None, now_ns)

    def _judge(self, proposal: Proposal, action: Action, setting: Setting, now_ns: int) -> Verdict:
        limits = self._limits
        _check_age(proposal, limits, now_ns)
        checked = check(action, limits, setting)
        # Threads may tell their times out of order; the windows of the rates only ever go on.
        self._last_ns = max(self._last_ns, now_ns)
        calming = isinstance(checked.action, (Pause, Stop))
        self._rates.check(checked, limits, self._last_ns, calming=calming)
        exposures = self._budget.check(checked.action, limits, setting)
        if self._armed and exposures:
            self._book(checked.action, exposures)
        self._rates.note(checked, limits, self._last_ns)
        reason = "within the limits"
        if exposures:
            reason += f"; its light brings no place above {exposures.field_j_cm2:.4g} J/cm2"
        verdict = Verdict(True, reason, checked.action, now_ns)
        _remember(self._passed, id(verdict), verdict)
        return verdict

    def _book(self, action: Action, exposures: Exposures) -> None:
        try:
            self._doses.book(exposures)
        except RecordError as error:
            raise RefusedError(str(error)) from error
        _remember(self._booked, id(action), (action, exposures))

    def still_fresh(self, verdict: Verdict, now_ns: int) -> bool:
        """Whether an action may be applied now: this gate let it pass, `apply_ms` ago at most."""
        with self._lock:
            ours = self._passed.get(id(verdict)) is verdict
            return ours and 0 <= now_ns - verdict.judged_ns <= self._limits.apply_ms * 1e6

    def exposed(self, frame: Frame, setting: Setting) -> str:
        """Book the light of a routine frame; what `over_budget` says from now on."""
        with self._lock:
            try:
                self._over = self._budget.spent(self._doses.exposed(frame, setting), self._limits)
            except (LightUnknownError, ValueError, RecordError) as error:
                # Light that nobody can tell or keep is over any budget; where there is none it is only not booked.
                self._over = str(error) if self._budget.set(self._limits) else ""
            return self._over

    def over_budget(self) -> str:
        """Why routine imaging has to pause, in words; empty: it has not to. Judged at each routine frame."""
        return self._over

    def done(self, action: Action, setting: Setting) -> None:
        """An action was carried out, or tried, as the microscope stood in `setting`: of its light, what was not booked
        with its verdict is booked now.
        """
        with self._lock:
            mine = self._booked.pop(id(action), None)
            before = mine[1].parts if mine is not None and mine[0] is action else ()
            try:
                given = self._doses.would(action, setting).parts
                self._doses.book(self._doses.after(_beyond(given, before)))
            except (LightUnknownError, ValueError, RecordError) as error:
                self._over = self._over or (str(error) if self._budget.set(self._limits) else "")

    def objects(self, frame: Frame, *told: Any, **more: Any) -> None:
        """Where tracked objects are: as `DoseBook.objects` has it."""
        self._doses.objects(frame, *told, **more)


def _check_age(proposal: Proposal, limits: Limits, now_ns: int) -> None:
    if type(proposal) is not Proposal or type(proposal.received_ns) is not int or type(now_ns) is not int:
        raise RefusedError(
            f"found {shown(proposal)} without the time of its frame, allowed is a proposal with it: look at the rule"
        )
    age_ms = (now_ns - proposal.received_ns) / 1e6
    if not 0 <= age_ms <= limits.stale_ms:
        raise RefusedError(
            f"found a frame {age_ms:.1f} ms old, allowed are 0 to {limits.stale_ms:g} ms: decide faster, or allow "
            "older ones before the start"
        )


def _remember(kept: OrderedDict[int, Any], key: int, value: object) -> None:
    kept[key] = value
    if len(kept) > REMEMBERED:
        kept.popitem(last=False)


def _beyond(given: tuple[Lit, ...], booked: tuple[Lit, ...]) -> tuple[Lit, ...]:
    """What was given beyond what was booked for the same place."""
    before: dict[tuple[float, ...], float] = {}
    for part in booked:
        before[_where(part)] = before.get(_where(part), 0.0) + part.j_cm2
    beyond = []
    for part in given:
        rest = part.j_cm2 - before.get(_where(part), 0.0)
        before[_where(part)] = max(-rest, 0.0)
        if rest > 0:
            beyond.append(replace(part, j_cm2=rest))
    return tuple(beyond)


def _where(part: Lit) -> tuple[float, ...]:
    return part.x_um, part.y_um, part.side_um if isinstance(part, Square) else part.pixel_um
