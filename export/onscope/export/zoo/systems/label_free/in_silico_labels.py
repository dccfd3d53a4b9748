"""In-silico labelling: nuclei, membranes and mitochondria at once, from a stack of bright field."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from onscope.export import Choices
from onscope.export._steps import cast, percentiles
from onscope.runtime.drawing import Look

from ... import PACKAGES
from ..._metrics import psnr
from ..._texts import Words
from .._live_path import answers, pipeline_of, stacks
from .._score import Score, over_seeds
from .._sheet import Tile, sheet
from .._system import Live, Measured, System, Training
from . import fnet_nuclei
from ._regression import REGRESSIONS, predicted, seen, standardised
from ._stacks import LABELS, PIXEL_UM, PLANES, STEP_UM, Cells, held_out

if TYPE_CHECKING:
    from torch import nn

    from ..._tasks import Task

Array = npt.NDArray[Any]
KEY = "in-silico-labels"
BASE_DEPTH, SCALES, UPPER, BINS = 60, 3, 2, 64
LOW, HIGH = 1.0, 99.0
TOP = 3.0
"""What is the last bin, in bright structures of a label."""
PHOTONS = 5000.0
"""Per pixel of held-out bright field, as far as the camera takes them."""
PIPELINE = """schema: 1
stages:
  labels: {package: "{package}", rescale: true}
window: {length: 8, along: z}
"""


def _network() -> nn.Module:
    from ...networks.restore import InSilicoLabelling

    return InSilicoLabelling(PLANES, len(LABELS), BASE_DEPTH, SCALES, UPPER, BINS)


def _task() -> Task:
    from ._labels_task import LabelsTask

    return LabelsTask(_network())


def _choices() -> Choices:
    frames = [seen(held_out(100 + number), number, 2000.0)[None] for number in range(2)]
    return Choices(
        example=np.ascontiguousarray(frames[0][:, :, :64, :96]),
        axes="bzyx",
        output_axes=("bcyx",),
        channel_names=(),
        pre=(percentiles(LOW, HIGH, ("z", "y", "x")), cast("float32")),
        minimum=16,
        step=1,
        sizes=[(16, 21), (65, 103)],
        frames=[one[:, :, :128, :128] for one in frames],
        settings={"decode": "image"},
        pixel_um=PIXEL_UM,
    )


def _scores(folder: Path, seeds: int) -> list[Score]:
    fields = [held_out(number) for number in range(seeds)]
    stacks_seen = [seen(field, number, PHOTONS) for number, field in enumerate(fields)]
    own = _answered(PIPELINE, folder, "labels", stacks_seen)
    fnet = _answered(fnet_nuclei.PIPELINE, PACKAGES / fnet_nuclei.KEY, "nuclei", stacks_seen)
    found = []
    for place, label in enumerate(LABELS):
        for metric, unit, judge in (("Pearson r", "", fnet_nuclei.correlation), ("PSNR", "dB", psnr)):
            rows = []
            for field, counts, answer, planes in zip(fields, stacks_seen, own, fnet, strict=True):
                truth = field.labels[place].astype(np.float32)
                row = {"network": judge(answer[..., place] * TOP, truth)}
                if label == "nuclei":
                    row["FNet, its best plane"] = max(judge(plane, truth) for plane in planes)
                row |= {name: judge(image[place], truth) for name, image in _regressed(counts).items()}
                rows.append(row)
            found.append(over_seeds(f"{label}, {PHOTONS:g} photons", metric, unit, rows))
    return found


def _regressed(counts: Array) -> dict[str, Array]:
    return {name: predicted(name, "labels", standardised(counts)) for name in REGRESSIONS}


def _answered(text: str, folder: Path, stage: str, seen_stacks: list[Array]) -> list[Array]:
    return [np.asarray(one[stage]) for one in answers(pipeline_of(text, folder), stacks(seen_stacks), PIXEL_UM)]


def _picture(folder: Path, file: Path) -> None:
    rows = []
    for number in range(2):
        field: Cells = held_out(number)
        counts = seen(field, number, PHOTONS)
        own = _answered(PIPELINE, folder, "labels", [counts])[0]
        regressed = _regressed(counts)["regression of pixels and surroundings"]
        for place, label in enumerate(LABELS):
            truth = field.labels[place].astype(np.float32)
            look = Look.of(truth, glow=True)
            image = own[..., place] * TOP
            rows.append(
                [
                    Tile(f"bright field, plane {1 + 3 * place}", counts[3 * place]),
                    Tile("regression", regressed[place], _note(regressed[place], truth), look),
                    Tile("in-silico labelling", image, _note(image, truth), look),
                    Tile(label, truth, "", look),
                ]
            )
    sheet("In-silico labelling of held-out cells: three labels from one stack", rows, file)


def _note(image: Array, truth: Array) -> str:
    return f"r = {fnet_nuclei.correlation(image, truth):.3f}"


SYSTEM = System(
    key=KEY,
    network=_network,
    choices=_choices,
    words=Words(
        name=KEY,
        folder=KEY,
        description="In-silico labelling, small: nuclei, membranes and mitochondria from one bright-field stack",
        takes_and_gives=(
            f"Stacks of {PLANES} uint16 planes (1, {PLANES}, y, x), {STEP_UM:g} um apart, of bright field with pixels "
            f"of {PIXEL_UM:g} um, y and x of at least 16, normalised to the stack's percentiles 1 and 99. The answer "
            "is one image with three channels, float32 (1, 3, y, x): nuclei, membranes and mitochondria in their own "
            f"focal planes, the median of each pixel's distribution over {BINS} bins, 0 to 1 ({1 / TOP:.2g} is a "
            "bright structure)."
        ),
        recipe=(
            "Cells of the specimen's scenario label-free, the same fields as for `fnet-nuclei`: 100 fields of "
            "160x160 pixels of 0.29 to 0.36 um from 50 specimens, 30 to 140 % of the scenario's density, the middle "
            "of the stack 2.5 to 6.5 um above the coverslip; bright field of 300 to 10,000 photons per pixel behind "
            "sCMOS sensors of many kinds. Loss: cross entropy of the bins, as in the paper. What differs from it: 8 "
            "planes in place of 13, 3 scales in place of 5, 2 modules above the towers in place of 14, 64 bins in "
            "place of 256, a seventh of the width, no labels of dead or living cells, simulated cells alone, and far "
            "fewer of them."
        ),
        limits=(
            "What bright field does not show cannot be told: how much dye a cell holds is guessed, and of "
            "mitochondria it knows where they are more likely, not each of them. The median of a pixel that holds "
            "something in less than half of the cases is dark. Trained on the specimen's cells alone, in which "
            "transmitted light acts on one plane; another cell line, contrast or step needs a training of its own. "
            "Planes must come from the bottom up. It is behind `fnet-nuclei`, which does one label alone, on nuclei (r "
            "of 0.65 against 0.81) and far more uneven: on one of five held-out specimens, its cells rounder and "
            "denser than most, it tells next to nothing (the first rows of the picture)."
        ),
        cite=(
            {
                "text": "E. M. Christiansen et al., In silico labeling: predicting fluorescent labels in unlabeled "
                "images, Cell 173, 792 (2018)",
                "doi": "10.1016/j.cell.2018.03.040",
            },
        ),
        tags=("label-free", "bright field", "nuclei", "membranes", "mitochondria", "in-silico labelling"),
        settings={"decode": "image"},
    ),
    live=Live(PIPELINE, "specimen:label-free@transmitted,planes=8,step_um=0.8,z_um=4.5", frames=16),
    training=Training(_task, steps=1200, learning_rate=3e-3),
    measured=Measured(
        _scores,
        _picture,
        about=(
            "Measured through the runtime on stacks of specimens that training never saw, each behind a camera of "
            "its own; mean and standard deviation over the seeds. Pearson's r over all pixels, PSNR over the span of "
            "the truth. FNet is `fnet-nuclei`, of whose eight planes the one counts that is best by the truth. The "
            "regressions are ridge regressions of polynomials of a pixel's values in all planes (and of mean and "
            "variance of each plane around it), fitted on 12 fields of other specimens."
        ),
    ),
    cost_shape=(256, 256),
    window=PLANES,
)
