"""`onscope run`: a pipeline on a camera or on stored images."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer

from ._options import (
    BrowserOption,
    BudgetOption,
    DegradeOption,
    FormatOption,
    HostOption,
    OutOption,
    OverwriteOption,
    RunProviderOption,
    ShapesOption,
    StayOption,
    SwapOption,
    ThreadsOption,
    TokenOption,
    TruthOption,
    ViewOption,
    ViewPortOption,
    WorkerOption,
    dated_folder,
    parse_admission,
    parse_budget,
)
from ._service import LogFormat, LogFormatOption, MetricsHostOption, MetricsOption


def run(
    pipeline: Annotated[Path, typer.Argument(help="YAML of the pipeline.")],
    source: Annotated[
        str,
        typer.Option(
            "--source",
            help="Where frames come from: micromanager:demo, micromanager:CONFIG.cfg, specimen:SCENARIO (and "
            "@CHANNEL,planes=13 behind it), replay:PATH of a recording, an OME-Zarr, an NDTiff, a TIFF stack or a "
            "folder of images.",
        ),
    ],
    frames: Annotated[
        int | None, typer.Option("--frames", min=1, help="Frames to take.", show_default="all there are")
    ] = None,
    out: OutOption = None,
    format: FormatOption = "ome-zarr",
    worker: WorkerOption = "process",
    provider: RunProviderOption = None,
    admission: Annotated[
        str | None,
        typer.Option(
            "--admission",
            help="What enters when there is more than it can take: keep_newest:N, keep_oldest:N or block:N; of a "
            "replay, as_recorded: the windows that ran in the recording.",
            show_default="keep_newest:2; block:2 for a replay at full speed or by steps",
        ),
    ] = None,
    every_n: Annotated[int, typer.Option("--every-n", min=1, help="Let only every n-th frame enter.")] = 1,
    deadline_ms: Annotated[
        float | None, typer.Option("--deadline-ms", help="Skip frames that waited longer, mark later results late.")
    ] = None,
    budget: BudgetOption = None,
    degrade: DegradeOption = None,
    shape: ShapesOption = None,
    fps: Annotated[
        str | None,
        typer.Option("--fps", help="Speed of a replay: frames per second, or 'recorded'.", show_default="full speed"),
    ] = None,
    speed: Annotated[
        float | None, typer.Option("--speed", help="Replay so many times as fast as it was recorded.")
    ] = None,
    step: Annotated[bool, typer.Option("--step", help="Replay frame by frame: Enter gives the next one.")] = False,
    pick: Annotated[
        str | None, typer.Option("--pick", metavar="AXIS=N", help="Replay these images only: c=1, or p=0,z=3.")
    ] = None,
    faults: Annotated[
        str | None,
        typer.Option(
            "--faults",
            metavar="WORDS|FILE",
            help="Trouble on purpose, the same each time: seed=3,drop=2%,slow=5%x200ms,die=0.1%, or a YAML file.",
        ),
    ] = None,
    exposure_ms: Annotated[
        float | None, typer.Option("--exposure-ms", min=0.001, help="Exposure of the camera.")
    ] = None,
    camera: Annotated[str | None, typer.Option("--camera", help="Camera to use, where there are several.")] = None,
    pixel_size_um: Annotated[
        float | None, typer.Option("--pixel-size-um", min=1e-6, help="Pixel size of stored images that do not tell it.")
    ] = None,
    grey: Annotated[bool, typer.Option("--grey", help="Take stored colour images as their luminance.")] = False,
    compare: Annotated[
        Path | None,
        typer.Option("--compare", metavar="RUN", help="Hold what is recorded against this recording, bit by bit."),
    ] = None,
    truth: TruthOption = False,
    rules: Annotated[
        Path | None,
        typer.Option("--rules", help="Rules for the microscope, .yaml or .py; they only say what they would do."),
    ] = None,
    arm: Annotated[bool, typer.Option("--arm", help="Carry out what the rules ask for, within the limits.")] = False,
    calibration: Annotated[
        Path | None, typer.Option("--calibration", help="What the lights bring to the sample, in mW (for --rules).")
    ] = None,
    doses: Annotated[
        Path | None, typer.Option("--doses", help="Light given so far, kept over runs (for --rules).")
    ] = None,
    view: ViewOption = False,
    view_port: ViewPortOption = None,
    host: HostOption = None,
    token: TokenOption = None,
    browser: BrowserOption = None,
    stay: StayOption = False,
    swap: SwapOption = None,
    threads: ThreadsOption = None,
    overwrite: OverwriteOption = False,
    log_format: LogFormatOption = LogFormat.text,
    metrics: MetricsOption = None,
    metrics_host: MetricsHostOption = "127.0.0.1",
) -> None:
    """Run a pipeline on a camera or on stored images: live, recorded and accounted for.

    Exit code 0 when the ledger adds up, the raw frames are complete, and (with --compare) all answers that both
    recordings have are equal. Ctrl-C and SIGTERM end it in order, with exit code 130 and 143.
    """
    from rich.console import Console

    from onscope.runtime import Pipeline, open_source, read_faults
    from onscope.runtime.record import open_recording

    from ._compare import AS_RECORDED, Comparing, follow
    from ._feedback import steering_of
    from ._live import Plan, run_live
    from ._service import serving
    from ._steps import by_hand
    from ._viewing import looking_of

    replays_freely = source.startswith("replay:") and fps is None and speed is None
    if admission == AS_RECORDED:
        admitted = follow(source)
    else:
        free = "block:2" if replays_freely else "keep_newest:2"
        admitted = parse_admission(admission or free, every_n, deadline_ms)
    comparing = None if compare is None else Comparing(open_recording(compare))
    options: dict[str, float | str | bool | None] = {
        "fps": _speed(fps),
        "speed": speed,
        "step": step or None,
        "pick": pick,
        "exposure_ms": exposure_ms,
        "camera": camera,
        "pixel_size_um": pixel_size_um,
    }
    options["colour"] = False if grey else None
    options["truth"] = truth or None
    steering = steering_of(rules, arm, calibration, doses)
    looking = looking_of(view, view_port, host, token, browser, stay, swap)
    console = Console()
    trouble = None if faults is None else read_faults(faults)
    with ExitStack() as stack:
        service = stack.enter_context(serving(log_format, metrics, metrics_host))
        opened, on = stack.enter_context(open_source(source, **options)), provider
        stack.enter_context(by_hand(opened, step))
        if trouble is not None:
            spoilt = provider or Pipeline.load(pipeline).provider or "auto"
            opened, on = stack.enter_context(trouble.inject(opened, spoilt))
        plan = Plan(
            title=f"onscope run {pipeline.name}",
            pipeline=pipeline,
            out=out or dated_folder("run"),
            frames=frames,
            admission=admitted,
            budget=parse_budget(budget, degrade),
            shapes=shape,
            worker=worker,
            provider=on,
            threads=threads,
            overwrite=overwrite,
            keep_truth=truth,
            format=format,
            steering=steering,
            looking=looking,
            service=service,
            comparing=comparing,
        )
        code = run_live(opened, plan, console)
    if comparing is not None:
        code = code or comparing.end(plan.out, console)
    raise typer.Exit(code)


def _speed(text: str | None) -> float | str | None:
    """A number where it is one; the driver judges the rest."""
    try:
        return None if text is None else float(text)
    except ValueError:
        return text
