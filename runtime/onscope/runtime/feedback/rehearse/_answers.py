"""Where the results of a rehearsal come from: an interface, and what all of them share."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Protocol

import numpy as np

from ..._frame import Frame
from ..._result import Provenance, Result, Stamps
from ._stage import Shot


class Answers(Protocol):
    """Makes a result of a frame, by whatever means; one frame after the other, in their order."""

    def result(self, shot: Shot) -> Result | None:
        """What a pipeline says of the frame; None: nothing (yet: a window is not complete, say)."""
        ...


def result_of(
    frame: Frame,
    answers: Mapping[str, np.ndarray[Any, Any]],
    provenance: Mapping[str, Provenance] = MappingProxyType({}),
    frames: tuple[Frame, ...] | None = None,
    **more: Any,
) -> Result:
    """A result of a frame whose stamps are all that of its receipt: no time goes by within a rehearsal's worker."""
    at = frame.received_ns
    stamps = Stamps(at, at, at, at, at, MappingProxyType(dict.fromkeys(answers, (at, at))), at, at)
    whole = frames or (frame,)
    return Result(whole, MappingProxyType(dict(answers)), stamps, MappingProxyType(dict(provenance)), **more)
