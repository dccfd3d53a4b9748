"""Where the networks run: what `worker` of a Runtime names."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from ._errors import WorkerError
from ._events import Tell
from .engines import listed
from .kserve import SCHEME, TOKEN_VARIABLE, parse_provider, parse_worker
from .worker import DEEPEST, ProcessLink, ThreadLink, WorkerLink

if TYPE_CHECKING:
    from ._keeper import Keeper

WORKERS: dict[str, Callable[[], WorkerLink]] = {"process": ProcessLink, "thread": ThreadLink}
WIRE = "tcp://"


SERVED = f"{SCHEME}://"


@dataclass(frozen=True, slots=True)
class Placed:
    """What starts a worker, and the provider (or the list) that it is told."""

    start: Callable[[], WorkerLink]
    provider: str


def placed(
    worker: str, asked: str | Sequence[str] | None, own: str | None, patience_s: float, memory_mb: float | None
) -> Placed:
    """Where the networks run, for a worker and the provider that was `asked` for, or is the pipeline's `own`.

    A box sees to `memory_mb` itself. With a KServe server as the worker, what was asked for takes its place while it is
    away; what the pipeline says of its own does not. Raises WorkerError or ProviderError.
    """
    if worker.startswith(SERVED):
        address, token = parse_worker(worker)
        names = [asked] if isinstance(asked, str) else [*(asked or ())]
        start = partial(ProcessLink, deepest=address.in_flight, variables={TOKEN_VARIABLE: token} if token else {})
        return Placed(start, listed([address.provider, *names]))
    provider = listed(asked or own or "auto")
    if worker == "process" and (deepest := _deepest(provider)) > DEEPEST:
        return Placed(partial(ProcessLink, deepest=deepest), provider)
    return Placed(_starter(worker, patience_s, memory_mb), provider)


def _deepest(provider: str) -> int:
    """Windows that its servers want on their way at once."""
    served = (each for each in provider.split(",") if each.startswith(f"{SCHEME}:"))
    return max((parse_provider(each.partition(":")[2]).in_flight for each in served), default=1)


def _starter(worker: str, patience_s: float, memory_mb: float | None) -> Callable[[], WorkerLink]:
    if worker in WORKERS:
        return WORKERS[worker]
    if not worker.startswith(WIRE):
        known = f"{', '.join(WORKERS)}, tcp://HOST:PORT#KEY, kserve://HOST:PORT"
        raise WorkerError(f"found the worker {worker.partition('#')[0]!r}, expected one of {known}")
    try:
        from .remote import Box
    except ImportError as error:
        raise WorkerError(
            f"a worker on another machine needs pyzmq ({error}): pip install 'onscope[remote]'"
        ) from error
    return Box(worker, patience_s, memory_mb)


def told_of(worker: str, start: Callable[[], WorkerLink], tell: Tell, keeper: Keeper | None) -> None:
    """Have a box tell of cuts, and write into the recording what it is and how far its clock is known."""
    if not worker.startswith(WIRE):
        return
    from .remote import Box

    assert isinstance(start, Box)
    start.tell = tell
    if keeper is not None:
        start.heard = lambda facts: keeper.notes.fact("box", dict(facts))


def kind_of(worker: str) -> str:
    """What a recording tells of `worker`: an address without its key."""
    return worker.partition("#")[0]
