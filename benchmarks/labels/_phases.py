"""Phases of nuclei that were found live: nuclei-cells, measured objects, and mitosis-cells on their crops."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from onscope.export.zoo._crops import NAMES, OF_KIND, at_scale, cut
from onscope.export.zoo._mitosis_quality import Judged
from onscope.export.zoo.recipes import Field, Part, made
from onscope.runtime import Crops, FrameSpec, Measure, Pipeline, Stage
from onscope.runtime.trust import OFF
from onscope.runtime.worker import Chain
from onscope.specimen import Truth

from .._rows import Row
from ._classes import CULTURES, Discriminant, crops_of, fewer, judgements
from ._fields import CHANNEL
from ._instances import PACKAGE
from ._plan import Plan

Array = npt.NDArray[Any]
Tell = Callable[[str], object]


def phases(plan: Plan, tell: Tell) -> Iterator[Row]:
    """Rows as those of `classes`, but for nuclei as they are found and cut live."""
    tell("phases: crops for the linear discriminant")
    usual = Discriminant(crops_of(Part.VALIDATION, range(2), plan))
    pipeline = Pipeline(
        [
            Stage("nuclei", PACKAGE, trust=OFF),
            Measure("cells", of="nuclei"),
            Crops("phase", "zoo/mitosis-cells", of="cells", rescale=True),
        ]
    )
    ours, theirs, count = [], [], 0
    for seed in range(plan.seeds):
        tell(f"phases: seed {seed + 1} of {plan.seeds}")
        pairs = [
            pair for kind in CULTURES for field in _fields(kind, seed, plan) if (pair := seen(pipeline, usual, field))
        ]
        if pairs:
            ours.append(_together([one for one, _ in pairs]))
            theirs.append(_together([other for _, other in pairs]))
            count += len(ours[-1].names)
    words = f"phases of nuclei found live, {plan.seeds} seeds, {count} nuclei"
    yield from judgements(words, ours, theirs, "discriminant on the same nuclei")


def _fields(kind: Any, seed: int, plan: Plan) -> list[Field]:
    def as_they_are(field: Field, rng: np.random.Generator) -> list[Field]:
        return [field] if field.shot.channel == CHANNEL else []

    return made(fewer(kind, plan, as_they_are), Part.HELD_OUT, seed)


def seen(pipeline: Pipeline, usual: Discriminant, field: Field) -> tuple[Judged, Judged] | None:
    """What the pipeline, and the discriminant at the same places, say of the nuclei that were found and are some; None
    where there are none."""
    spec = FrameSpec(field.counts.shape, "uint16", pixel_size_um=field.pixel_um)
    answers, _ = Chain(pipeline.opening(spec, "cpu", 1)).run([np.ascontiguousarray(field.counts)])
    labels, cells, phase = answers
    kinds = kinds_of(labels, field.truth, cells["label"])
    known = np.array([kind in OF_KIND for kind in kinds], bool)
    if not known.any():
        return None
    names = np.array([OF_KIND[kind] for kind in kinds[known]])
    chances = np.stack([phase[f"score_{name}"][known] for name in NAMES], axis=1).astype(np.float64)
    image = at_scale(field.counts, field.pixel_um)
    scale = np.array(image.shape) / np.array(field.counts.shape)
    places = (np.stack([cells["y"], cells["x"]], axis=1)[known] + 0.5) * scale - 0.5
    weights = np.ones(len(names))
    return (
        Judged(names, kinds[known], chances, weights),
        Judged(names, kinds[known], usual(cut(image, places)), weights),
    )


def kinds_of(labels: Array, truth: Truth, numbers: Array) -> Array:
    """What the truth calls the nucleus that has most of each found one's pixels, str (n,); "" where that is less than
    half, or it touches the border."""
    inside = labels > 0
    pairs, counts = np.unique(np.stack([labels[inside], truth.nuclei[inside]]), axis=1, return_counts=True)
    areas = np.bincount(labels.ravel())
    most = {int(one): int(owner) for (one, owner), n in zip(pairs.T, counts, strict=True) if n > 0.5 * areas[one]}
    edges = (truth.nuclei[0], truth.nuclei[-1], truth.nuclei[:, 0], truth.nuclei[:, -1])
    cut_off = set(np.unique(np.concatenate(edges)).tolist())
    kinds = dict(zip(truth.objects["id"].tolist(), truth.kinds(), strict=True))
    owners = [most.get(int(number), 0) for number in numbers]
    return np.array(["" if owner in cut_off else kinds.get(owner, "") for owner in owners], dtype=np.str_)


def _together(parts: Sequence[Judged]) -> Judged:
    names, kinds, chances, weights = (
        np.concatenate([getattr(part, name) for part in parts]) for name in ("names", "kinds", "chances", "weights")
    )
    return Judged(names, kinds, chances, weights)
