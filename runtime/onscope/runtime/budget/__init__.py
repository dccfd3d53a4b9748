"""A budget of time: the pipeline gives way by the user's list when results take too long, and comes back.

`Controller` decides, a pure function of what it has seen; `Governor` has it watch a live path and obeys it.
"""

from ._budget import Budget
from ._controller import Change, Controller, Prediction, Terms
from ._governor import Governor
from ._levels import Level, centre, levels_of
from ._pace import Pace
from ._seen import Seen
from ._steps import Step, parse_step

__all__ = [
    "Budget",
    "Change",
    "Controller",
    "Governor",
    "Level",
    "Pace",
    "Prediction",
    "Seen",
    "Step",
    "Terms",
    "centre",
    "levels_of",
    "parse_step",
]
