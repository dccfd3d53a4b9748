"""Where the networks run: what `worker` of a Runtime names."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ._errors import WorkerError
from ._events import Tell
from .worker import ProcessLink, ThreadLink, WorkerLink

if TYPE_CHECKING:
    from ._keeper import Keeper

WORKERS: dict[str, Callable[[], WorkerLink]] = {"process": ProcessLink, "thread": ThreadLink}
WIRE = "tcp://"


def starter(worker: str, patience_s: float, memory_mb: float | None) -> Callable[[], WorkerLink]:
    """What starts a worker of that kind, or on that box, which then sees to `memory_mb` itself; raises WorkerError."""
    if worker in WORKERS:
        return WORKERS[worker]
    if not worker.startswith(WIRE):
        raise WorkerError(f"found the worker {worker!r}, expected one of {', '.join(WORKERS)}, tcp://HOST:PORT#KEY")
    try:
        from .remote import Box
    except ImportError as error:
        raise WorkerError(
            f"a worker on another machine needs pyzmq ({error}): pip install 'onscope[remote]'"
        ) from error
    return Box(worker, patience_s, memory_mb)


def told_of(start: Callable[[], WorkerLink], tell: Tell, keeper: Keeper | None) -> None:
    """Have a box tell of cuts, and write into the recording what it is and how far its clock is known."""
    if start in WORKERS.values():
        return
    from .remote import Box

    assert isinstance(start, Box)
    start.tell = tell
    if keeper is not None:
        start.heard = lambda facts: keeper.notes.fact("box", dict(facts))


def kind_of(worker: str) -> str:
    """What a recording tells of `worker`: an address without its key."""
    return worker.partition("#")[0]
