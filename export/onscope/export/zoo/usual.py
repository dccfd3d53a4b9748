"""`python -m onscope.export.zoo.usual`: what is usual for the packages that restore frames of beads.

Frames are drawn as the training draws them, from seeds that it never had: some for mean and covariance of their
statistics, others for the limits of the trust values, which the package's own answers to them give.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
import typer

from ..usual import reference_of, write_reference
from . import PACKAGES
from ._quality import onnx_runner
from ._scenes import EVERYTHING, draw

Array = npt.NDArray[Any]
FIRST_SEED = 30_000_000
"""Far from those of training (small), evaluation (10 million) and export (20 million)."""
COUNT = 1000
"""Frames for the statistics, and as many others for the limits."""
SIZE = 256
DENOISE, ENLARGE = "care-beads", "espcn-beads"


def frames(count: int, first: int) -> Iterator[Array]:
    """`count` frames as the denoiser was trained on, uint16 (256, 256), of the seeds from `first` on."""
    for seed in range(first, first + count):
        yield draw(np.random.default_rng(seed), (SIZE, SIZE), EVERYTHING).frame


def write_usual(folder: Path, count: int = COUNT) -> None:
    """Into the packages in `folder`: the denoiser's frames are raw ones, the enlarger's those that it denoised."""
    restore = {name: onnx_runner(folder / name / "weights.onnx", 1) for name in (DENOISE, ENLARGE)}
    raw = list(frames(2 * count, FIRST_SEED))
    given = {DENOISE: raw, ENLARGE: [restore[DENOISE](frame) for frame in raw]}
    for name, every in given.items():
        words = f"{count} frames as it was trained on, {SIZE}x{SIZE}; limits of {count} others"
        reference = reference_of(every[:count], restore[name], every[count:], words)
        write_reference(folder / name / "rdf.yaml", reference)


def main(
    packages: Annotated[Path, typer.Option(help="Folder of the packages.")] = PACKAGES,
    count: Annotated[int, typer.Option(min=100, help="Frames for the statistics, and as many for the limits.")] = COUNT,
) -> None:
    """Measure what is usual for care-beads and espcn-beads, and write it into their rdf.yaml."""
    write_usual(packages, count)


if __name__ == "__main__":
    typer.run(main)
