"""The report of a rehearsal, as plain values."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from .._actions import MoveStage, Visit
from ._pass import Pass
from ._score import RuleScore, refusals, scores


@dataclass(frozen=True, slots=True)
class Report:
    """What would have been done (on a specimen: was done), what was missed and what was false.

    `hours` of the sample's life, `frames` of the routine and those that actions took. `actions` by kind, of what was
    carried out; `refused` by reason; `moves` are the places (x_um, y_um) that the stage was sent to. `dose_j_cm2` is
    the mean over the cells that were in the first view, `died` how many of `cells` died, `killed` of light; None:
    unknown.
    """

    on: str
    rules: str
    seed: int | None
    answers: str
    armed: bool
    hours: float
    frames: int
    taken: int
    results: int
    scores: tuple[RuleScore, ...]
    actions: Mapping[str, int]
    refused: Mapping[str, int]
    moves: tuple[tuple[float, float], ...] = ()
    events: tuple[str, ...] = ()
    cells: int | None = None
    dose_j_cm2: float | None = None
    died: int | None = None
    killed: int | None = None
    failures: Mapping[str, int] = field(default_factory=dict)
    ended: str = ""
    took_s: float = 0.0

    def as_json(self) -> dict[str, Any]:
        """As plain values that JSON can hold; scores with what was missed."""
        told = asdict(self)
        told["scores"] = [{**asdict(each), "missed": each.missed} for each in self.scores]
        return {"schema": 1, **told}


def report_of(
    done: Pass,
    *,
    on: str,
    rules: str,
    seed: int | None,
    answers: str,
    armed: bool,
    kinds: Collection[str],
    judged: Collection[str] = (),
    took_s: float = 0.0,
) -> Report:
    """The report of one pass."""
    story = done.story
    acted = [deed for deed in done.deeds if deed.verdict.passed and deed.verdict.action is not None and not deed.failed]
    asked = [deed.verdict.action for deed in acted if deed.verdict.action is not None]
    moves: list[tuple[float, float]] = []
    for action in asked:
        if isinstance(action, MoveStage):
            moves.append((action.x_um, action.y_um))
        elif isinstance(action, Visit):
            moves += action.places
    doses = list(story.doses.values()) if story is not None else []
    return Report(
        on=on,
        rules=rules,
        seed=seed,
        answers=answers,
        armed=armed,
        hours=(done.end_s - done.begin_s) / 3600,
        frames=done.routine,
        taken=done.taken,
        results=done.results,
        scores=tuple(scores(done, kinds, judged)),
        actions=dict(Counter(action.kind for action in asked)),
        refused=dict(refusals(done.deeds)),
        moves=tuple(moves),
        events=tuple(sorted(kinds)),
        cells=len(doses) if doses else None,
        dose_j_cm2=float(np.mean(doses)) if doses else None,
        died=len(story.died) if story is not None and doses else None,
        killed=sum(story.died.values()) if story is not None and doses else None,
        failures=dict(done.failures),
        ended=done.ended,
        took_s=took_s,
    )
