"""What the command line says of frames: shared by `onscope export` and `onscope reduce`."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from onscope.runtime import ExportError

from ._frames import Given
from ._live import MOST_SECONDS, SECONDS, Live, names_source

SecondsOption = Annotated[
    float | None,
    typer.Option(
        "--seconds",
        min=0.01,
        max=MOST_SECONDS,
        help="How long frames are taken from a camera.",
        show_default=f"{SECONDS:g}",
    ),
]
ExposureOption = Annotated[
    float | None, typer.Option("--exposure-ms", min=0.001, help="Exposure of the camera that frames are taken from.")
]
CameraOption = Annotated[
    str | None, typer.Option("--camera", help="Camera that frames are taken from, where there are several.")
]


def given_frames(
    words: Sequence[str] | None, seconds: float | None, exposure_ms: float | None, camera: str | None
) -> list[Given]:
    """Paths and sources as they were typed; raises ExportError for a camera's options where there is no camera."""
    options = {"exposure_ms": exposure_ms, "camera": camera}
    chosen = {name: value for name, value in options.items() if value is not None}
    found: list[Given] = [
        Live(word, SECONDS if seconds is None else seconds, chosen) if names_source(word) else Path(word)
        for word in words or ()
    ]
    # What is not there is told by who reads it.
    stored = all(isinstance(one, Path) and os.path.exists(one) for one in found)
    if (chosen or seconds is not None) and stored:
        name = "seconds" if seconds is not None else next(iter(chosen))
        raise ExportError(
            f"found --{name.replace('_', '-')} without a camera, expected one among the frames, such as "
            "micromanager:scope.cfg"
        )
    return found
