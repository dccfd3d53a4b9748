"""Compiled graphs: a package's network with its pre- and postprocessing in one, raw counts in, answer out."""

from ._compile import compile_group
from ._merge import groups
from ._types import Answer, Compiled, Normalise, Note, Raw, Scalar, StageRequest, State, Statistic, Tiling

__all__ = [
    "Answer",
    "Compiled",
    "Normalise",
    "Note",
    "Raw",
    "Scalar",
    "StageRequest",
    "State",
    "Statistic",
    "Tiling",
    "compile_group",
    "groups",
]
