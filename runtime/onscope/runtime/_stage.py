"""Stages: one step of a pipeline, the package it runs, on what, and how its graph is made."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, get_args

from ._errors import PipelineError
from ._precision import Precision, chosen_weights, request_for, settled_on
from ._requests import request_message
from ._selects import FRAME, AnyStage, Gives, check_name, choice_message, several
from ._trusted import trust_message
from .decode import Decoder, Setting, check_settings, check_stated, decoder, known_settings, settled
from .graph import Normalise, StageRequest, is_decoder
from .package import Package, Step
from .trust import AUTO, TrustChoice, parse_trust

SMALLEST_TILE = 16


@dataclass(frozen=True, slots=True)
class Stage(AnyStage):
    """One step: the package it runs, and what it reads: "frame" (the raw one) or an earlier stage with an image.

    `package` is a Package, the path of one, or the name of a shipped one ("zoo/care-beads"). `settings` go before
    those of the package, e.g. {"threshold": 0.4}. `camera`, `channel` and `position` choose the frames that it runs
    on: a name, a number of the acquisition's axis, or several of them; None: all. Frames of an acquisition without
    such an axis are number 0 of it.

    `normalise` says whose statistics the steps beside the network use: "per_frame" (each window's own), "frozen" (those
    of the first `frozen_frames` windows: no flicker, for quantitative imaging), "running" (a running mean) or "shared"
    (those of the raw frame, for a stage that reads an earlier one). `tile` is the largest side in pixels that the
    network is run on at once (None: the whole frame), `rescale` whether frames are brought to the pixel size that the
    package was trained at.

    `precision` chooses the weights: "float32" (the package's own), "fp16" or "int8" (a variant, which must be there and
    have passed), or "auto": the fastest variant that passed and was measured to be faster on the engine in use with
    such a processor, else the package's own (`on`).

    `trust` says whether its answers are looked at (see `onscope.runtime.trust`): "auto" (where they restore what the
    stage reads), "off", or {"disagreement": "flip", "every": 25} with a second answer to compare on every 25th window,
    that to the mirrored frame or of the weights "fp16" or "int8".
    """

    name: str
    package: Package
    reads: str = FRAME
    settings: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    normalise: Normalise = "per_frame"
    frozen_frames: int = 10
    tile: int | None = None
    rescale: bool = False
    precision: Precision = "float32"
    trust: TrustChoice = AUTO
    camera: frozenset[int | str] | None = None
    channel: frozenset[int | str] | None = None
    position: frozenset[int | str] | None = None
    tuned: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}), init=False)
    """Of its settings, those that were changed while it runs."""

    def __init__(
        self,
        name: str,
        package: Package | str | Path,
        reads: str = FRAME,
        settings: Mapping[str, Any] | None = None,
        *,
        normalise: Normalise = "per_frame",
        frozen_frames: int = 10,
        tile: int | None = None,
        rescale: bool = False,
        precision: Precision = "float32",
        trust: str | Mapping[str, Any] | TrustChoice = AUTO,
        camera: str | Iterable[str] | None = None,
        channel: int | str | Iterable[int | str] | None = None,
        position: int | str | Iterable[int | str] | None = None,
    ) -> None:
        check_name(name)
        set_once = object.__setattr__
        set_once(self, "name", name)
        set_once(self, "package", package if isinstance(package, Package) else Package.load(package))
        set_once(self, "reads", reads)
        asked = {**self.package.settings, **(settings or {})}
        check_stated(settings or {}, asked.get("decode"), f"in the settings of the stage {name!r}: ", PipelineError)
        set_once(self, "settings", MappingProxyType(settled(asked, self.package.outputs[0])))
        set_once(self, "normalise", normalise)
        set_once(self, "frozen_frames", frozen_frames)
        set_once(self, "tile", tile)
        set_once(self, "rescale", rescale)
        set_once(self, "precision", precision)
        set_once(self, "trust", parse_trust(trust, name))
        for axis, wanted in (("camera", camera), ("channel", channel), ("position", position)):
            set_once(self, axis, several(wanted))
        set_once(self, "tuned", MappingProxyType({}))
        self._check()

    def _check(self) -> None:
        check_plain(self.name, self.settings)
        check_settings(self.settings, f"in the settings of the stage {self.name!r}: ", PipelineError)
        self._check_decoder()
        if self.normalise not in get_args(Normalise):
            raise PipelineError(
                f"found normalise {self.normalise!r} of the stage {self.name!r}, expected one of "
                f"{', '.join(get_args(Normalise))}"
            )
        if self.frozen_frames < 1 or (self.tile is not None and self.tile < SMALLEST_TILE):
            raise PipelineError(
                f"found {self.frozen_frames} frozen frames and tiles of {self.tile} pixels for the stage "
                f"{self.name!r}, expected at least 1 and {SMALLEST_TILE}"
            )
        chosen_weights(self.name, self.package, self.precision)
        trust_message(self)  # what cannot be looked at is told now

    def _check_decoder(self) -> None:
        answer = self.decoder
        if answer.labels and self.rescale and self.settings.get("decode") != "classes":
            raise PipelineError(
                f"found rescale for the stage {self.name!r}, which answers with labels, expected frames of the pixel "
                "size that its package was trained at: distances and flows are in pixels of the network"
            )
        before = [step.id for tensor in self.package.inputs for step in tensor.steps if is_decoder(step)]
        if before:
            raise PipelineError(
                f"found {self.package.name!r} with {', '.join(before)} before its network, expected it after an "
                "output: correct the package"
            )

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of all that it reads."""
        return (self.reads,)

    @property
    def places(self) -> bool:
        """Whether its rows say where objects are."""
        names = set(self.decoder.columns)
        return {"y", "x"} <= names or {"y0", "x0", "y1", "x1"} <= names

    @property
    def gives(self) -> Gives:
        """What kind of answer it gives."""
        answer = self.decoder
        return "table" if answer.columns else "labels" if answer.labels else "image"

    @property
    def decoder(self) -> Decoder:
        """What makes an answer of the package's first output; raises PipelineError when there is nothing that does."""
        kinds = [axis.id if axis.kind == "space" else axis.kind for axis in self.package.outputs[0].described]
        return decoder(kinds, self.settings, self._decoded)

    @property
    def _decoded(self) -> Sequence[Step]:
        """Steps of the output's postprocessing that the decoder carries out."""
        steps = self.package.outputs[0].steps
        first = next((at for at, step in enumerate(steps) if is_decoder(step)), len(steps))
        return steps[first:]

    @property
    def known_settings(self) -> tuple[Setting, ...]:
        """What may be set of its decoder; where nothing is, the defaults hold."""
        return known_settings(self.settings, self._decoded)

    def on(self, provider: str) -> Stage:
        """Itself; with `precision="auto"` the same in the precision that is best on that provider on this machine."""
        return settled_on(self, provider)

    @property
    def request(self) -> StageRequest:
        """What its compilation is asked for; `auto` stands for the package's own weights until it is settled (`on`)."""
        more = {"frozen_frames": self.frozen_frames, "tile": self.tile}
        return request_for(self, self.reads, self.normalise, **more)

    def message(self) -> dict[str, Any]:
        """All that the worker needs to know of the stage, as plain values."""
        return {
            **request_message(self.request),
            "precision": self.precision,
            "choice": choice_message(self),
            "trust": trust_message(self),
            "tuned": dict(self.tuned),
        }


def check_plain(name: str, settings: Mapping[str, Any]) -> None:
    """Raise PipelineError unless a stage's settings are values that JSON can hold."""
    try:
        json.dumps(dict(settings))
    except (TypeError, ValueError) as error:
        raise PipelineError(
            f"found settings of the stage {name!r} that are no plain values ({error}), expected numbers, "
            "texts and lists: convert NumPy's numbers with float()"
        ) from error
