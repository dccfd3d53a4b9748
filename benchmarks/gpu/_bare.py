"""What copies and kernels of a GPU session take alone: many of a kind in a row on their stream, and one wait."""

from __future__ import annotations

import statistics
from collections.abc import Callable

from onscope.runtime import now_ns
from onscope.runtime.engines.gpu import GpuSession

IN_A_ROW = 20


def bare_ms(session: GpuSession, rounds: int) -> tuple[float, float, float]:
    """Milliseconds of a window's copy up, of its kernels, and of its answers' copy down: medians of `rounds`."""
    device, first = session._device, session._sets[0]
    going, coming = first.inputs, first.outputs

    def up() -> None:
        device.send(going.address, going.pointer, going.size_bytes)

    def run() -> None:
        session._launch(first.number)

    def down() -> None:
        device.fetch(coming.pointer, coming.address, coming.size_bytes, device.down)

    device.use()
    if device.shared:  # there is nothing to copy
        return 0.0, _each(run, lambda: device.finish(device.compute), rounds), 0.0
    return (
        _each(up, lambda: device.finish(device.up), rounds),
        _each(run, lambda: device.finish(device.compute), rounds),
        _each(down, lambda: device.finish(device.down), rounds),
    )


def _each(begin: Callable[[], None], finish: Callable[[], object], rounds: int) -> float:
    times = []
    for _ in range(rounds):
        start = now_ns()
        for _ in range(IN_A_ROW):
            begin()
        finish()
        times.append((now_ns() - start) / 1e6 / IN_A_ROW)
    return statistics.median(times)
