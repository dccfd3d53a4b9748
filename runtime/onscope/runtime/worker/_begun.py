"""A graph's window that was begun and not waited for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .._frame import Pixels
from ..engines import Pending


@dataclass(frozen=True, slots=True, eq=False)
class Begun:
    """A window that a session whose work is done elsewhere has begun with."""

    pending: Pending
    scalars: Sequence[Pixels]
    parameters: Mapping[str, Mapping[str, float]]
    began_anew: bool
