"""How good the classifier of crops is: confusion, precision and recall, calibration."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime as ort

from ._crops import NAMES, OF_KIND, Crop
from ._crops_recipes import DIVIDING_IN_SCALE, DYING_IN_SCALE, NATURAL
from .recipes import Part, gather

Array = npt.NDArray[Any]
PACKAGE = "mitosis-cells"
PER_COUNT = 4
"""Specimens of either kind for each that is asked for: classes are rare."""
BINS = 15
"""Equal bins of confidence for the calibration error, as in C. Guo et al., ICML 2017."""


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """N crops: the number of their name in `NAMES`, what the truth calls them, and the probabilities they were given.

    `names` int64 (N,), `kinds` str (N,), `chances` float64 (N, classes), `weights` float64 (N,) of mean 1.
    """

    names: Array
    kinds: Array
    chances: Array
    weights: Array

    @property
    def told(self) -> Array:
        """The most probable class (N,)."""
        return np.asarray(self.chances.argmax(axis=1))

    @property
    def confusion(self) -> Array:
        """Weighted number of crops (classes, classes): a row per true class, a column per class that was told."""
        out = np.zeros((len(NAMES), len(NAMES)))
        np.add.at(out, (self.names, self.told), self.weights)
        return out

    @property
    def accuracy(self) -> float:
        """Share of the crops that are told right."""
        return float(np.average(self.told == self.names, weights=self.weights))

    @property
    def precision(self) -> Array:
        """By class: share of what is told to be of it that is (nan: nothing is)."""
        return _ratio(np.diag(self.confusion), self.confusion.sum(axis=0))

    @property
    def recall(self) -> Array:
        """By class: share of its crops that are told to be of it (nan: there are none)."""
        return _ratio(np.diag(self.confusion), self.confusion.sum(axis=1))

    @property
    def calibration_error(self) -> float:
        """Expected calibration error: mean distance of confidence and share of right answers over `BINS` bins."""
        confidence = self.chances.max(axis=1)
        place = np.minimum((confidence * BINS).astype(int), BINS - 1)
        right = np.bincount(place, self.weights * (self.told == self.names), BINS)
        said = np.bincount(place, self.weights * confidence, BINS)
        return float(np.abs(right - said).sum() / self.weights.sum())

    def alike(self) -> Judged:
        """The same crops, weighted so that all classes count alike."""
        counts = np.bincount(self.names, minlength=len(NAMES))
        weights = len(self.names) / (np.count_nonzero(counts) * counts[self.names])
        return Judged(self.names, self.kinds, self.chances, weights)

    def at(self, frequencies: Array) -> Judged:
        """With the probabilities that classes of these `frequencies` (classes,) have, where the network knows none."""
        chances = self.chances * frequencies
        return Judged(self.names, self.kinds, chances / chances.sum(axis=1, keepdims=True), self.weights)

    @property
    def frequencies(self) -> Array:
        """Share of the crops that each class has (classes,)."""
        return np.asarray(np.bincount(self.names, self.weights, len(NAMES)) / self.weights.sum())


def runner(weights: Path, threads: int = 1) -> Callable[[Array], Array]:
    """A function from crops (n, SIDE, SIDE) uint16 to probabilities float32 (n, classes), by ONNX Runtime."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    session = ort.InferenceSession(str(weights), options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name

    def run(crops: Array) -> Array:
        return np.asarray(session.run(None, {name: crops[:, None]})[0])

    return run


def judged(run: Callable[[Array], Array], found: list[Crop], batch: int = 128) -> Judged:
    """What the network says of crops; raises ValueError for none."""
    if not found:
        raise ValueError("found no crops, expected one or more: take more specimens")
    pixels = np.stack([one.pixels for one in found])
    chances = np.concatenate([run(pixels[start : start + batch]) for start in range(0, len(pixels), batch)])
    names = np.array([one.name for one in found], dtype=np.int64)
    kinds = np.array([one.kind for one in found])
    return Judged(names, kinds, chances.astype(np.float64), np.ones(len(found)))


def held_out(kind: str, count: int, first: int = 0) -> list[Crop]:
    """Crops of `count` * PER_COUNT held-out specimens: "natural" ones, or "eventful", a third of which die.

    Their numbers begin at `first`. Raises ValueError for another kind.
    """
    count *= PER_COUNT
    if kind not in ("natural", "eventful"):
        raise ValueError(f"found specimens {kind!r}, expected natural or eventful")
    if kind == "natural":
        return list(gather(NATURAL, Part.HELD_OUT, count, first=first))
    dying = count // 3
    dividing = list(gather(DIVIDING_IN_SCALE, Part.HELD_OUT, count - dying, first=first))
    return dividing + list(gather(DYING_IN_SCALE, Part.HELD_OUT, dying, first=first))


@dataclass(frozen=True, slots=True, eq=False)
class Quality:
    """What was measured: `eventful` crops with all classes alike, `natural` ones as frequent as they are."""

    eventful: Judged
    natural: Judged

    def in_markdown(self) -> str:
        """The tables for a README."""
        return "\n\n".join((_summary(self), _confusion(self.eventful), _by_kind(self.eventful)))


def quality(package: Path, count: int) -> Quality:
    """The network in the folder `package` on `count` * PER_COUNT held-out specimens of either kind."""
    run = runner(package / "weights.onnx")
    return Quality(judged(run, held_out("eventful", count)).alike(), judged(run, held_out("natural", count)))


def _summary(found: Quality) -> str:
    known = found.natural.at(found.natural.frequencies)
    columns = [("classes alike", found.eventful), ("natural", found.natural), ("natural, frequencies known", known)]
    lines = [["", *(title for title, _ in columns)], ["---"] * (len(columns) + 1)]
    lines.append(["crops", *(str(len(one.names)) for _, one in columns)])
    lines.append(["accuracy", *(f"{one.accuracy:.3f}" for _, one in columns)])
    lines.append(["expected calibration error", *(f"{one.calibration_error:.3f}" for _, one in columns)])
    for n, name in enumerate(NAMES):
        lines.append([f"{name}: frequency", *(f"{one.frequencies[n]:.3f}" for _, one in columns)])
        lines.append(
            [f"{name}: precision / recall", *(f"{one.precision[n]:.3f} / {one.recall[n]:.3f}" for _, one in columns)]
        )
    return _markdown(lines)


def _confusion(one: Judged) -> str:
    shares = one.confusion / one.confusion.sum(axis=1, keepdims=True)
    lines = [["truth, told as:", *NAMES], ["---"] * (len(NAMES) + 1)]
    lines += [[name, *(f"{share:.3f}" for share in row)] for name, row in zip(NAMES, shares, strict=True)]
    return _markdown(lines)


def _by_kind(one: Judged) -> str:
    """How the truth's finer kinds are told: where classes meet is where they are mistaken for each other."""
    lines = [["of which the specimen says:", "crops", *NAMES], ["---"] * (len(NAMES) + 2)]
    for kind in OF_KIND:
        told = one.told[one.kinds == kind]
        if len(told):
            shares = np.bincount(told, minlength=len(NAMES)) / len(told)
            lines.append([kind, str(len(told)), *(f"{share:.3f}" for share in shares)])
    return _markdown(lines)


def _markdown(lines: list[list[str]]) -> str:
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _ratio(part: Array, whole: Array) -> Array:
    return np.asarray(np.divide(part, whole, out=np.full(len(part), np.nan), where=whole > 0))
