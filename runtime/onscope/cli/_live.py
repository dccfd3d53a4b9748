"""One run from its first frame to its last file: shared by `demo` and `run`."""

from __future__ import annotations

from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from rich.console import Console

from onscope.runtime import Admission, Budget, Event, Pipeline, Result, Runtime, Source, specs_of
from onscope.runtime.record import Recording, open_recording, overview

from ._compare import Comparing
from ._display import Display
from ._feedback import Steered, Steering, beating, control, feedback_of, steered
from ._folder import new_recording
from ._forced import warn_of_forced
from ._likeness import Aim, LikenessMeter
from ._monitor import Monitor
from ._psnr import PsnrMeter, Truth
from ._served import begin, end
from ._service import Service, serving
from ._summary import Outcome, check, summarise
from ._told import Remarks, require_truth, truth_beside
from ._viewing import Looking, Watched, stay, watched

DRAIN_S = 30.0
STOPPED_DRAIN_S = 5.0
"""How long windows under way may take when the run was stopped."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to run and how; `keep_truth`: save what is true of simulated frames beside them; `format` of raw frames;
    `steering`: rules that see the results; `looking`: the live view beside it; `service`: who is told of it; `budget`:
    what gives way when time is short; `comparing`: a recording that it is held against; `shapes`: the frame sizes that
    may come (None: the pipeline's); `aim`: what images should show, where that is not the frame without noise."""

    title: str
    pipeline: Path
    out: Path
    frames: int | None
    admission: Admission
    worker: str = "process"
    provider: str | None = None
    threads: int | None = None
    overwrite: bool = False
    keep_truth: bool = False
    format: str = "ome-zarr"
    steering: Steering | None = None
    looking: Looking | None = None
    service: Service | None = None
    budget: Budget | None = None
    comparing: Comparing | None = None
    shapes: list[str] | None = None
    aim: Aim | None = None


def run_live(source: Source, plan: Plan, console: Console, truth: Truth | None = None) -> int:
    """Run the pipeline on the source's frames, record, show, sum up; returns the exit code.

    0 when the ledger adds up and the raw frames are complete, 1 when not, 130 after Ctrl-C, 143 after SIGTERM; what
    was recorded until then is closed in order in each case. Raises OnscopeError.
    """
    with ExitStack() as after:  # the view may outlast the run
        service = plan.service or after.enter_context(serving())
        code = _run(source, plan, console, truth, Watched(), after, service)
        if plan.looking is not None and plan.looking.stay and not service.stop.asked:
            service.stop.waiting()
            stay(console)
    return code


def _run(
    source: Source,
    plan: Plan,
    console: Console,
    truth: Truth | None,
    watch: Watched,
    after: ExitStack,
    service: Service,
) -> int:
    if plan.keep_truth:
        require_truth(source)
    controller = None if plan.steering is None else control(source, plan.steering)
    pipeline = Pipeline.load(plan.pipeline)
    warn_of_forced(console, pipeline.packages)
    meters = None if truth is None else PsnrMeter(truth), None if plan.aim is None else LikenessMeter(plan.aim)
    monitor = Monitor(*meters)

    def tell(event: Event) -> None:
        display.tell(event)
        watch.tell(event)
        service.tell(event)

    with (
        Display(console, monitor, plan.title, plan.frames) as display,
        new_recording(
            plan.out,
            plan.overwrite,
            lambda path: Recording(path, pipeline, expected=plan.frames, tell=display.tell_of, format=plan.format),
        ) as (recording, sure),
        Runtime(
            pipeline,
            worker=plan.worker,
            admission=plan.admission,
            provider=plan.provider,
            threads=plan.threads,
            on_event=tell,
            record=recording,
            budget=plan.budget,
            shapes=plan.shapes,
        ) as runtime,
        beating(controller) as heart,
    ):
        if plan.comparing is not None:
            plan.comparing.begin(runtime)
        feedback = feedback_of(runtime, controller, plan.steering, plan.out, heart)
        specs = specs_of(source)
        for spec in specs:
            runtime.prepare(spec)
        if plan.frames is not None:
            recording.require_room(specs, plan.frames)
        depth, spec = plan.admission.depth, specs[0]
        viewed = watched(plan.looking, runtime, source, spec, recording, plan.out, feedback, depth, watch, console)
        after.enter_context(viewed)
        sure()  # what cannot run has left nothing behind
        with truth_beside(source, plan.out if plan.keep_truth else None) as said:
            with steered(feedback, heart) as came:
                watch.began()
                begin(service, runtime, console, plan.title)
                stopped = _take(source, plan, runtime, monitor, display, came, watch)
                service.ending()
                _drain(runtime, stopped)
            runtime.close()  # ends the account before the recording writes it
        remarks = said.words | came.words | dict(source.remarks() if isinstance(source, Remarks) else {})
        for name, words in (monitor.notes() | remarks).items():
            recording.note(name, words)
        recording.finish(runtime.ledger)
    ledger = runtime.ledger
    run = open_recording(plan.out)
    watch.note(plan.out, [overview(run, plan.out / "overview.png").name, *came.files])
    expected = None if stopped or came.ended or watch.stopped else plan.frames
    outcome = Outcome(stopped, (*check(run, ledger, expected), *said.faults, *came.faults), service.stop)
    summarise(console, run, monitor, ledger, outcome, remarks)
    end(service, ledger, outcome)
    return outcome.code


def _drain(runtime: Runtime, stopped: bool) -> None:
    """Wait for the windows under way; one who is in a hurry and presses Ctrl-C again has their frames skipped."""
    with suppress(KeyboardInterrupt):
        runtime.drain(STOPPED_DRAIN_S if stopped else DRAIN_S)


def _take(
    source: Source, plan: Plan, runtime: Runtime, monitor: Monitor, display: Display, came: Steered, watch: Watched
) -> bool:
    """Take the frames and show what comes of them; returns whether Ctrl-C or a signal ended it."""
    last: Result | None = None
    try:
        # A generator that is closed stops the camera, whatever ends the loop.
        with watch.taking(), closing(cast("Any", runtime.stream(source, plan.frames))) as results:
            for last in results:
                monitor.add(last)
                watch.saw(last)
                display.tick(runtime.ledger.counts, runtime.ledger.submitted)
                if came.ended or watch.stopped:
                    break
    except KeyboardInterrupt:
        return not watch.stopped
    finally:
        watch.ended(last)
    return False
