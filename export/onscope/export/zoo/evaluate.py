"""`python -m onscope.export.zoo.evaluate`: the quality of the shipped packages on frames that training never saw."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import reduce
from operator import add
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from rich.console import Console
from rich.table import Table

from . import PACKAGES
from . import _mitosis_quality as mitosis
from . import _nuclei_quality as nuclei
from ._demo_camera import demo_camera_frames
from ._metrics import BORDER_PX, MATCH_PX
from ._quality import Graphs, Sample, Scores, behind_demo_sensor, simulated
from ._scenes import EVERYTHING, draw, draw_demo
from ._texts import in_markdown

FIRST_SEED = 10_000_000
"""Training draws from one stream seeded with a small number; these seeds are far from it."""
NOT_EMPTY = replace(EVERYTHING, empty_fraction=0.0)
"""Without anything in it a truth has no span, and PSNR no meaning."""
SHARP = replace(NOT_EMPTY, sigma_px=(0.8, 1.0), blur=(1.0, 1.1), peak_photons=(200.0, 2000.0))
COLUMNS = ("raw", "best Gaussian", "best median", "denoised", "bicubic x2", "network x2")
SPOTS = ("precision", "recall", "F1", "error px")


def samples(kind: str, count: int, first: int = FIRST_SEED) -> Iterator[Sample]:
    """`count` samples: "demo-like" or "wide" (all that training covers) or "sharp" scenes, or "demo camera" frames.

    Seeds of scenes begin at `first`.
    """
    if kind == "demo camera":
        for index, units in enumerate(demo_camera_frames(count)):
            yield behind_demo_sensor(units, FIRST_SEED + index)
        return
    for seed in range(first, first + count):
        if kind == "demo-like":
            yield simulated(draw_demo(seed))
        else:
            ranges = SHARP if kind == "sharp" else NOT_EMPTY
            yield simulated(draw(np.random.default_rng(seed), (256, 256), ranges, fine=True))


def rows(kind: str, scores: list[Scores]) -> list[str]:
    """One row of the table: means over the frames, spots counted over all of them together."""
    found = reduce(add, (one.found for one in scores))
    images = [[one.raw, one.gaussian, one.median, one.denoised, one.bicubic, one.enlarged] for one in scores]
    means = [f"{np.mean(column):.2f}" if column[0] is not None else "-" for column in zip(*images, strict=True)]
    spots = [f"{value:.3f}" for value in (found.precision, found.recall, found.f1)] + [f"{found.rms_px:.2f}"]
    return [f"{kind} ({len(scores)} frames)", *means, *spots]


def table(folder: Path, count: int) -> list[list[str]]:
    """The rows of all kinds of frames, `count` of each."""
    graphs = Graphs(folder)
    kinds = ("demo-like", "demo camera", "wide", "sharp")
    return [rows(kind, [graphs.score(sample) for sample in samples(kind, count)]) for kind in kinds]


def main(
    packages: Annotated[Path, typer.Option(help="Folder of the packages.")] = PACKAGES,
    count: Annotated[int, typer.Option(help="Frames or specimens of each kind, one seed each.")] = 5,
    markdown_only: Annotated[bool, typer.Option("--markdown", help="Print the tables for a README.")] = False,
    only: Annotated[str, typer.Option(help="beads, nuclei or mitosis (default: all).")] = "",
    real: Annotated[Path | None, typer.Option(help="Folder of StarDist's img2d.tif and mask2d.tif.")] = None,
) -> None:
    """Measure denoising, super-resolution and spots on beads, the instances of nuclei, and the classes of crops."""
    if only in ("", "beads"):
        told = (
            "PSNR in dB over the span of the truth; filters at the parameter that suits each frame best. Spots match "
            f"within {MATCH_PX} px; unmatched ones within {BORDER_PX} px of the border do not count."
        )
        _print(table(packages, count), COLUMNS + SPOTS, markdown_only, told)
    if only in ("", "nuclei"):
        told = "F1 and AP at least overlaps; IoU: mean of the pairs above 0.5; PQ: panoptic quality."
        _print(nuclei.table(packages, count, real), nuclei.COLUMNS, markdown_only, told)
    if only in ("", "mitosis"):
        print(mitosis.quality(packages / mitosis.PACKAGE, count).in_markdown())


def _print(rows: list[list[str]], columns: Sequence[str], for_readme: bool, told: str) -> None:
    if for_readme:
        print(in_markdown(rows, columns))
        return
    shown = Table("frames", *columns)
    for row in rows:
        shown.add_row(*row)
    console = Console()
    console.print(shown)
    console.print(told)


if __name__ == "__main__":
    typer.run(main)
