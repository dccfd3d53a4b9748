"""`onscope rehearse`: rules on a specimen or a recording, faster than real time."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ._options import ProviderOption, ThreadsOption, dated_folder

if TYPE_CHECKING:
    from rich.console import Console

    from onscope.runtime.feedback.rehearse import Detector, Plan, Report


def rehearse(
    rules: Annotated[Path, typer.Argument(metavar="RULES", help="Rule file: YAML, or Python (.py), which is run.")],
    on: Annotated[
        str,
        typer.Option(
            "--on",
            metavar="RECORDING|specimen:SCENARIO",
            help="Folder of a recording, or specimen:rare-event (a scenario's name or YAML file, @CHANNEL after it).",
        ),
    ],
    pipeline: Annotated[
        Path | None,
        typer.Option(
            "--pipeline",
            help="YAML of the pipeline whose results the rules read.",
            show_default="the recording's; on a specimen nuclei, cells, tracks, phase",
        ),
    ] = None,
    seed: Annotated[int | None, typer.Option("--seed", min=0, help="Which specimen.", show_default="its own")] = None,
    hours: Annotated[float, typer.Option("--hours", min=0.001, help="How long the specimen is imaged.")] = 1.0,
    interval_s: Annotated[
        float | None,
        typer.Option("--interval-s", min=0, help="From frame to frame at the start.", show_default="the scenario's"),
    ] = None,
    size: Annotated[
        int | None, typer.Option("--size", min=32, help="Rows and columns at most.", show_default="the scenario's")
    ] = None,
    detector: Annotated[
        str,
        typer.Option(
            "--detector",
            metavar="networks|truth[:SENSITIVITY,SPECIFICITY]",
            help="What results are made of: the pipeline's networks, or what is true, with so many errors.",
        ),
    ] = "networks",
    sweep: Annotated[
        str | None,
        typer.Option(
            "--sweep",
            metavar="RULE.KEY=FIRST:LAST:STEPS",
            help="Again for each value of one number of the file: mitosis.threshold=0.5:0.95:10.",
        ),
    ] = None,
    event: Annotated[
        str | None,
        typer.Option(
            "--event", metavar="KIND[,KIND]", help="What is to be found, as the truth calls it.", show_default="mitosis"
        ),
    ] = None,
    judge: Annotated[
        list[str] | None,
        typer.Option("--judge", metavar="RULE", help="Rules that are to find it.", show_default="those with objects"),
    ] = None,
    shadow: Annotated[bool, typer.Option("--shadow", help="Decide, but do nothing to the specimen.")] = False,
    latency_ms: Annotated[
        float, typer.Option("--latency-ms", min=0, help="From a frame's receipt to its result.")
    ] = 100.0,
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder to write; must be new.", show_default="a dated one here")
    ] = None,
    provider: ProviderOption = "auto",
    threads: ThreadsOption = None,
) -> None:
    """Rehearse rules: what would they do, what would they miss, what would they take for what it is not?

    The same rules, aim and gate as live, on a recording (nothing can be done: it
    is counted) or on a simulated specimen (it is done, and has its consequences:
    time, bleaching, death), judged by what is true where that is known.

    Writes report.json, journal.jsonl, timeline.png, and with --sweep sweep.png.
    """
    from rich.console import Console

    from onscope.runtime import RecordError
    from onscope.runtime.feedback.rehearse import DIVISION, Plan

    folder = out or dated_folder("rehearsal")
    plan = Plan(
        rules,
        on,
        pipeline=pipeline,
        detector=_detector(detector),
        seed=seed,
        hours=hours,
        interval_s=interval_s,
        size=size,
        armed=not shadow,
        latency_s=latency_ms / 1e3,
        events=tuple(sorted(DIVISION)) if event is None else tuple(each.strip() for each in event.split(",")),
        judged=tuple(judge or ()),
        provider=provider,
        threads=threads,
    )
    try:
        folder.mkdir(parents=True)
    except OSError as error:
        raise RecordError(
            f"{folder} cannot be made ({error.strerror}): choose a new folder that can be written to"
        ) from error
    try:
        _run(plan, sweep, folder, Console())
    except BaseException:
        with contextlib.suppress(OSError):  # what was written stays
            folder.rmdir()
        raise


def _run(plan: Plan, sweep: str | None, folder: Path, console: Console) -> None:
    from onscope.runtime.feedback.rehearse import rehearse, trade_off
    from onscope.runtime.record import write_json

    from ._progress import Bar
    from ._rehearsed import show, show_sweep, timeline_of

    asked = _versions(plan, sweep)  # what is wrong with it is told before anything runs
    with Bar(console) as bar:

        def once(words: str, journal: Path | None, text: str | None = None) -> Report:
            whole = round(plan.hours * 60) if plan.on_specimen else 0
            report, _ = rehearse(
                plan,
                text=text,
                journal=journal,
                tell=lambda step: bar.tell(step, 0, 0),
                step=lambda hours: bar.tell(words, round(hours * 60), whole),
            )
            return report

        report = once("minutes of the specimen", folder / "journal.jsonl")
        steps: list[dict[str, Any]] = []
        for number, (value, text) in enumerate(asked):
            each = once(f"{sweep}, {number + 1} of {len(asked)}", None, text)
            steps.append({"value": value, **each.as_json()})
    show(console, report)
    write_json(folder / "report.json", report.as_json() | {"swept": sweep, "sweep": steps})
    written = ["report.json", "journal.jsonl", *timeline_of(folder)]
    if sweep is not None:
        show_sweep(console, sweep, steps)
        trade_off(folder / "sweep.png", sweep, steps)
        written.append("sweep.png")
    console.print(f"written to {folder}: {', '.join(written)}", highlight=False, soft_wrap=True)


def _versions(plan: Plan, sweep: str | None) -> list[tuple[float, str]]:
    from onscope.runtime.feedback.rehearse import parse_sweep, versions
    from onscope.runtime.feedback.rules import RuleBook

    if sweep is None:
        return []
    wanted = parse_sweep(sweep)
    RuleBook.load(plan.rules)  # checked before it is parsed by less careful means
    found = list(versions(plan.rules.read_text(encoding="utf-8"), plan.rules, wanted))
    for _, text in found:
        RuleBook.from_text(text, plan.rules)
    return found


def _detector(text: str) -> Detector | None:
    from onscope.runtime import RuleError
    from onscope.runtime.feedback.rehearse import Detector

    kind, _, told = text.partition(":")
    try:
        shares = [float(each) for each in told.split(",")] if told else []
    except ValueError:
        shares = [-1.0]
    if kind not in ("networks", "truth") or len(shares) > 2 or (kind == "networks" and told):
        raise RuleError(f"found the detector {text!r}, expected networks, truth, or truth:SENSITIVITY,SPECIFICITY")
    return None if kind == "networks" else Detector(*shares)
