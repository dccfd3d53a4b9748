"""Care for the machine while frames run: it does not fall asleep, and no Python thread holds the others up for long.

`with cared_for(): ...`, or `care = Care()` and `care.end()` where a block does not fit. Any number of runtimes of one
process may hold it at once: the first one in begins, the last one out restores. It never raises, and never waits.
"""

from ._held import Care, cared_for
from ._switch import SWITCH_INTERVAL_S

__all__ = ["SWITCH_INTERVAL_S", "Care", "cared_for"]
