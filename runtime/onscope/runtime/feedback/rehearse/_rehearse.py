"""A rehearsal as it is asked for on the command line: rules on a specimen or a recording."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

from ... import _plugins
from ..._clock import now_ns
from ..._errors import RuleError, SourceError
from ..._pipeline import Pipeline
from ...record import RecordedRun, open_recording
from .._limits import Limits
from ..dose import DoseBook
from ..gate import Gate
from ..journal import Journal
from ..rules import RuleBook
from ._answers import Answers
from ._networks import NetworkAnswers
from ._oracle import CLASSES, STAGES, Detector, TruthAnswers
from ._pass import LATENCY_S, Pass, run_pass
from ._recorded import Known, RecordedAnswers, RecordedMicroscope, limits_of, same_stages
from ._report import Report, report_of
from ._score import DIVISION
from ._stage import Rehearsal
from ._usual import usual_pipeline

SPECIMEN = "specimen:"
Tell = Callable[[str], object]


@dataclass(frozen=True, slots=True)
class Plan:
    """What is rehearsed: the file of `rules`, `on` a recording's folder or `specimen:SCENARIO[@CHANNEL]`.

    `pipeline` None: the recording's own answers, or nuclei, cells, tracks and phases of docs/labels.md. `detector`: the
    truth takes the networks' place. `hours`, `interval_s` (None: the scenario's), `size` (pixels at most) and `seed`
    are a specimen's. `armed` False: on the specimen, too, nothing is done. `events` are kinds of true objects that the
    rules in `judged` are to find. `provider` and `threads` are the networks'.
    """

    rules: Path
    on: str
    pipeline: Path | None = None
    detector: Detector | None = None
    seed: int | None = None
    hours: float = 1.0
    interval_s: float | None = None
    size: int | None = None
    armed: bool = True
    latency_s: float = LATENCY_S
    events: tuple[str, ...] = field(default=tuple(sorted(DIVISION)))
    judged: tuple[str, ...] = ()
    provider: str = "auto"
    threads: int | None = None

    @property
    def on_specimen(self) -> bool:
        """Whether a specimen is under the microscope."""
        return self.on.startswith(SPECIMEN)


def rehearse(
    plan: Plan,
    *,
    text: str | None = None,
    journal: Path | None = None,
    tell: Tell = lambda words: None,
    step: Callable[[float], object] = lambda hours: None,
) -> tuple[Report, Pass]:
    """Rehearse once; `text` takes the place of the rule file's. `step` hears the hours gone by after each frame.

    The same plan gives the same report, but for the time that it took. Raises RuleError for rules that do not fit,
    SourceError or RecordError for what is not there, and what a Pipeline raises.
    """
    book = RuleBook.load(plan.rules) if text is None else RuleBook.from_text(text, plan.rules)
    began = time.perf_counter()
    on, answers, how = _specimen(plan, book, tell) if plan.on_specimen else _recording(plan, book, tell)
    begin_s = on.sample_s
    with _journal(journal, plan, book, on) as kept:
        done = run_pass(
            book,
            on,
            answers,
            Gate(on.limits(), book.limits, DoseBook(None), armed=plan.armed and on.acts),
            armed=plan.armed,
            latency_s=plan.latency_s,
            aim_settings=book.aim,
            journal=kept,
            step=lambda sample_s: step((sample_s - begin_s) / 3600),
        )
    report = report_of(
        done,
        on=plan.on,
        rules=book.name,
        seed=plan.seed if plan.on_specimen else None,
        answers=how,
        armed=plan.armed and on.acts,
        kinds=plan.events,
        judged=plan.judged,
        took_s=time.perf_counter() - began,
    )
    return report, done


def _specimen(plan: Plan, book: RuleBook, tell: Tell) -> tuple[Rehearsal, Answers, str]:
    pipeline = usual_pipeline() if plan.pipeline is None else Pipeline.load(plan.pipeline)
    needs = book.check(pipeline)
    looks = plan.detector is None or bool(needs.numbers)
    opened = _plugins.load("onscope.rehearsals", "specimen", SourceError)(
        plan.on.removeprefix(SPECIMEN),
        seed=plan.seed,
        hours=plan.hours,
        interval_s=plan.interval_s,
        size=plan.size,
        look=looks,
        begin_ns=now_ns(),
    )
    on = cast(Rehearsal, opened)
    if plan.detector is None:
        return on, NetworkAnswers(pipeline, on.spec(), plan.provider, plan.threads, tell), "networks"
    return on, _oracle(plan, pipeline), "truth"


def _oracle(plan: Plan, pipeline: Pipeline) -> TruthAnswers:
    assert plan.detector is not None
    labels = [stage.name for stage in pipeline.stages if stage.gives == "labels"]
    tables = [stage.name for stage in pipeline.stages if stage.gives == "table"]
    told = [tuple(stage.settings.get("classes") or ()) for stage in pipeline.on_crops]
    classes = next((each for each in told if each), CLASSES)
    seed = 0 if plan.seed is None else plan.seed
    return TruthAnswers(plan.detector, seed, [*(labels[:1] or STAGES[:1]), *tables], classes)


def _recording(plan: Plan, book: RuleBook, tell: Tell) -> tuple[Rehearsal, Answers, str]:
    run = open_recording(plan.on)
    beside = _plugins.load("onscope.rehearsals", "beside", SourceError)(run.folder)
    truth = cast("Known | None", beside)
    limits = limits_of(book)
    if plan.detector is not None:
        if truth is None:
            raise RuleError(f"found no truth beside {run.folder}, expected some: leave out --detector truth")
        pipeline = usual_pipeline() if plan.pipeline is None else Pipeline.load(plan.pipeline)
        needs = book.check(pipeline)
        return _microscope(run, limits, truth, bool(needs.numbers)), _oracle(plan, pipeline), "truth"
    recorded = RecordedAnswers(run)
    if plan.pipeline is None:
        if not recorded.stages:
            raise RuleError(f"found no answers in {run.folder}, expected those of a pipeline: name one with --pipeline")
        book.bind(replace(book.needs, links=recorded.links))
        return _microscope(run, limits, truth, bool(book.needs.numbers)), recorded, "recorded"
    pipeline = Pipeline.load(plan.pipeline)
    needs = book.check(pipeline)
    if same_stages(pipeline, run):
        return _microscope(run, limits, truth, bool(needs.numbers)), recorded, "recorded"
    on = _microscope(run, limits, truth, True)
    return on, NetworkAnswers(pipeline, on.spec(), plan.provider, plan.threads, tell), "networks"


def _microscope(run: RecordedRun, limits: Limits, truth: Known | None, look: bool) -> Rehearsal:
    return (
        RecordedMicroscope(run, limits, look=look)
        if truth is None
        else RecordedMicroscope(run, limits, truth, look=look)
    )


@contextmanager
def _journal(path: Path | None, plan: Plan, book: RuleBook, on: Rehearsal) -> Iterator[Journal | None]:
    if path is None:
        yield None
        return
    notes: dict[str, Any] = {"rehearsal": plan.on, "seed": plan.seed}
    text = plan.rules.read_text(encoding="utf-8", errors="replace")
    armed = plan.armed and on.acts
    with Journal(path, rules_name=book.name, rules=text, limits=on.limits(), armed=armed, notes=notes) as kept:
        yield kept
