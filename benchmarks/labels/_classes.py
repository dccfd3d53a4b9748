"""Classes: mitosis-cells on crops of nuclei, against a linear discriminant of what is measured in them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any, TypeVar

import cv2
import numpy as np
import numpy.typing as npt

from onscope.export.zoo import PACKAGES
from onscope.export.zoo._crops import NAMES, Crop
from onscope.export.zoo._crops_recipes import DIVIDING_IN_SCALE, DYING_IN_SCALE
from onscope.export.zoo._mitosis_quality import Judged, judged, runner
from onscope.export.zoo.recipes import Field, Part, Recipe, made
from onscope.export.zoo.recipes import Plan as Shots
from onscope.specimen.scenarios import Scenario

from .._rows import Row
from ._fields import CHANNEL
from ._plan import Plan
from ._scores import beside

Array = npt.NDArray[Any]
Tell = Callable[[str], object]
E = TypeVar("E")
PACKAGE = "mitosis-cells"
CULTURES = (DIVIDING_IN_SCALE, DYING_IN_SCALE)


def classes(plan: Plan, tell: Tell) -> Iterator[Row]:
    """A row of the accuracy, all classes counting alike, and one of each class' recall, over the seeds."""
    tell("classes: crops for the linear discriminant")
    usual = Discriminant(crops_of(Part.VALIDATION, range(2), plan))
    run = runner(PACKAGES / PACKAGE / "weights.onnx")
    ours, theirs, crops = [], [], 0
    for seed in range(plan.seeds):
        tell(f"classes: seed {seed + 1} of {plan.seeds}")
        held_out = crops_of(Part.HELD_OUT, [seed], plan)
        crops += len(held_out)
        ours.append(judged(run, held_out))
        theirs.append(judged(usual, held_out))
    words = f"phases of the cell, {plan.seeds} seeds, {crops} crops of dividing and dying cells"
    yield from judgements(words, ours, theirs, "discriminant")


def judgements(words: str, ours: Sequence[Judged], theirs: Sequence[Judged], other: str) -> Iterator[Row]:
    """Rows of the accuracy, all classes counting alike, and of recall and precision by class; one judgement a seed."""
    for what, scores in (("accuracy, classes alike", balanced), ("recall", recalls), ("precision", precisions)):
        by = "accuracy" if scores is balanced else None
        yield beside(f"{words}: {what}", list(map(scores, ours)), list(map(scores, theirs)), other, by, {})


def balanced(found: Judged) -> dict[str, float]:
    """Accuracy where all classes count alike, and as the crops come."""
    return {"accuracy": found.alike().accuracy, "as they come": found.accuracy}


def recalls(found: Judged) -> dict[str, float]:
    """By class: share of its crops that are told to be of it."""
    return dict(zip(NAMES, found.recall.tolist(), strict=True))


def precisions(found: Judged) -> dict[str, float]:
    """By class: share of those told to be of it that are, all classes having as many crops."""
    return dict(zip(NAMES, found.alike().precision.tolist(), strict=True))


def crops_of(part: Part, numbers: Sequence[int], plan: Plan) -> list[Crop]:
    """All crops of these specimens of dividing cells, and of as many of dying ones."""
    return [
        crop for number in numbers for kind in CULTURES for crop in made(fewer(kind, plan, kind.examples), part, number)
    ]


def fewer(kind: Recipe[Crop], plan: Plan, examples: Callable[[Field, np.random.Generator], Sequence[E]]) -> Recipe[E]:
    """The same with as many looks, and of as large a field, as the plan has; `examples` are what is made of a field."""

    def shots(scenario: Scenario, rng: np.random.Generator) -> Shots:
        whole = kind.plan(scenario, rng)
        looks = [shot for shot in whole.shots if shot.channel == CHANNEL][: plan.looks]
        if plan.side is not None:
            looks = [
                replace(shot, shape=(min(shot.shape[0], plan.side), min(shot.shape[1], plan.side))) for shot in looks
            ]
        lights = [shot for shot in whole.shots if shot.channel != CHANNEL]
        return replace(whole, shots=(*lights, *looks))

    return Recipe(kind.name, kind.scenario, shots, examples)


class Discriminant:
    """Fisher's linear discriminant, all classes alike, of `measured` values; made from crops with their names."""

    def __init__(self, crops: Sequence[Crop]) -> None:
        values = measured(np.stack([crop.pixels for crop in crops]))
        names = np.array([crop.name for crop in crops])
        self._middle, self._scale = values.mean(axis=0), values.std(axis=0) + 1e-9
        values = (values - self._middle) / self._scale
        self._known = np.unique(names)
        means = np.stack([values[names == name].mean(axis=0) for name in self._known])
        inner = values - means[np.searchsorted(self._known, names)]
        # A little of the identity: few crops of a class must not make the covariance singular.
        spread = inner.T @ inner / len(values) + 0.01 * np.eye(values.shape[1])
        self._weights = np.linalg.solve(spread, means.T)
        self._offset = -0.5 * np.einsum("ck,kc->c", means, self._weights)

    def __call__(self, crops: Array) -> Array:
        """Probabilities float64 (n, classes) of crops (n, y, x)."""
        scores = (measured(crops) - self._middle) / self._scale @ self._weights + self._offset
        scores = np.exp(scores - scores.max(axis=1, keepdims=True))
        chances = np.zeros((len(crops), len(NAMES)))
        chances[:, self._known] = scores / scores.sum(axis=1, keepdims=True)
        return chances


def measured(crops: Array) -> Array:
    """What is commonly measured, float64 (n, 9): of the piece next to the middle above Otsu's threshold its area, mean
    brightness over the background, relative spread, sharpness, eccentricity, solidity; the largest value over the
    mean, the number of pieces and their area within half of the crop."""
    return np.array([_measured(crop.astype(np.float32)) for crop in crops])


def _measured(crop: Array) -> list[float]:
    dark = float(np.percentile(crop, 10))
    image = cv2.GaussianBlur(crop - np.float32(dark), (0, 0), 0.7)
    top = max(float(image.max()), 1e-3)
    scaled = np.clip(image / top * 255, 0, 255).astype(np.uint8)
    _, mask = cv2.threshold(scaled, 0, 1, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    count, pieces, told_of, centres = cv2.connectedComponentsWithStats(mask)
    if count < 2:
        return [0.0] * 9
    middle = (np.array(crop.shape[::-1]) - 1) / 2
    areas = told_of[1:, cv2.CC_STAT_AREA]
    away = np.hypot(*(centres[1:] - middle).T) + 1000 * (areas < 12)
    own = 1 + int(np.argmin(away))
    inside = pieces == own
    values = image[inside]
    mean = max(float(values.mean()), 1e-3)
    points = cv2.findNonZero(inside.astype(np.uint8))
    hull = float(cv2.contourArea(cv2.convexHull(points))) + 1
    y, x = np.nonzero(inside)
    spread = np.cov(np.stack([y, x])) + np.eye(2) / 12 if len(y) > 1 else np.eye(2) / 12
    small, large = np.sqrt(np.linalg.eigvalsh(spread))
    quarter = [size // 4 for size in crop.shape]
    near = pieces[quarter[0] : -quarter[0], quarter[1] : -quarter[1]]
    return [
        np.sqrt(len(values)),
        np.log(mean),
        float(values.std()) / mean,
        float(np.abs(cv2.Laplacian(image, cv2.CV_32F)[inside]).mean()) / mean,
        float(np.sqrt(1 - (small / large) ** 2)),
        len(values) / hull,
        top / mean,
        float(len(np.unique(near[near > 0]))),
        float(np.sqrt((near > 0).sum())),
    ]
