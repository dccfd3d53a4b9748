"""A window as it is sent: frames in their slots, whose accounts it ends, and what it follows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from .._frame import FrameId
from .._lane import Window
from ._places import Place
from ._run import Run


@dataclass(slots=True, eq=False)
class GatheredWindow(Window):
    """A window of several frames, or of a recurrent network.

    Where windows slide, it owns the account of its target alone; else those of all its frames but the stand-ins.
    """

    owned: Sequence[FrameId] = ()
    keys: Sequence[int] | None = None
    newest_ns: int = 0
    target: int = -1
    padded: int = 0
    state: int | None = None
    reset: bool = False
    place: Place = field(default_factory=lambda: Place(()))
    turn: int = 0
    life: int = 0
    after_gap: bool = False


def gathered(run: Run, start: int) -> GatheredWindow:
    """The window that begins with number `start` of a run; the holds of its slots are the caller's to take."""
    rhythm, place = run.rhythm, run.place
    held, numbers = run.window(start), run.numbers(start)
    own = [each for each, number in zip(held, numbers, strict=True) if each.at == number]
    owners = [held[rhythm.target]] if rhythm.sliding else own
    for owner in owners:
        owner.open = False
    window = GatheredWindow(
        [each.frame for each in held],
        [each.slot for each in held],
        chosen=run.chosen,
        wanted=run.chosen,
        owned=[owner.frame.id for owner in owners],
        keys=[each.number for each in held] if rhythm.length > 1 else None,
        target=rhythm.target,
        padded=len(held) - len(own),
        place=place,
        turn=place.windows,
        life=place.life,
        after_gap=place.gap,
    )
    place.windows, place.gap = place.windows + 1, False
    return window
