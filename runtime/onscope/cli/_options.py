"""Options that several commands share, and what their texts mean."""

from __future__ import annotations

import re
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from onscope.runtime import Admission, Budget, PipelineError

KINDS = ("keep_newest", "keep_oldest", "block")


class Dtype(StrEnum):
    """Pixels of the frames."""

    uint8 = "uint8"
    uint16 = "uint16"
    float32 = "float32"


WhatArgument = Annotated[
    str, typer.Argument(metavar="PACKAGE|PIPELINE", help="A package (folder, .zip, zoo/care-beads) or a pipeline.")
]
DtypeOption = Annotated[Dtype, typer.Option("--dtype", help="Pixels of the frames.")]
ColourOption = Annotated[bool, typer.Option("--colour", help="Frames have red, green and blue samples.")]
CameraOption = Annotated[str, typer.Option("--camera", help="Camera that the frames are of.")]
PixelSizeOption = Annotated[
    float | None, typer.Option("--pixel-size-um", min=1e-6, help="Pixel size of the frames in the sample.")
]
WindowOption = Annotated[
    int | None, typer.Option("--window", min=1, help="Frames that one inference needs (of a package).")
]
SizesOption = Annotated[
    list[str] | None,
    typer.Option(
        "--shape",
        "--size",
        help="Height x width of the frames in pixels, once for each size.",
        show_default="the pipeline's shapes, else 512x512",
    ),
]
PrecisionOption = Annotated[
    str | None,
    typer.Option("--precision", help="Weights of a package: float32, fp16, int8.", show_default="float32"),
]
TileOption = Annotated[
    int | None, typer.Option("--tile", min=16, help="Largest side that is run at once (of a package).")
]
OutOption = Annotated[
    Path | None,
    typer.Option("--out", help="Folder to record in; must be new or empty.", show_default="a dated one here"),
]
WorkerOption = Annotated[
    str,
    typer.Option(
        "--worker",
        envvar="ONSCOPE_WORKER",
        metavar="process|thread|tcp://...|kserve://...",
        help="Where the networks run: a process of their own, a thread, a box that runs `onscope serve` "
        "(tcp://HOST:PORT#KEY), or a Triton server (kserve://HOST:PORT#TOKEN).",
    ),
]
ProviderOption = Annotated[
    str, typer.Option("--provider", help="Engine to use: auto, cpu, cuda, null:MS ...; several, best first: cuda,cpu.")
]
RunProviderOption = Annotated[
    str | None,
    typer.Option(
        "--provider",
        help="Engine to use: auto, cpu, cuda, null:MS ...; of several (tensorrt,cpu) the first that answers rightly, "
        "and the next when its device is lost.",
        show_default="the pipeline's, else auto",
    ),
]
ShapesOption = Annotated[
    list[str] | None,
    typer.Option(
        "--shape",
        metavar="HxW",
        help="A frame size that may come, once for each: all are warmed up before the first frame, others are "
        "refused, or run by the next of --provider that opens any.",
    ),
]
OverwriteOption = Annotated[bool, typer.Option("--overwrite", help="Replace a recording in the folder.")]
FormatOption = Annotated[str, typer.Option("--format", help="Format of the raw frames: ome-zarr, ome-tiff or ndtiff.")]
TruthOption = Annotated[
    bool, typer.Option("--truth", help="Save what is true of simulated frames beside them, in the folder truth.")
]
BudgetOption = Annotated[
    float | None,
    typer.Option("--budget", metavar="MS", help="What 95 % of the results may take; beyond it --degrade begins."),
]
DegradeOption = Annotated[
    list[str] | None,
    typer.Option(
        "--degrade",
        metavar="STEP",
        help="What gives way, in this order: every=N, roi=SHARE, swap:STAGE=PACKAGE, precision:STAGE=fp16, skip=STAGE, "
        "pass-through (docs/deadline.md).",
    ),
]
ThreadsOption = Annotated[
    int | None, typer.Option("--threads", min=1, help="Threads of the engine.", show_default="one per core")
]

ViewOption = Annotated[
    bool, typer.Option("--view", help="Show it live in a browser: raw and result, numbers, controls.")
]
ViewPortOption = Annotated[
    int | None,
    typer.Option("--view-port", min=0, max=65535, help="Port of the view.", show_default="a free one"),
]
HostOption = Annotated[
    str | None,
    typer.Option("--host", help="Address that the view listens on.", show_default="127.0.0.1, this machine alone"),
]
TokenOption = Annotated[
    str | None,
    typer.Option(
        "--token",
        envvar="ONSCOPE_VIEW_TOKEN",
        help="What a viewer must know.",
        show_default="a new one where --host is not this machine alone, else none",
    ),
]
BrowserOption = Annotated[
    bool | None, typer.Option("--browser/--no-browser", help="Open a browser on the view, where there is a display.")
]
StayOption = Annotated[bool, typer.Option("--stay", help="Keep the view after the run, until Ctrl-C.")]
SwapOption = Annotated[
    list[str] | None,
    typer.Option("--swap", metavar="STAGE=PACKAGE", help="A package that viewers may put in a stage's place."),
]


def parse_admission(text: str, every_n: int = 1, deadline_ms: float | None = None) -> Admission:
    """`KIND:DEPTH` (or `KIND`, depth 2) as an Admission; raises PipelineError when it is none."""
    match = re.fullmatch(rf"({'|'.join(KINDS)})(?::(\d+))?", text)
    if match is None:
        raise PipelineError(
            f"found the admission {text!r}, expected {', '.join(f'{kind}:DEPTH' for kind in KINDS)}: keep_newest:2, say"
        )
    kind = next(kind for kind in KINDS if kind == match[1])
    return Admission(kind, int(match[2] or 2), every_n, deadline_ms)  # type: ignore[arg-type]


def parse_budget(ms: float | None, steps: list[str] | None) -> Budget | None:
    """The options `--budget` and `--degrade`; raises PipelineError when there is one without the other."""
    if ms is None and not steps:
        return None
    if ms is None or not steps:
        lacking = "--budget MS" if ms is None else "--degrade STEP, once or more"
        raise PipelineError(f"found one of --budget and --degrade, expected both: add {lacking}")
    return Budget(ms, steps)


def dated_folder(command: str) -> Path:
    """`onscope-COMMAND-YYYYmmdd-HHMMSS` in the current directory, local time."""
    return Path(f"onscope-{command}-{datetime.now().astimezone():%Y%m%d-%H%M%S}")
