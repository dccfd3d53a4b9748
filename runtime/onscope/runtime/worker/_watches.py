"""Trust values of the stages that restore their input, looked at when a window's answers are there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from .._frame import Pixels
from ..graph import Calibration, Raw, StageRequest
from ..trust import SIDE, Patches, Reference, disagreement, reference_from, values_of
from ._fit import check_weights, compile_fitting
from ._group import Group
from ._plan import FRAME, image_as_raw
from ._scalars import Scalars

Engine = tuple[str, int | None]


class Watches:
    """Those of a lane's stages. `told` are the stages' choices by their numbers ("trust" of `Stage.message`, None where
    nothing is looked at); `calibration` is that of the raw frames, which answers are not in the counts of then."""

    def __init__(
        self,
        requests: Mapping[int, StageRequest],
        told: Mapping[int, Mapping[str, Any] | None],
        raw: Raw,
        calibration: Calibration | None,
        engine: Engine,
        bit_depth: int,
    ) -> None:
        self.trust: dict[str, dict[str, float]] = {}
        """Trust values of the last window's answers, by stage."""
        self.suspect: dict[str, tuple[str, ...]] = {}
        """Which of them are not as usual, by stage; stages without any are left out."""
        self._requests, self._told = requests, told
        self._numbers = {request.name: number for number, request in requests.items()}
        self._raw, self._calibration = raw, calibration
        self._engine, self._bit_depth = engine, bit_depth
        self._watches: dict[int, _Watch] = {}

    def open(self, group: Group, images: Mapping[str, tuple[Pixels, str]]) -> list[str]:
        """Begin to look at a graph's stages, of which `images` has a first answer; what the user is told of it.

        Compiles and opens graphs of other precisions where answers are compared with theirs.
        """
        said = []
        for number in group.requests:
            told, request = self._told[number], group.requests[number]
            if told is None:
                continue
            raw, calibration = self._raw, self._calibration
            if request.reads != FRAME:
                raw, calibration = image_as_raw(request.reads, *images[request.reads], self._raw, ()), None
            why = _why_not(raw, *images[request.name])
            if why:
                said += [f"{request.name}: no trust values: {why}"] if told["asked"] else []
                continue
            if told["disagreement"] == "flip" and group.compiled.states:
                said.append(f"{request.name}: no answer to mirrored frames is compared, since the network remembers")
                told = {**told, "disagreement": "none"}
            counts = told["counts"] and calibration is None
            other = self._of_variant(number, request, told["weights"], raw, calibration)
            self._watches[number] = _Watch(number, {**told, "counts": counts}, group, raw, other)
        return said

    def look(self, window: Sequence[Pixels], answers: dict[int, Pixels]) -> bool:
        """Look at the answers to a window, by their stages' numbers; they may be copied in place.

        Whether a graph was run once more for it.
        """
        self.trust, self.suspect = {}, {}
        again = False
        for number in [number for number in answers if number in self._watches]:
            one, request = self._watches[number], self._requests[number]
            read = window[self._raw.target] if request.reads == FRAME else answers[self._numbers[request.reads]]
            fed = window if one.group.reads == FRAME else [answers[self._numbers[one.group.reads]]]
            again |= one.runs_again
            if one.runs_again:  # an engine may answer in the same memory
                answers |= {each: np.array(answers[each]) for each in one.group.decoders if each in answers}
            values, suspect = one.look(read, answers[number], fed)
            if values:
                self.trust[request.name] = values
            if suspect:
                self.suspect[request.name] = suspect
        return again

    def _of_variant(
        self,
        number: int,
        request: StageRequest,
        weights: Sequence[str] | None,
        raw: Raw,
        calibration: Calibration | None,
    ) -> Group | None:
        if weights is None:
            return None
        alone = replace(request, weights=Path(weights[0]), weights_sha256=weights[1], reads=FRAME)
        check_weights(alone)
        compiled, _ = compile_fitting([alone], raw, calibration)
        scalars = Scalars(compiled.scalars, raw, self._bit_depth, lambda note: None)
        return Group({number: alone}, request.reads, compiled, raw, scalars, self._engine)


class _Watch:
    """Looks at one stage of a group; `raw` is what the stage itself reads, `other` it with other weights."""

    def __init__(self, number: int, told: Mapping[str, Any], group: Group, raw: Raw, other: Group | None) -> None:
        self.group = group
        self._number, self._other = number, other
        self._patches = Patches((raw.shape[0], raw.shape[1]))
        self._counts: bool = told["counts"]
        self._reference: Reference | None = None if told["reference"] is None else reference_from(told["reference"])
        self._compared, self._every = told["disagreement"], int(told["every"])
        self._windows = 0
        self._warm_up()

    @property
    def runs_again(self) -> bool:
        """Whether the graph runs once more for the next window."""
        return self._compared == "flip" and self._windows % self._every == 0

    def look(self, read: Pixels, answer: Pixels, fed: Sequence[Pixels]) -> tuple[dict[str, float], tuple[str, ...]]:
        """The values of an answer to what was `read`, and which are suspect. `fed` is what the graph was given."""
        flips, turn = self.runs_again, self._windows % self._every == 0
        self._windows += 1
        raw, restored, differ = self._patches.of(read), self._patches.of(answer), None
        if flips:
            output = self.group.again([np.ascontiguousarray(frame[:, ::-1]) for frame in fed], self._number)
            flipped, _ = self.group.decoders[self._number](output)
            differ = disagreement(raw, restored, self._patches.of(flipped[:, ::-1]))
        elif turn and self._other is not None:
            given = fed if self._other.reads == FRAME else [np.ascontiguousarray(read)]
            other, _ = self._other.decoders[self._number](self._other.run(given)[self._number])
            differ = disagreement(raw, restored, self._patches.of(other))
        return values_of(raw, restored, self._reference, counts=self._counts, disagreement=differ)

    def _warm_up(self) -> None:
        """Once before frames come, so that nothing is loaded then."""
        noise = np.random.default_rng(0).normal(100, 5, self._patches.shape).astype(np.float32)
        values_of(self._patches.of(noise), self._patches.of(np.full_like(noise, 100)), self._reference)
        if self._other is not None:
            raw = self._other.raw
            self._other.warm_up([np.zeros(raw.shape, raw.dtype)] * raw.length)


def _why_not(raw: Raw, image: Pixels, axes: str) -> str:
    if raw.axes != "yx" or axes != "yx":
        return "they are for images of y and x alone"
    if min(raw.shape[:2]) < SIDE:
        return f"frames of at least {SIDE} x {SIDE} pixels are looked at"
    (tall, wide), (high, broad) = raw.shape[:2], image.shape[:2]
    if abs(high * wide - broad * tall) > max(high, broad, wide, tall):
        return "the answer does not cover the frame"
    return ""
