"""Where images of stages are handed on to: handlers of pymmcore-plus, OME files by ome-writers, data sets of NDTiff."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from .._errors import SourceError
from ._derived import Output
from ._handler import Handler
from ._nd_dataset import NDDataset
from ._ome_stream import OmeStream

OME = (".ome.zarr", ".ome.tif", ".ome.tiff")


def outputs_of(into: Any, stages: Sequence[str]) -> dict[str, Output]:
    """The output of each stage. Raises SourceError when there is none like it, and for stages that are not there."""
    if not isinstance(into, Mapping):
        output = output_of(into)
        if isinstance(output, OmeStream) and len(stages) > 1:
            raise SourceError(
                f"found one file for the images of {', '.join(stages)}, expected one per stage: write "
                f"{{{stages[0]!r}: ...}}"
            )
        return dict.fromkeys(stages, output)
    if unknown := [str(name) for name in into if name not in stages]:
        raise SourceError(f"found outputs for {', '.join(unknown)}, expected stages of {', '.join(stages)}")
    return {str(stage): output_of(each) for stage, each in into.items()}


def output_of(into: Any) -> Output:
    """See `Runtime.derive`."""
    if isinstance(into, (str, os.PathLike)):
        path = Path(into).expanduser().absolute()
        return OmeStream(path) if path.name.lower().endswith(OME) else NDDataset.at(path)
    if callable(getattr(into, "frameReady", None)):
        return Handler(into)
    if callable(getattr(into, "put_image", None)):
        return NDDataset(into)
    if type(into).__module__.partition(".")[0] == "ome_writers":
        return OmeStream(into)
    raise SourceError(
        f"found a {type(into).__name__}, expected what images can be handed on to: an object with frameReady(image, "
        "event, meta) or put_image(axes, image, metadata), settings of ome-writers, or a path"
    )
