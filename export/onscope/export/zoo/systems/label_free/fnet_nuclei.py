"""FNet on nuclei: their fluorescence, plane by plane, from a stack of bright field."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from onscope.export import Choices
from onscope.export._steps import cast, standardised
from onscope.runtime.drawing import Look

from ..._metrics import psnr
from ..._texts import Words
from .._live_path import answers, pipeline_of, stacks
from .._score import Score, over_seeds
from .._sheet import Tile, sheet
from .._system import Live, Measured, System, Training
from ._regression import REGRESSIONS, predicted, seen
from ._regression import standardised as zero_mean
from ._stacks import PIXEL_UM, PLANES, STEP_UM, held_out

if TYPE_CHECKING:
    from torch import nn

    from ..._tasks import Task

Array = npt.NDArray[Any]
KEY = "fnet-nuclei"
FEATURES, DEPTH = 8, 3
LEVELS = (500.0, 5000.0)
"""Photons per pixel of held-out bright field, as far as the camera takes them."""
PIPELINE = """schema: 1
stages:
  nuclei: {package: "{package}", rescale: true}
window: {length: 8, along: z}
"""


def _network() -> nn.Module:
    from ...networks.restore import FNet

    return FNet(FEATURES, DEPTH)


def _task() -> Task:
    from ._fnet_task import FNetTask

    return FNetTask(_network())


def _choices() -> Choices:
    frames = [seen(held_out(100 + number), number, 2000.0)[None] for number in range(2)]
    return Choices(
        example=np.ascontiguousarray(frames[0][:, :, :64, :96]),
        axes="bzyx",
        output_axes=("bzyx",),
        pre=(standardised(("z", "y", "x")), cast("float32")),
        minimum=16,
        step=8,
        sizes=[(16, 24), (64, 104)],
        frames=[one[:, :, :128, :128] for one in frames],
        settings={"decode": "image"},
        pixel_um=PIXEL_UM,
    )


def correlation(image: Array, truth: Array) -> float:
    """Pearson's r of all pixels, as the paper has it; 0 for what is the same everywhere."""
    one, other = (np.asarray(each, np.float64) - np.mean(each, dtype=np.float64) for each in (image, truth))
    both = float(np.sqrt(np.sum(one**2) * np.sum(other**2)))
    return float(np.sum(one * other)) / both if both else 0.0


def _scores(folder: Path, seeds: int) -> list[Score]:
    found = []
    fields = [held_out(number) for number in range(seeds)]
    for photons in LEVELS:
        shown = [seen(field, number, photons) for number, field in enumerate(fields)]
        images = [
            {"network": own, **_regressed(counts)} for own, counts in zip(_answered(folder, shown), shown, strict=True)
        ]
        samples = f"bright field, {photons:g} photons"
        for metric, unit, judge in (("Pearson r", "", correlation), ("PSNR", "dB", psnr)):
            rows = [
                {name: judge(image, field.nuclei.astype(np.float32)) for name, image in one.items()}
                for one, field in zip(images, fields, strict=True)
            ]
            found.append(over_seeds(samples, metric, unit, rows))
    return found


def _regressed(counts: Array) -> dict[str, Array]:
    return {name: predicted(name, "nuclei", zero_mean(counts)) for name in REGRESSIONS}


def _answered(folder: Path, shown: list[Array]) -> list[Array]:
    results = answers(pipeline_of(PIPELINE, folder), stacks(shown), PIXEL_UM)
    return [np.asarray(one["nuclei"]) for one in results]


def _picture(folder: Path, file: Path) -> None:
    rows = []
    for number in range(3):
        field = held_out(number)
        counts = seen(field, number, 2000.0)
        middle = PLANES // 2
        truth = field.nuclei[middle].astype(np.float32)
        own = _answered(folder, [counts])[0]
        beside = _regressed(counts)["regression of pixels and surroundings"]
        look = Look.of(truth, glow=True)
        rows.append(
            [
                Tile("bright field, first plane" if not number else "", counts[0]),
                Tile("plane 5" if not number else "", counts[middle]),
                Tile("regression", beside[middle], f"r = {correlation(beside, field.nuclei):.3f}", look),
                Tile("FNet", own[middle], f"r = {correlation(own, field.nuclei):.3f}", look),
                Tile("fluorescence, plane 5", truth, "", look),
            ]
        )
    sheet("FNet on held-out cells: nuclei from bright field", rows, file)


SYSTEM = System(
    key=KEY,
    network=_network,
    choices=_choices,
    words=Words(
        name=KEY,
        folder=KEY,
        description="FNet with eight features and three halvings: the fluorescence of nuclei from a bright-field stack",
        takes_and_gives=(
            f"Stacks of {PLANES} uint16 planes (1, {PLANES}, y, x), {STEP_UM:g} um apart, of bright field with pixels "
            f"of about {PIXEL_UM:g} um, y and x of at least 16 and multiples of 8 (onscope pads others), standardised "
            "over the stack. The answer is the fluorescence of the nuclei in the same planes, float32, 0 where there "
            "is none and about 1 in an interphase nucleus; it has no unit."
        ),
        recipe=(
            "Cells of the specimen's scenario label-free: 100 fields of 160x160 pixels of 0.29 to 0.36 um from 50 "
            "specimens, 30 to 140 % of the scenario's density, up to 12 % of the cells in mitosis, round to "
            "elongated, the middle of the stack 2.5 to 6.5 um above the coverslip, turned and mirrored; bright field "
            "of 300 to 10,000 photons per pixel behind sCMOS sensors of many kinds. The fluorescence is free of "
            "noise, in photons per um2, so that cells with more dye are brighter. Loss: squared error, as in the "
            f"paper. What differs from it: 8 features and 3 halvings in place of 32 and 4, {PLANES} planes in place "
            "of 32, and simulated cells."
        ),
        limits=(
            "What bright field does not show cannot be told: how much dye a cell holds is guessed as the mean. "
            "Trained on the specimen's cells alone, in which nuclei, nucleoli and granules are phase objects in one "
            "plane (real stacks are thicker and less clean), with a condenser of 0.4 and an objective of 0.95; "
            "another cell line, contrast or step needs a training of its own. Planes must come from the bottom up."
        ),
        cite=(
            {
                "text": "C. Ounkomol et al., Label-free prediction of three-dimensional fluorescence images from "
                "transmitted-light microscopy, Nature Methods 15, 917 (2018)",
                "doi": "10.1038/s41592-018-0111-2",
            },
        ),
        tags=("label-free", "bright field", "nuclei", "3d", "fnet"),
        settings={"decode": "image"},
    ),
    live=Live(PIPELINE, "specimen:label-free@transmitted,planes=8,step_um=0.8,z_um=4.5", frames=32),
    training=Training(_task, steps=1900, learning_rate=2e-3),
    measured=Measured(
        _scores,
        _picture,
        about=(
            "Measured through the runtime on stacks of specimens that training never saw, each behind a camera of "
            "its own; mean and standard deviation over the seeds. Pearson's r over all pixels of the stack, PSNR "
            "over the span of the truth. The regressions are ridge regressions of polynomials of a pixel's values in "
            "all planes (and of mean and variance of each plane around it at 1.5 and 4 pixels), fitted on 12 fields "
            "of other specimens."
        ),
    ),
    cost_shape=(256, 256),
    window=PLANES,
)
