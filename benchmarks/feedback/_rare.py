"""Rare events: event-driven imaging against a fixed slow and a fixed fast rate, on the specimen `rare-event`."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from onscope.runtime import Crops, Measure, Pipeline, Stage
from onscope.runtime.feedback.dose import DoseBook
from onscope.runtime.feedback.gate import Gate
from onscope.runtime.feedback.rehearse import Answers, Detector, NetworkAnswers, TruthAnswers, run_pass
from onscope.runtime.feedback.rules import RuleBook
from onscope.runtime.trust import OFF

from .._rows import Row
from . import watch_divisions
from ._plan import Plan
from ._rare_picture import picture
from ._rare_use import COVERED, EDGE_UM, Logged, Use, covered

Tell = Callable[[str], object]
DETECTOR = Detector(sensitivity=0.9, specificity=0.995, found=0.98)
"""Of dividing cells that are told to divide, of others that are not, and of all that are found. The shipped networks
told so of 58 of 58 metaphases and of 2 of 17,223 whole nuclei in interphase of this scenario."""
RULES = Path(watch_divisions.__file__)
PICTURE = Path(__file__).parents[1] / "results" / "rare-event.png"
WAYS = ("slow", "event", "event, networks", "fast")


@dataclass(frozen=True)
class Outcome:
    """One way on one specimen. `divisions` in view with their whole anaphase, how many `caught`, `shown` frames of the
    anaphases; `frames` in all; `dose` J/cm2 of the mean cell and `own` of those that divided; `killed` of `cells` by
    light, and how long it `took`.
    """

    way: str
    seed: int
    divisions: int
    caught: int
    shown: int
    frames: int
    dose: float
    own: float
    killed: int
    cells: int
    took: float


def rare(plan: Plan, tell: Tell) -> Iterator[Row]:
    """A row per way of imaging and kind of cells; see `RarePlan`. Each rehearsal is one of the rules' own file."""
    seeds, use, networks = plan.rare.seeds, plan.rare.use, plan.rare.networks
    harmless = Use(use.side, use.hours, use.exposure_ms, 1.0)
    jobs = [(way, seed, use) for way in ("slow", "event", "fast") for seed in range(seeds)]
    jobs += [("event, networks", seed, use) for seed in range(networks)]
    jobs += [(way, seed, harmless) for way in ("slow", "event", "fast") for seed in range(seeds)]
    tell(f"rare: {len(jobs)} rehearsals of {use.hours:g} h, {use.side} pixels wide")
    outcomes = run_all(jobs, tell)
    told = {
        (way, which): [one for (w, _, u), one in zip(jobs, outcomes, strict=True) if w == way and u is which]
        for which in (use, harmless)
        for way in WAYS
    }
    for which, words in ((use, "sensitive cells"), (harmless, "cells that light does not harm")):
        fast, slow = told["fast", which], told["slow", which]
        for way in WAYS:
            if found := told[way, which]:
                yield _row(f"rare-event, {words}: {way}", found, fast, slow)
    if plan.rare.picture:
        picture(PICTURE, {way: told[way, use] for way in WAYS if told[way, use]}, use)


def _row(what: str, found: Sequence[Outcome], fast: Sequence[Outcome], slow: Sequence[Outcome]) -> Row:
    caught, dose = share(found), mean_dose(found)
    same = {one.seed for one in found}
    against = [one for one in fast if one.seed in same], [one for one in slow if one.seed in same]
    ratio = dose / mean_dose(against[1])
    divisions = sum(one.divisions for one in found)
    per_caught = sum(one.frames for one in found) / max(1, sum(one.caught for one in found))
    killed = 100 * sum(one.killed for one in found) / max(1, sum(one.cells for one in found))
    ours = (
        f"{sum(one.caught for one in found)} of {divisions} divisions caught ({100 * caught:.0f} %), "
        f"{sum(one.shown for one in found) / max(1, divisions):.1f} frames of an anaphase, {per_caught:,.0f} taken for "
        f"each that is caught, {dose:.1f} J/cm2 a cell, {killed:.1f} % killed by light"
    )
    event = ": event" in what
    nearly = caught >= 0.9 * share(against[0]) and ratio <= 1.5
    return Row(
        what,
        ours,
        f"slow: {mean_dose(against[1]):.1f} J/cm2; fast: {100 * share(against[0]):.0f} % caught" if event else "",
        round(ratio, 3),
        "caught at least 0.9 of fast, dose at most 1.5 of slow" if event else "",
        nearly if event else None,
        {"outcomes": [one.__dict__ for one in found], "dose over slow": ratio, "share caught": caught},
    )


def share(outcomes: Sequence[Outcome]) -> float:
    """Of all divisions, the caught ones."""
    return sum(one.caught for one in outcomes) / max(1, sum(one.divisions for one in outcomes))


def mean_dose(outcomes: Sequence[Outcome]) -> float:
    """J/cm2 of the mean cell."""
    return float(np.average([one.dose for one in outcomes], weights=[one.cells for one in outcomes]))


def run_all(jobs: Sequence[tuple[str, int, Use]], tell: Tell) -> list[Outcome]:
    """All of them, as many at once as there are cores; in their order."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if cores == 1 or len(jobs) < 4:
        return [run(*job) for job in jobs]
    found = []
    # Made anew: a fork of a process that has run networks or a camera may crash.
    with ProcessPoolExecutor(min(cores, 8), mp_context=get_context("spawn")) as pool:
        for number, one in enumerate(pool.map(run, *zip(*jobs, strict=True))):
            if number % 10 == 9:
                tell(f"rare: {number + 1} of {len(jobs)}")
            found.append(one)
    return found


def run(way: str, seed: int, use: Use) -> Outcome:
    """One way on one specimen, as it is rehearsed: the rules' own file, aim, gate."""
    began = time.perf_counter()
    interval_s = watch_divisions.FAST_S if way == "fast" else watch_divisions.SLOW_S
    watches, networks = way.startswith("event"), way.endswith("networks")
    on = use.microscope(seed, interval_s, look=networks, tell=watches and not networks)
    if watches:
        book = RuleBook.from_python(RULES)
        gate = Gate(on.limits(), book.limits, DoseBook(None))
        run_pass(book, on, _answers(on, seed, networks), gate)
    else:
        while on.next() is not None:
            pass
    return _outcome(way, seed, on, use, time.perf_counter() - began)


def _outcome(way: str, seed: int, on: Logged, use: Use, took: float) -> Outcome:
    story = on.story()
    assert story is not None
    middle, reach = use.scenario.acquisition.stage_um, use.field_um / 2 - EDGE_UM
    events = [
        span
        for span in story.spans
        if span.kind == "anaphase"
        and span.whole
        and abs(span.y_um - middle[0]) < reach
        and abs(span.x_um - middle[1]) < reach
    ]
    seen = [covered(span, on.log) for span in events]
    own = [story.doses[span.id] for span in events if span.id in story.doses]
    return Outcome(
        way,
        seed,
        len(events),
        sum(part >= COVERED for part, _ in seen),
        sum(count for _, count in seen),
        len(on.log),
        float(np.mean(list(story.doses.values()))),
        float(np.mean(own)) if own else float("nan"),
        sum(story.died.values()),
        len(story.doses),
        took,
    )


def _answers(on: Logged, seed: int, networks: bool) -> Answers:
    if not networks:
        return TruthAnswers(DETECTOR, seed)
    return NetworkAnswers(_pipeline(), on.spec(), "cpu", 1)


@cache
def _pipeline() -> Pipeline:
    return Pipeline(
        [
            Stage("nuclei", "zoo/nuclei-cells", normalise="frozen", frozen_frames=1, trust=OFF),
            Measure("cells", of="nuclei"),
            Crops("phase", "zoo/mitosis-cells", of="cells", rescale=True),
        ]
    )
