"""Instances: nuclei-cells against Otsu's threshold and a watershed, on specimens and real images."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import reduce
from operator import add
from typing import Any

import numpy as np
import numpy.typing as npt

from onscope.export.zoo._matching import Matched, matched

from .._rows import Row
from ._classical import watersheds
from ._fields import enlarged, fields, kinds, real
from ._live import Live
from ._plan import Plan
from ._scores import beside, instance_scores

Array = npt.NDArray[Any]
Tell = Callable[[str], object]
PACKAGE = "zoo/nuclei-cells"
BACTERIA = tuple(f"0000{number}" for number in (5, 6, 7, 8))


def instances(plan: Plan, tell: Tell) -> Iterator[Row]:
    """A row per kind of specimen: our F1 and mAP over those of the watershed that suits each frame best."""
    find = Live(PACKAGE)
    for kind in kinds(plan):
        tell(f"instances: {kind}, {plan.seeds} seeds")
        ours, usual, nuclei = [], [], 0
        for field in fields(kind, plan):
            counts = matched(field.labels, find(field.counts))
            nuclei += counts.true
            ours.append(instance_scores(counts))
            usual.append(instance_scores(best_watershed(field.labels, field.counts)))
        words = f"nuclei of {kind}, {plan.seeds} seeds, {nuclei} nuclei"
        yield beside(words, ours, usual, "watershed", "F1 0.5", {"kind": kind})


def real_images(plan: Plan, tell: Tell) -> Iterator[Row]:
    """Rows of the real images with labels; none where they are not."""
    find = Live(PACKAGE)
    for what, pairs, promised in _real_sets():
        tell(f"real images: {what}")
        ours = reduce(add, (matched(labels, find(frame)) for frame, labels in pairs))
        usual = reduce(add, (best_watershed(labels, frame) for frame, labels in pairs))
        words = f"{what}, {len(pairs)} frame{'s' * (len(pairs) > 1)}, {ours.true} labels"
        scores = [instance_scores(ours)], [instance_scores(usual)]
        yield beside(words, *scores, "watershed", "F1 0.5", {"kind": what}, promised=promised)


def best_watershed(labels: Array, frame: Array) -> Matched:
    """What the watershed finds with the threshold and the width that suit this frame best, the truth known."""
    return max((matched(labels, found) for found in watersheds(frame)), key=lambda counts: counts.f1(0.5))


def _real_sets() -> Iterator[tuple[str, Sequence[tuple[Array, Array]], bool]]:
    """What it is, its (frame, labels), and whether the package is made for such images."""
    image, labels = (real(f"nuclei_with_labels_stardist/{name}2d.tif") for name in ("img", "mask"))
    if image is not None and labels is not None:
        yield "real: StarDist's nuclei", [(image, labels.astype(np.int32))], True
    image, labels = (real(f"cells_mcf10a_pyclm/mcf10a{name}.tif") for name in ("", "_seg"))
    if image is not None and labels is not None:
        pair = enlarged(image, False), enlarged(labels, True)
        yield "real: MCF10A nuclei, enlarged twice, by a reference segmentation", [pair], True
    folder = "brightfield_fluorescence_labels_colicoords"
    rods = [
        (real(f"{folder}/fluorescence/{one}.tif"), real(f"{folder}/binary/{one}_Probabilities_filtered.tif"))
        for one in BACTERIA
    ]
    known = [(image, labels.astype(np.int32)) for image, labels in rods if image is not None and labels is not None]
    if known:
        yield "real: fluorescent E. coli, which nuclei-cells was not trained on", known, False
