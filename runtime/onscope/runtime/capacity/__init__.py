"""How many servers microscopes need: a simulation of a facility, and the formulas that it is held against."""

from ._account import Fate, Outcome
from ._cost import Cost, read_costs, scattered, thinned, write_costs
from ._facility import ON_THE_WIRE, Batching, Facility, Rhythm, Scope, Server
from ._formulas import dd_run, fewest, little, md1_wait_ms, mmk_wait_ms, utilisation
from ._simulate import simulate

__all__ = [
    "ON_THE_WIRE",
    "Batching",
    "Cost",
    "Facility",
    "Fate",
    "Outcome",
    "Rhythm",
    "Scope",
    "Server",
    "dd_run",
    "fewest",
    "little",
    "md1_wait_ms",
    "mmk_wait_ms",
    "read_costs",
    "scattered",
    "simulate",
    "thinned",
    "utilisation",
    "write_costs",
]
