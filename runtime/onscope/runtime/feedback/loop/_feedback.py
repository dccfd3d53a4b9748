"""Feedback: what a user holds. Results go to the rules, proposals to the gate, actions to the controller."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Literal, Self

from ..._errors import RuleError
from .._controller import Controller
from .._limits import Limits, LimitsChange
from ..aim import AimSettings
from ..rules import RuleBook, TunableRule
from ._hold import Heartbeat
from ._loop import Loop
from ._source import RulesSource
from ._terms import Terms
from ._watch import Watch

if TYPE_CHECKING:
    from ..._runtime import Runtime


class Feedback:
    """Smart feedback while the block lasts: `with Runtime(p) as runtime, Feedback(runtime, "rules.yaml", controller):`.

    `rules`: a file of rules (.yaml, or .py, which only the rules' own process imports), or with `rules_in="thread"` a
    RuleBook; `controller` moves the microscope. Nothing is carried out unless `armed`: in shadow mode all the same is
    decided and journalled. `journal`: the file of it, made new (None: a dated one here); `doses`: the file of the light
    given so far, which survives (None: it counts from 0); `limits` tightens those of the devices, and the rule file may
    tighten them further. `rules_in` "process" (rules that hang or die hold nothing up) or "thread". `aim`: how the
    camera's pixels lie to the stage (None: as the rule file says).

    The watchdog takes the microscope to its safe state, after which everything is refused until `resume()`, when: no
    result comes for `patience_s` seconds while frames are taken (windows of many slow frames need more), the worker
    died and is not back by then, rules end or give no answer for so long, a `watch` fails, an action hangs, the journal
    cannot be written, or a part of the feedback itself fails. With `safe_on_exit` it is also made safe at the end of
    the block, however that comes. `heartbeat` beats only while all is well, for a hardware watchdog.

    Raises RuleError for rules that cannot be used, RecordError for a journal or doses that cannot.
    """

    def __init__(
        self,
        runtime: Runtime,
        rules: RuleBook | str | Path,
        controller: Controller,
        *,
        armed: bool = False,
        journal: str | Path | None = None,
        doses: str | Path | None = None,
        limits: LimitsChange | None = None,
        rules_in: Literal["process", "thread"] = "process",
        patience_s: float = 2.0,
        safe_on_exit: bool = True,
        aim: AimSettings | None = None,
        heartbeat: Heartbeat | None = None,
    ) -> None:
        if rules_in not in ("process", "thread"):
            raise RuleError(f"found rules_in={rules_in!r}, expected 'process' or 'thread': choose one")
        if not patience_s > 0:
            raise RuleError(f"found patience_s={patience_s}, expected seconds above 0: 2, say")
        named = f"onscope-feedback-{datetime.now().astimezone():%Y%m%d-%H%M%S}.jsonl"
        self._terms = Terms(
            armed=armed,
            journal=Path(journal or named),
            doses=None if doses is None else Path(doses),
            patience_s=patience_s,
            safe_on_exit=safe_on_exit,
        )
        self._runtime, self._controller, self._heartbeat = runtime, controller, heartbeat
        self._limits = limits
        if isinstance(rules, (str, Path)):
            self._rules = RulesSource.read(rules, runtime.pipeline, aim)
        elif rules_in == "thread":
            self._rules = RulesSource.of(rules, runtime.pipeline, aim)
        else:
            raise RuleError(
                "found rules in this process, expected a file for those in a process of their own: give the file's "
                "path, or say rules_in='thread'"
            )
        self._in_process = rules_in == "process"
        self._loop: Loop | None = None

    @property
    def armed(self) -> bool:
        """Whether what the gate lets pass is carried out."""
        return self._terms.armed if self._loop is None else bool(self._loop.parts.hold.armed_ns)

    @property
    def journal(self) -> Path:
        """The journal's file."""
        return self._terms.journal

    @property
    def held(self) -> str:
        """Why the microscope is held in its safe state; empty: it is not."""
        return self._running.parts.hold.reason

    @property
    def limits(self) -> Limits:
        """Those that hold: the devices', tightened."""
        return self._running.parts.limits

    @property
    def counts(self) -> dict[str, int]:
        """Proposals that were done, shadow (would have been done), refused, or failed (at the hardware)."""
        return {name: self._running.parts.acting.counts[name] for name in ("done", "shadow", "refused", "failed")}

    @property
    def stopped(self) -> bool:
        """Whether an action ended the acquisition."""
        return self._running.parts.acting.stopped.is_set()

    @property
    def rules_pid(self) -> int:
        """Process id of the rules; 0 while they are in a thread, or have ended."""
        return self._running.rules_pid

    def watch(self, name: str, *, within_s: float | None = None, pid: int | None = None) -> Watch:
        """Have something watched: it must `beat()` every `within_s` seconds, the process `pid` must live.

        The safe state is taken when it stops, unless its `close()` was called before. Raises ControlError for a process
        that there is not.
        """
        return self._running.watch(name, within_s, pid)

    def hold(self, reason: str) -> None:
        """Take the microscope to its safe state, and refuse everything until `resume()`; returns at once."""
        self._running.parts.hold.take(reason)

    def resume(self) -> None:
        """Go on after a safe state: lights and shutters stay as they are, and actions pass again.

        Rules that ended are started again. Raises RuleError when they cannot be.
        """
        self._running.resume()

    def arm(self) -> None:
        """From now on carry out what the gate lets pass, of frames that are received from now on.

        What rules asked for before is refused; they keep what they remember (cooldowns, objects that they have seen),
        and the gate its rates and doses. It is journalled before anything is done. Raises ControlError while the
        microscope is held, RecordError when the journal cannot be written; it is in shadow mode then as before.
        """
        self._running.arm()

    def shadow(self) -> None:
        """From now on carry out nothing; decide and journal as before. Waits for the action that is under way.

        Lights and shutters stay as they are; a safe state that is due is still taken. Raises ControlError when the
        action under way does not end in `patience_s` seconds: it is the last one, and the watchdog sees to it.
        """
        self._running.shadow()

    def pause(self) -> None:
        """Have no routine frames taken until `unpause`: through gate and controller, and journalled, as for a rule.

        Back when it is done. Raises ControlError in shadow mode, before the first frame, or where it was refused or the
        microscope cannot; the journal says why.
        """
        self._running.pause(True)

    def unpause(self) -> None:
        """Have routine frames taken again; raises as `pause` does."""
        self._running.pause(False)

    @property
    def tunable(self) -> tuple[TunableRule, ...]:
        """Thresholds of a YAML file's rules that `tune` may change, with their values now; others have none."""
        return self._running.tuning.tunable

    def tune(self, rule: str, name: str, value: float) -> None:
        """Change a rule's threshold from the next result on: `tune("metaphase", "score.above", 0.7)`; it is journalled.

        Rules that are started again have it too. Raises RuleError for one that there is not, or a value that makes no
        sense there; nothing is changed then.
        """
        self._running.tuning.tune(rule, name, value)

    def settle(self, timeout_s: float = 10.0) -> bool:
        """Wait until all results so far were decided on, and what followed was done; whether that came in time."""
        return self._running.settle(timeout_s)

    @property
    def _running(self) -> Loop:
        if self._loop is None:
            raise RuleError("found a feedback that does not run, expected one within its `with` block: enter it first")
        return self._loop

    def __enter__(self) -> Self:
        self._loop = Loop(
            self._runtime, self._rules, self._in_process, self._controller, self._limits, self._terms, self._heartbeat
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._running.close("" if error is None else f"{type(error).__name__}: {error}")
