"""What batches cost here: the graphs that a server would run, with what the host does for each window beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median
from typing import TYPE_CHECKING

from .._errors import OnscopeError
from ..graph.batch import batched
from ._cost import thinned

if TYPE_CHECKING:
    from ..worker import Chain, Group

BATCHES = (2, 4, 8)


def sizes_up_to(largest: int | None) -> tuple[int, ...]:
    """Batches to be measured beside single windows; none where `largest` is 1, up to 8 where it is None."""
    if largest is None:
        return BATCHES
    sizes = {1 << power for power in range(1, largest.bit_length())} | {largest}
    return tuple(sorted(sizes - {1}))


def measure_batches(
    chain: Chain, alone: Sequence[float], sizes: Sequence[int], threads: int | None, seconds: float
) -> tuple[Mapping[int, Sequence[float]], str]:
    """Sorted milliseconds per batch of these sizes, and what stands against measuring (or "").

    `alone` is what single windows of the whole chain took. What that is more than its graphs take, the host's part, is
    counted once for each window of a batch: a server does not do it, but no plan shall be better for what was left out.
    The graphs run one after the other, as requests of one window do.
    """
    if not chain.groups:
        return {}, "there is no graph to run in batches"
    measured = []
    for group in chain.groups:
        try:
            measured.append(_graph(group, sizes, threads, seconds / (len(sizes) + 1) / len(chain.groups)))
        except OnscopeError as error:
            return {}, str(error)
    of_one = sum(median(times[1]) for times in measured)
    host = max(0.0, median(alone) - of_one)
    common = [size for size in sizes if all(size in times for times in measured)]
    return {size: [sum(ranks) + size * host for ranks in _ranked(measured, size)] for size in common}, ""


def _graph(group: Group, sizes: Sequence[int], threads: int | None, seconds: float) -> Mapping[int, list[float]]:
    from ..worker import batch_times

    compiled, names = group.compiled, "+".join(group.compiled.stages)
    if group.far:
        raise OnscopeError(f"{names} runs on {group.provider}, which puts its batches together itself")
    if group.provider == "tensorrt":
        raise OnscopeError(
            f"an engine that TensorRT built for {names} takes one window at a time (a server's ONNX Runtime takes "
            "batches, which --provider cuda measures)"
        )
    if compiled.tiling is not None:
        raise OnscopeError(f"a window of {names} is run in tiles")
    made = batched(compiled, most=max(sizes))
    return batch_times(made, group.raw, (1, *sizes), provider=group.provider, threads=threads, seconds=seconds)


def _ranked(measured: Sequence[Mapping[int, Sequence[float]]], size: int) -> list[tuple[float, ...]]:
    """The quickest runs of all graphs together, then the next, up to the slowest."""
    times = [thinned(each[size]) for each in measured]
    most = max(map(len, times))
    return list(zip(*([each[at * len(each) // most] for at in range(most)] for each in times), strict=True))
