"""Compiled graphs: a package's network with its pre- and postprocessing in one, raw counts in, answer out."""

from ._calibration import Calibration, load_calibration
from ._compile import compile_group, is_compiled
from ._host import HostScalars
from ._merge import groups
from ._message import compiled_message
from ._report import note_line, notes_of, report_lines, warnings_of
from ._steps import is_decoder
from ._tiled import Tiled
from ._tiles import side_that_fits
from ._types import Answer, Compiled, Normalise, Note, Raw, Scalar, StageRequest, State, Statistic, Tiling

__all__ = [
    "Answer",
    "Calibration",
    "Compiled",
    "HostScalars",
    "Normalise",
    "Note",
    "Raw",
    "Scalar",
    "StageRequest",
    "State",
    "Statistic",
    "Tiled",
    "Tiling",
    "compile_group",
    "compiled_message",
    "groups",
    "is_compiled",
    "is_decoder",
    "load_calibration",
    "note_line",
    "notes_of",
    "report_lines",
    "side_that_fits",
    "warnings_of",
]
