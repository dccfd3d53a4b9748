"""What queueing theory knows: the simulation is held against it, and a plan begins where it says that it may.

Sources: L. Kleinrock, Queueing Systems, vol. 1 (1975): M/D/1 by Pollaczek-Khinchine, Erlang's C; J. D. C. Little,
Operations Research 9 (1961) 383.
"""

from __future__ import annotations

import math

from .._errors import PipelineError


def utilisation(arrivals_per_s: float, service_ms: float, servers: int = 1) -> float:
    """How busy servers are if nothing is turned away; above 1 something must be."""
    return arrivals_per_s * service_ms / 1e3 / servers


def little(arrivals_per_s: float, stay_s: float) -> float:
    """How many are there in the mean: L = lambda W."""
    return arrivals_per_s * stay_s


def md1_wait_ms(arrivals_per_s: float, service_ms: float) -> float:
    """Mean ms that a random arrival waits for one server with constant times (M/D/1); raises PipelineError."""
    rho = _below_one(utilisation(arrivals_per_s, service_ms))
    return rho / (2 * (1 - rho)) * service_ms


def mmk_wait_ms(arrivals_per_s: float, service_ms: float, servers: int) -> float:
    """Mean ms that a random arrival waits for `servers` with exponential times (M/M/k); raises PipelineError."""
    rho = _below_one(utilisation(arrivals_per_s, service_ms, servers))
    load = rho * servers
    blocked = 1.0  # Erlang's B by its recursion
    for number in range(1, servers + 1):
        blocked = load * blocked / (number + load * blocked)
    waits = blocked / (1 - rho * (1 - blocked))
    return waits * service_ms / (servers * (1 - rho))


def dd_run(arrivals_per_s: float, service_ms: float, servers: int = 1) -> float:
    """Share of a regular stream that `servers` with constant times can take (D/D/k)."""
    return min(1.0, 1 / utilisation(arrivals_per_s, service_ms, servers))


def fewest(arrivals_per_s: float, ms_per_window: float, highest: float = 1.0) -> int:
    """Fewest servers whose utilisation stays up to `highest`."""
    return max(1, math.ceil(utilisation(arrivals_per_s, ms_per_window) / highest - 1e-9))


def _below_one(rho: float) -> float:
    if not 0 <= rho < 1:
        raise PipelineError(f"found a utilisation of {rho:.2f}, expected less than 1: the queue would grow for ever")
    return rho
