"""How many servers microscopes need: a simulation of a facility, and the formulas that it is held against."""

from ._account import Fate, Outcome, fate_of
from ._check import Checked, check, machine_load, scope_of
from ._choose import Chosen, Needs, Option, Wanted, build, choose, needs
from ._cost import Cost, read_costs, scattered, thinned, write_costs
from ._facility import ON_THE_WIRE, Batching, Facility, Rhythm, Scope, Server
from ._formulas import dd_run, fewest, little, md1_wait_ms, mmk_wait_ms, utilisation
from ._live import JITTER, Live, run_live
from ._measure import HANDOVER_MS, Pc, Sizes, measure, measure_pc
from ._measured_batches import sizes_up_to
from ._picture import draw
from ._simulate import simulate

__all__ = [
    "HANDOVER_MS",
    "JITTER",
    "ON_THE_WIRE",
    "Batching",
    "Checked",
    "Chosen",
    "Cost",
    "Facility",
    "Fate",
    "Live",
    "Needs",
    "Option",
    "Outcome",
    "Pc",
    "Rhythm",
    "Scope",
    "Server",
    "Sizes",
    "Wanted",
    "build",
    "check",
    "choose",
    "dd_run",
    "draw",
    "fate_of",
    "fewest",
    "little",
    "machine_load",
    "md1_wait_ms",
    "measure",
    "measure_pc",
    "mmk_wait_ms",
    "needs",
    "read_costs",
    "run_live",
    "scattered",
    "scope_of",
    "simulate",
    "sizes_up_to",
    "thinned",
    "utilisation",
    "write_costs",
]
