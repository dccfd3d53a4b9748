"""What a stage says of its trust values: as the package is, none, or also two answers compared now and then."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from .._errors import PipelineError

Compared = Literal["none", "flip", "fp16", "int8"]
EVERY = 25
"""Windows from one comparison to the next: of one inference more in 25 the mean is 4 % of the inference time."""


@dataclass(frozen=True, slots=True)
class TrustChoice:
    """`mode` "auto": stages that restore are looked at; "on": this one; "off": it is not. `disagreement` says what the
    answer is compared with on every `every`-th window: that to the mirrored frame, or of a variant in fewer bits."""

    mode: Literal["auto", "on", "off"] = "auto"
    disagreement: Compared = "none"
    every: int = EVERY


AUTO = TrustChoice()
OFF = TrustChoice("off")


def parse_trust(stated: str | Mapping[str, Any] | TrustChoice, stage: str = "") -> TrustChoice:
    """`auto`, `off` or {"disagreement": "flip", "every": 25} as a TrustChoice; raises PipelineError."""
    if isinstance(stated, TrustChoice):
        return stated
    if stated in ("auto", "on", "off"):
        return TrustChoice(stated)  # type: ignore[arg-type]  # one of them
    given: dict[str, Any] = dict(stated) if isinstance(stated, Mapping) else {"": stated}
    compared, every = given.pop("disagreement", "none"), given.pop("every", EVERY)
    fine = isinstance(every, int) and not isinstance(every, bool) and every >= 1
    if given or compared not in get_args(Compared) or not fine:
        raise PipelineError(
            f"found trust {stated!r} of the stage {stage!r}, expected auto, off, or disagreement "
            f"({', '.join(get_args(Compared))}) with every, a number of frames"
        )
    return TrustChoice("on", compared, every)
