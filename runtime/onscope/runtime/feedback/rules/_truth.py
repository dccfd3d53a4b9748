"""What is certain: a condition on a value that is not known neither holds nor fails, and nothing is done for it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import reduce

import numpy as np
import numpy.typing as npt

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Truth:
    """Of each object, or once of the frame: whether a condition holds (`yes`) or does not (`no`); neither: unknown."""

    yes: Flags
    no: Flags

    @classmethod
    def of(cls, holds: Flags, known: Flags | None = None) -> Truth:
        """Where it is `known`, as it `holds`."""
        holds = np.asarray(holds, bool)
        return cls(holds, ~holds) if known is None else cls(holds & known, ~holds & known)

    @property
    def turned(self) -> Truth:
        """Of the opposite."""
        return Truth(self.no, self.yes)


def all_of(parts: Iterable[Truth]) -> Truth:
    """Whether each of them holds; one that fails is enough to know."""
    return reduce(lambda a, b: Truth(a.yes & b.yes, a.no | b.no), parts)


def any_of(parts: Iterable[Truth]) -> Truth:
    """Whether one of them holds; one that does is enough to know."""
    return reduce(lambda a, b: Truth(a.yes | b.yes, a.no & b.no), parts)
