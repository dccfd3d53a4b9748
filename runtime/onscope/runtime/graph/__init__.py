"""Compiled graphs: a package's network with its pre- and postprocessing in one, raw counts in, answer out."""

from ._compile import compile_group, is_compiled
from ._converted import count_from_corners
from ._decide import undecided
from ._memory import run_mb
from ._merge import groups
from ._message import compiled_message
from ._report import note_line, notes_of, report_lines, warnings_of
from ._rescale import trained_size
from ._spelled import spell_out
from ._types import Answer, Compiled, Normalise, Note, Raw, Scalar, StageRequest, State, Statistic, Tiling
from .calibration import Calibration, calibration_files, load_calibration
from .statistics import HostScalars
from .steps import is_decoder
from .tiles import Tiled, side_that_fits

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
    "calibration_files",
    "compile_group",
    "compiled_message",
    "count_from_corners",
    "groups",
    "is_compiled",
    "is_decoder",
    "load_calibration",
    "note_line",
    "notes_of",
    "report_lines",
    "run_mb",
    "side_that_fits",
    "spell_out",
    "trained_size",
    "undecided",
    "warnings_of",
]
