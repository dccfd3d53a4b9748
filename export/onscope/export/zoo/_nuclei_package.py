"""The package of the network for nuclei: its steps before and behind the graph, its frames, its quality."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from onscope.export import Choices, export_original
from onscope.export._steps import cast, percentiles
from onscope.runtime.package import make_step

from ._nuclei_quality import COLUMNS, DECODED, table
from ._nuclei_texts import MEASURED, NUCLEI_WORDS
from ._stars import GRID
from ._texts import in_markdown, readme
from .recipes import NUCLEI, Part, made
from .recipes._nuclei import LEAST_SPAN, PERCENTILES

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


def choices() -> Choices:
    """How the network is exported: its steps, its decoder, its frames."""
    return Choices(
        example=_frame(EXAMPLE, EXAMPLE_SHAPE)[None, None],
        output_names=("objects",),
        pre=(percentiles(*PERCENTILES, ("y", "x"), LEAST_SPAN), cast("float32")),
        post=((make_step("stardist_postprocessing", DECODED),),),
        minimum=32,
        step=GRID,
        sizes=[(32, 34), (64, 98), (130, 76)],
        frames=[_frame(number, PROVING_SHAPE) for number in PROVING],
    )


def _write(weights: Path, out: Path, quality: str) -> None:
    from onscope.export.pytorch import TorchNetwork

    from ._trained import trained
    from .stars_nuclei import StarsNuclei

    words = NUCLEI_WORDS
    one = trained(StarsNuclei(), weights, "nuclei")
    more = replace(
        choices(),
        name=words.name,
        description=words.description,
        authors=["The onscope developers"],
        license="BSD-3-Clause",
        documentation=readme(words, one.account, quality, MEASURED),
        cite=words.cite,
        tags=words.tags,
        settings=words.settings,
        overwrite=True,
    )
    original = TorchNetwork(one.network.eval(), "onscope.export.zoo.stars_nuclei", one.sha256)
    export_original(original, out / words.folder, more)


def _frame(number: int, shape: tuple[int, int]) -> npt.NDArray[np.uint16]:
    """A part of the first field of a specimen of the validation part."""
    return np.ascontiguousarray(made(NUCLEI, Part.VALIDATION, number)[0].counts[: shape[0], : shape[1]])
