"""The simulation as a whole: a facility in, what became of every frame out."""

from __future__ import annotations

from collections import Counter

from ._account import Outcome, fate
from ._facility import Facility
from ._loop import Loop
from ._serving import Serving
from ._windows import Acquisition
from ._wires import Way, Wire
from ._worker import Worker


def simulate(facility: Facility, seconds: float, seed: int = 0) -> Outcome:
    """What becomes of the frames of so many seconds, to the last answer; the same for the same seed.

    Every frame ends in one state, and every window that came leaves (asserted). Steady state needs seconds that are
    many times the longest latency.
    """
    loop = Loop()
    servings = [
        Serving(loop, server, facility.costs, f"{seed}/server/{number}")
        for number, server in enumerate(facility.servers)
    ]
    ups = [Wire(server.link_gbit) for server in facility.servers]
    downs = [Wire(server.link_gbit) for server in facility.servers]
    acquisitions: list[Acquisition] = []
    workers: list[Worker] = []
    for number, scope in enumerate(facility.scopes):
        at, message_ns = scope.server, int(facility.servers[scope.server].message_ms * 1e6)
        own_up, own_down = Wire(scope.link_gbit), Wire(scope.link_gbit)
        up, down = Way(loop, own_up, ups[at], message_ns), Way(loop, downs[at], own_down, message_ns)
        acquisition = Acquisition(loop, scope, seconds, f"{seed}/scope/{number}")
        worker = Worker(loop, scope, servings[at], up, down, f"{seed}/worker/{number}")
        acquisition.worker, worker.acquisition = worker, acquisition
        acquisitions.append(acquisition)
        workers.append(worker)
    loop.run()
    for acquisition in acquisitions:
        acquisition.close()
        acquisition.account.check()
    return _outcome(facility, loop, acquisitions, workers, servings, ups, downs)


def _outcome(
    facility: Facility,
    loop: Loop,
    acquisitions: list[Acquisition],
    workers: list[Worker],
    servings: list[Serving],
    ups: list[Wire],
    downs: list[Wire],
) -> Outcome:
    accounts = [each.account for each in acquisitions]
    ns = max(1, loop.now)
    arrived = sum(account.arrived for account in accounts)
    batches: Counter[int] = Counter()
    waits: dict[int, float] = {}
    for serving in servings:
        batches.update(serving.batches)
        for priority, waited in serving.waited_ns.items():
            waits[priority] = max(waits.get(priority, 0.0), waited / 1e6)
    classes = sorted({account.priority for account in accounts})
    return Outcome(
        {account.name: fate([account]) for account in accounts},
        {each: fate(account for account in accounts if account.priority == each) for each in classes},
        fate(accounts),
        ns / 1e9,
        [serving.busy_ns / ns / server.instances for serving, server in zip(servings, facility.servers, strict=True)],
        [wire.busy_ns / ns for wire in ups],
        [wire.busy_ns / ns for wire in downs],
        max(worker.busy_ns for worker in workers) / ns,
        dict(sorted(batches.items())),
        dict(sorted(waits.items())),
        loop.steps,
        arrived,
        sum(account.area_ns for account in accounts) / ns,
        arrived / ns * 1e9,
        sum(account.stay_ns for account in accounts) / max(1, arrived) / 1e9,
    )
