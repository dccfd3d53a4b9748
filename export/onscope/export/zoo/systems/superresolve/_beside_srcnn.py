"""SRCNN's shipped package as a baseline of the networks that came after it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy.typing as npt

from .._structures import Frame
from ._cells_quality import enlarged

Array = npt.NDArray[Any]
SRCNN = "srcnn-cells"


def srcnn(folder: Path, frames: Sequence[Frame]) -> Mapping[str, Sequence[Array]]:
    """What SRCNN's package beside `folder` makes of frames, by its name. Raises what the package's loading raises."""
    return {"SRCNN": enlarged(folder.parent / SRCNN, frames)}
