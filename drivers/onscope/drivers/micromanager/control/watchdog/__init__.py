"""A simulated hardware watchdog: a process that holds a shutter, and closes it when no signs of life come.

`SimulatedWatchdog` starts it and mounts its input line in a specimen's core; it outlives the process that started it,
also one that is killed, for as long as it takes to close the shutter and write that down.
"""

from ._box import SimulatedWatchdog, read_shutter

__all__ = ["SimulatedWatchdog", "read_shutter"]
