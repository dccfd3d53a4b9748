"""The lane of windows: frames are gathered place by place, and a window is what the queue takes or leaves."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import replace

from .._admission import Admission
from .._clock import now_ns
from .._errors import WorkerError
from .._frame import Frame, FrameSpec
from .._lane import AS_RECORDED, BUDGET, Lane, Window
from .._ledger import Ledger, State
from ._gather import Gather
from ._gathered import GatheredWindow, gathered
from ._memories import Memories
from ._places import GAP, INCOMPLETE, Name, Places, Where
from ._run import Held, Rhythm, Run


class GatheredLane(Lane):
    """Admission and slots of one camera whose windows are gathered; `recurrent`: networks remember what came before.

    Frames that are skipped before they were copied (sampling; windows that found no place when they began) are as
    lost. The frames of jumping windows end as their window does. Of sliding ones, a frame ends as the window does whose
    answer belongs to it, and `skipped(context)` where there is none.
    """

    gathers = True

    def __init__(
        self,
        spec: FrameSpec,
        admission: Admission,
        gather: Gather,
        in_hand: int,
        lendable: int,
        ledger: Ledger,
        raw_depth: int = 0,
        *,
        recurrent: bool = False,
    ) -> None:
        super().__init__(spec, admission, in_hand, lendable, ledger, raw_depth)
        self.length = length = gather.length
        # Frames that stand in complete several windows at once; only `block` takes them all.
        at_once = gather.look_ahead if gather.on_gap == "hold" else 0
        context = gather.places * (length - 1)
        self._slots = length * (admission.depth + in_hand + lendable + at_once) + context + 1 + raw_depth
        self._lendable = length * lendable
        self._takes_all = False
        self._most = gather.places
        self._rhythm = Rhythm.of(gather, admission.every_n)
        self._places = Places(gather.along)
        self._runs: OrderedDict[tuple[Name, int | None], Run] = OrderedDict()
        self._memories = Memories(gather.places, holds=gather.on_gap == "hold") if recurrent else None
        self._where: Where | None = None
        self._copied = 0

    def furnish(self) -> None:
        try:
            super().furnish()
        except WorkerError as error:
            spare = self._most * (self.length - 1) * self.spec.nbytes / 1e6
            hint = f"{error}; or fewer places or shorter windows: what they gather takes {spare:.0f} MB of it"
            raise WorkerError(hint if spare else str(error)) from error

    @property
    def idle(self) -> bool:
        return super().idle and not any(run.held for run in self._runs.values())

    def admit(self, frame: Frame, changed: threading.Condition) -> bool:
        if not self.furnished and not self._await_slots(frame, changed):
            return False
        if self._admission.kind == "block":
            self._await_room(changed)
        if self.ended:
            return True  # the caller says what becomes of it
        where = self._where = self._locate(frame)
        run = self._run(where, frame)
        if where.unsure and self._rhythm.anchored and self._rhythm.step > 1:
            run.skip_to(where.at + 1)  # it may belong anywhere in a window
            refusal = GAP
        else:
            refusal = self._refusal(run, where.at)
        if refusal:
            run.last = where.at
            self._ledger.close_one(frame.id, "skipped", refusal)
        return not refusal

    def passes(self, frame: Frame) -> None:
        self._locate(frame)

    def _locate(self, frame: Frame) -> Where:
        """Where the frame belongs; what cannot go on with it is given up."""
        if self._places.begins_segment(frame):
            self.drop_partial(GAP)
        where = self._places.locate(frame)
        if where.begins and self._places.along != "t":  # frames of its windows follow one another directly
            self.drop_partial(GAP)
        elif where.begins or where.changed:
            for run in [run for run in self._runs.values() if run.place is where.place]:
                self._drop(run, GAP)
        return where

    def _run(self, where: Where, frame: Frame) -> Run:
        """The run that the frame is the next of."""
        run = self._runs.get(where.key)
        if run is not None and where.at <= run.last:  # the next stack, where nothing else tells them apart
            self._drop(run, GAP if self._places.along == "t" else INCOMPLETE)
            run = None
        if run is None:
            return self._begin(where)
        self._runs.move_to_end(where.key)
        missing = where.at - run.last - 1
        if not missing:
            return run
        where.place.gap = True
        if self._rhythm.holds and missing < self.length and run.last in run.held and not where.unsure:
            slot = run.fill(where.at).slot
            for _ in range(missing):
                self.ring.hold(slot)
            now = now_ns()
            self._complete(run, frame.received_ns, now, now)
        else:
            self._close(run, GAP)
            self._give(run.release_all())
            run.skip_to(where.at)
        return run

    def _begin(self, where: Where) -> Run:
        if self._places.along != "t":
            # A stack that begins farther down than an earlier one of its place has come is the next one.
            for run in [run for run in self._runs.values() if run.place is where.place and run.last > where.at]:
                self._drop(run, INCOMPLETE)
            where.place.why = GAP if where.changed or (where.at and self._rhythm.anchored) else INCOMPLETE
            if self._rhythm.sliding:
                where.place.life += 1  # what was remembered of the last plane says nothing of the first
        while len(self._runs) >= self._most:
            self._drop(next(iter(self._runs.values())), "too many places")
        run = self._runs[where.key] = Run(self._rhythm, where.place, where.key, where.at)
        if where.begins:
            run.anchor = where.at
        where.place.why = INCOMPLETE
        return run

    def _refusal(self, run: Run, at: int) -> str:
        """Why a frame is not copied; "": it is."""
        reason = run.refusal(at)
        if self._rhythm.sliding:
            return "" if run.needs(at) else reason
        start = run.start_of(at)
        if not reason and start not in run.begun and self._admission.kind == "keep_oldest" and self._no_room():
            assert start is not None
            run.refused = start, (reason := self._full)
            run.place.gap = True
        return reason

    def commit(
        self, frame: Frame, slot: int, submitted_ns: int, copied_ns: int, chosen: tuple[int, ...] | None = None
    ) -> None:
        where = self._where
        assert where is not None
        # While it was copied, the wait for the end may have given up what it belonged to.
        run = self._runs.get(where.key) or self._begin(where)
        start, reason = run.start_of(where.at), run.refusal(where.at)
        run.chosen, run.last = chosen, where.at
        if reason:
            self._ledger.close_one(frame.id, "skipped", reason)
            if not self._rhythm.sliding:
                self.ring.give(slot)
                return
        elif start is not None and (not run.begun or run.begun[-1] != start):
            run.begun.append(start)
        # The slot is the only copy that is kept: the camera's own array can go.
        kept = replace(frame, pixels=self.ring.views[slot])
        self._copied += 1
        run.held[where.at] = Held(kept, slot, where.at, not reason, self._copied)
        self._complete(run, frame.received_ns, submitted_ns, copied_ns)

    def _complete(self, run: Run, newest_ns: int, submitted_ns: int, copied_ns: int) -> None:
        for start in run.complete():
            window = gathered(run, start)
            for slot in window.slots:
                self.ring.hold(slot)
            window.newest_ns, window.submitted_ns, window.copied_ns = newest_ns, submitted_ns, copied_ns
            if self._admission.only is not None and window.frames[window.target].id not in self._admission.only:
                self.end(window, "skipped", AS_RECORDED)
                continue
            if self._pace is not None and not self._pace.takes(window.frames[window.target]):
                window.place.windows -= 1  # no gap: what is left out on purpose is the rhythm
                window.place.gap |= window.after_gap
                self.end(window, "skipped", BUDGET)
                continue
            if self._newest and len(self.waiting) >= self._depth:
                self.end(self.waiting.popleft(), "skipped", self._full)
            if self._admission.kind == "keep_oldest" and self._no_room():
                self.end(window, "skipped", self._full)
            else:
                self.waiting.append(window)
        self._give(run.release())

    def next(self) -> Window | None:
        window = super().next()
        if isinstance(window, GatheredWindow) and self._memories is not None:
            window.state, window.reset = self._memories.of(window.place, window.life, window.turn, window.after_gap)
        return window

    def end(self, window: Window, state: State, reason: str) -> None:
        self._ledger.close(window.owned, state, reason)
        self._give(window.slots)
        if state == "failed" and isinstance(window, GatheredWindow) and self._memories is not None:
            self._memories.forget(window.place, window.turn if window.sent_ns else None)

    def forget_states(self) -> None:
        if self._memories is not None:
            self._memories.clear()

    def drop_partial(self, reason: str, state: State = "skipped") -> None:
        for run in list(self._runs.values()):
            self._drop(run, reason, state)

    def give_up(self, reason: str) -> None:
        for run in list(self._runs.values()):
            if run.begun and self._rhythm.sliding:
                self._close(run, reason)  # what comes later still has these frames before it
            elif run.begun:
                self._drop(run, reason)

    def _drop(self, run: Run, reason: str, state: State = "skipped") -> None:
        self._close(run, reason, state)
        self._give(run.release_all())
        run.place.why = reason
        del self._runs[run.key]

    def _close(self, run: Run, reason: str, state: State = "skipped") -> None:
        """The windows that were begun are not built."""
        run.place.gap |= bool(run.begun)
        run.begun.clear()
        for held in run.held.values():
            if held.open:
                held.open = False
                self._ledger.close_one(held.frame.id, state, reason)

    def _give(self, slots: Sequence[int]) -> None:
        for slot in slots:
            self.ring.give(slot)
