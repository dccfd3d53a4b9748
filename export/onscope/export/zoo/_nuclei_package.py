"""The package of the network for nuclei: its steps before and behind the graph, its frames, its quality."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from onscope.export import export_torch
from onscope.export._steps import cast, percentiles
from onscope.runtime.package import make_step

from ._nuclei_quality import COLUMNS, DECODED, table
from ._nuclei_texts import MEASURED, NUCLEI_WORDS
from ._stars import GRID
from ._texts import in_markdown, readme
from ._trained import trained
from .recipes import NUCLEI, Part, made
from .recipes._nuclei import LEAST_SPAN, PERCENTILES
from .stars_nuclei import StarsNuclei

EXAMPLE, EXAMPLE_SHAPE = 2, (64, 96)
"""Which specimen of the validation part is the test input, and how much of it: its answer takes 32 times the place."""
PROVING = (3, 10, 13)
PROVING_SHAPE = (192, 224)


def write_nuclei(weights: Path, out: Path, count: int, real: Path | None = None) -> str:
    """Export the network with `weights`/nuclei.pt, measure it, and export it again with the measurements in its words.

    Returns the table. Raises ExportError when the export is not equal to the network.
    """
    _write(weights, out, "(not measured)")
    quality = in_markdown(table(out, count, real), COLUMNS)
    _write(weights, out, quality)
    return quality


def _write(weights: Path, out: Path, quality: str) -> None:
    words = NUCLEI_WORDS
    one = trained(StarsNuclei(), weights, "nuclei")
    export_torch(
        one.network,
        _frame(EXAMPLE, EXAMPLE_SHAPE)[None, None],
        out / words.folder,
        name=words.name,
        description=words.description,
        authors=["The onscope developers"],
        license="BSD-3-Clause",
        documentation=readme(words, one.account, quality, MEASURED),
        output_names=["objects"],
        pre=(percentiles(*PERCENTILES, ("y", "x"), LEAST_SPAN), cast("float32")),
        post=((make_step("stardist_postprocessing", DECODED),),),
        minimum=32,
        step=GRID,
        sizes=[(32, 34), (64, 98), (130, 76)],
        frames=[_frame(number, PROVING_SHAPE) for number in PROVING],
        cite=words.cite,
        tags=words.tags,
        settings=words.settings,
        route="onscope.export.zoo.stars_nuclei",
        source_sha256=one.sha256,
        overwrite=True,
    )


def _frame(number: int, shape: tuple[int, int]) -> npt.NDArray[np.uint16]:
    """A part of the first field of a specimen of the validation part."""
    return np.ascontiguousarray(made(NUCLEI, Part.VALIDATION, number)[0].counts[: shape[0], : shape[1]])
