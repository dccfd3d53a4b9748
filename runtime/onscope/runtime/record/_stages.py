"""What stages may be called, which of their answers are images, and where these come from."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from .._errors import RecordError
from .._result import Result

RESERVED = ("raw", "frames", "results", "values", "inputs", "ledger", "latency", "overview", "recording")
DEVICES = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\.|$)")
"""No names of files on Windows."""


def check_stages(stages: Sequence[str]) -> None:
    """Raise RecordError unless each stage's files can be told from all others, also where case does not count."""
    names = [stage.casefold() for stage in stages]
    for stage, name in zip(stages, names, strict=True):
        plain, numbered = re.fullmatch(r"\w[\w.-]*", name), re.fullmatch(r"(.+)-\d+", name)
        known = {*names, *RESERVED}
        twice = name in RESERVED or names.count(name) > 1 or (numbered and numbered[1] in known)
        if not plain or twice or DEVICES.match(name):
            raise RecordError(
                f"found a stage named {stage!r}, expected a plain word other than {', '.join(RESERVED)}, which "
                "name other files of a recording, and none that another stage's files may have: rename the stage"
            )


def is_image(answer: np.ndarray[Any, Any]) -> bool:
    """True for (y, x) and (y, x, samples) arrays; a structured or flat array is a table. Others raise RecordError."""
    if answer.dtype.names is not None or answer.ndim < 2:
        return False
    if answer.ndim > 3:
        raise RecordError(
            f"found an answer of shape {answer.shape}, expected an image (y, x) or (y, x, samples) or a table: let the "
            "stage give one image per result"
        )
    return True


def provenance(result: Result, stage: str) -> dict[str, Any]:
    """Where a stage's answers come from, as plain values."""
    known = result.provenance.get(stage)
    return {} if known is None else {"provenance": asdict(known)}
