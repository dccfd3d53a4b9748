"""The steps by which a pipeline gives way, as a user writes them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, get_args

from .._errors import PipelineError

Kind = Literal["every", "roi", "swap", "precision", "skip", "pass-through"]
FORMS = "every=N, roi=SHARE, swap:STAGE=PACKAGE, precision:STAGE=fp16, skip=STAGE or pass-through"
MOST_EVERY = 10_000
_WRITTEN = re.compile(r"(?P<kind>[a-z-]+)(:(?P<stage>[^=]+))?(=(?P<value>.+))?")


@dataclass(frozen=True, slots=True)
class Step:
    """One step: its kind, the stage that it concerns ("": all), and its value as it was written.

    `number` is N of `every`, the share of `roi`, else 0.
    """

    kind: Kind
    stage: str = ""
    value: str = ""
    number: float = 0.0

    def __str__(self) -> str:
        return f"{self.kind}{self.stage and ':'}{self.stage}{self.value and '='}{self.value}"


def parse_step(text: str) -> Step:
    """`every=2`, `roi=0.5`, `swap:denoise=zoo/care-beads`, `precision:denoise=int8`, `skip=superres`, `pass-through`.

    Raises PipelineError.
    """
    found = _WRITTEN.fullmatch(text.strip())
    if found is None or found["kind"] not in get_args(Kind):
        raise _wrong(text)
    kind, stage, value = found["kind"], (found["stage"] or "").strip(), (found["value"] or "").strip()
    if bool(stage) != (kind in ("swap", "precision")) or bool(value) != (kind != "pass-through"):
        raise _wrong(text)
    if kind == "precision" and value not in ("fp16", "int8", "float32"):
        raise _wrong(text, "fp16, int8 or float32 as a precision")
    number = 0.0
    if kind in ("every", "roi"):
        try:
            number = float(value)
        except ValueError:
            raise _wrong(text, "a number") from None
        if kind == "every" and not (number.is_integer() and 2 <= number <= MOST_EVERY):
            raise _wrong(text, f"a whole number from 2 to {MOST_EVERY}")
        if kind == "roi" and not 0 < number < 1:
            raise _wrong(text, "a share above 0 and below 1")
    return Step(kind, stage, value, number)  # type: ignore[arg-type]


def _wrong(text: str, expected: str = FORMS) -> PipelineError:
    return PipelineError(f"found the step {text!r} to degrade by, expected {expected}: correct it")
