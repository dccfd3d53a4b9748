"""How far a variant's answers are from those of the float weights, in what the answer is for, and how far they may be.

- An image network (one that gives back its first input, cleaner or larger): the RMS difference as a share of what the
  network changes, rms(variant - float) / rms(float - input), both in the network's own units; 0.05 at most. A larger
  output is held against the input enlarged by bicubic interpolation. An error relative to the output's range would
  flatter residual networks, whose output is mostly their input.
- Points: 1 - F1 of those above the threshold, the float weights' own as the truth, paired within 1.5 pixels; 0.01 at
  most.
- Label images: 1 - mean IoU of objects with their partners (IoU above 0.5), those without one counted as 0; 0.01 at
  most.
- Other tensors: the RMS difference relative to the range of the float output; 0.01 at most.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from onscope.runtime.engines import Session
from onscope.runtime.package import Package, fed, processed

from .._agreement import objects, overlaps
from .._original import Array
from ._points import PointCounts, count_points
from ._restores import as_large, restores

Kind = Literal["image", "points", "labels", "values"]
LIMITS: Mapping[Kind, float] = {"image": 0.05, "points": 0.01, "labels": 0.01, "values": 0.01}


@dataclass(frozen=True, slots=True)
class Measured:
    """One output of a variant over all frames. `error` and `limit` are what the module says for its `kind`.

    `fine` (0 to 1) goes on telling variants apart where the error itself is a count: how far the pairs of points lie
    apart. `numbers` are further ones for the report.
    """

    output: str
    kind: Kind
    error: float
    limit: float
    fine: float = 0.0
    numbers: Mapping[str, float] = field(default_factory=dict)

    @property
    def passed(self) -> bool:
        return self.error <= self.limit  # not for NaN


class Judge:
    """Knows the float weights' answers to some frames, and compares others' with them.

    `frames` are lists of inputs in the order of `package.inputs`; `image_limit` stands in for LIMITS["image"]; `tell`
    hears how many frames the float weights have answered. Raises PackageError (steps that are code), ProviderError.
    """

    def __init__(
        self, package: Package, frames: Sequence[Sequence[Array]], session: Session,
        image_limit: float | None = None, tell: Callable[[int], object] = lambda done: None,
    ) -> None:  # fmt: skip
        self._package = package
        self._image_limit = LIMITS["image"] if image_limit is None else image_limit
        self._order = [spec.name for spec in session.outputs]
        self._first = [spec.name for spec in session.inputs].index(package.inputs[0].graph_name)
        self._raw = [
            {tensor.name: (array, tensor.axes) for tensor, array in zip(package.inputs, frame, strict=True)}
            for frame in frames
        ]
        self.fed = [fed(package, frame, session) for frame in frames]
        self._expected = []
        for done, inputs in enumerate(self.fed):
            tell(done)
            self._expected.append([np.array(array) for array in session.run(inputs)])
        self.kinds = {tensor.name: self._kind(number) for number, tensor in enumerate(package.outputs)}

    def feed(self, frame: Sequence[Array], session: Session) -> list[Array]:
        """What a bare network takes of a frame: after the package's own steps."""
        return fed(self._package, frame, session)

    def measure(self, session: Session) -> tuple[Measured, ...]:
        """Every output of the package, from a session of a variant."""
        found = [[np.array(array) for array in session.run(inputs)] for inputs in self.fed]
        ways = {"image": self._image, "points": self._points, "labels": self._labels, "values": self._values}
        return tuple(
            ways[self.kinds[tensor.name]](number, self._place(number), found)
            for number, tensor in enumerate(self._package.outputs)
        )

    def _place(self, number: int) -> int:
        return self._order.index(self._package.outputs[number].graph_name)

    def _kind(self, number: int) -> Kind:
        tensor = self._package.outputs[number]
        if number == 0 and self._package.settings["decode"] == "points":
            return "points"
        if number == 0 and any(
            step.id in ("stardist_postprocessing", "cellpose_flow_dynamics") for step in tensor.steps
        ):
            return "labels"
        answers = [answers[self._place(number)] for answers in self._expected]
        given = [inputs[self._first] for inputs in self.fed]
        return "image" if restores(given, answers, tensor.axes) else "values"

    def _pairs(self, place: int, found: Sequence[Sequence[Array]]) -> list[tuple[Array, Array]]:
        return [
            (want[place].astype(np.float64), have[place].astype(np.float64))
            for want, have in zip(self._expected, found, strict=True)
        ]

    def _image(self, number: int, place: int, found: Sequence[Sequence[Array]]) -> Measured:
        tensor, pairs = self._package.outputs[number], self._pairs(place, found)
        given = [
            as_large(inputs[self._first], want.shape, tensor.axes)
            for inputs, (want, _) in zip(self.fed, pairs, strict=True)
        ]
        off = sum(float(np.sum((have - want) ** 2)) for want, have in pairs)
        change = sum(float(np.sum((want - before) ** 2)) for before, (want, _) in zip(given, pairs, strict=True))
        values = sum(want.size for want, _ in pairs)
        span = max(float(np.ptp(want)) for want, _ in pairs)
        psnr = 10 * np.log10(span**2 / (off / values)) if span and off else np.inf
        error = float(np.sqrt(off / change)) if change else float(off > 0)
        numbers = {"rms": float(np.sqrt(off / values)), "rms_changed": float(np.sqrt(change / values)),
                   "psnr_to_float_db": float(psnr)}  # fmt: skip
        return Measured(tensor.name, "image", error, self._image_limit, numbers=numbers)

    def _values(self, number: int, place: int, found: Sequence[Sequence[Array]]) -> Measured:
        pairs = self._pairs(place, found)
        span = max(float(want.max(initial=-np.inf)) for want, _ in pairs)
        span -= min(float(want.min(initial=np.inf)) for want, _ in pairs)
        span = span or max(float(np.abs(want).max(initial=0.0)) for want, _ in pairs) or 1.0
        off = sum(float(np.sum((have - want) ** 2)) for want, have in pairs)
        worst = max(float(np.abs(have - want).max(initial=0.0)) for want, have in pairs)
        error = float(np.sqrt(off / max(1, sum(want.size for want, _ in pairs)))) / span
        numbers = {"range": span, "largest_of_range": worst / span}
        return Measured(self._package.outputs[number].name, "values", error, LIMITS["values"], numbers=numbers)

    def _points(self, number: int, place: int, found: Sequence[Sequence[Array]]) -> Measured:
        settings = self._package.settings
        total = PointCounts()
        for raw, want, have in zip(self._raw, self._expected, found, strict=True):
            tables = [self._processed(number, answers[place], raw) for answers in (want, have)]
            total += count_points(tables[0], tables[1], settings["columns"], settings.get("threshold"))
        numbers = {"points": float(total.expected), "f1": total.f1, "rms_px": total.rms_px}
        name = self._package.outputs[number].name
        return Measured(name, "points", 1 - total.f1, LIMITS["points"], total.apart, numbers)

    def _labels(self, number: int, place: int, found: Sequence[Sequence[Array]]) -> Measured:
        from onscope.runtime import Stage

        decode = Stage("labels", self._package).decoder
        shared, most = 0.0, 0
        for raw, want, have in zip(self._raw, self._expected, found, strict=True):
            images = [decode(self._processed(number, answers[place], raw))[0].copy() for answers in (want, have)]
            shared += float(np.sum(overlaps(images[0], images[1])))
            most += max(objects(images[0]), objects(images[1]))
        iou = shared / most if most else 1.0
        numbers = {"objects": float(most), "mean_iou": iou}
        return Measured(self._package.outputs[number].name, "labels", 1 - iou, LIMITS["labels"], numbers=numbers)

    def _processed(self, number: int, answer: Array, raw: Mapping[str, tuple[Array, tuple[str, ...]]]) -> Array:
        tensor = self._package.outputs[number]
        return np.ascontiguousarray(processed(tensor.steps, answer, tensor.axes, raw).astype(answer.dtype))
