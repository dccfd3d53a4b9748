"""A run as a service: what its log and its metrics are told at its beginning and its end."""

from __future__ import annotations

import logging

from rich.console import Console

from onscope.runtime import Ledger, Runtime

from ._service import Service
from ._summary import Outcome


def begin(service: Service, runtime: Runtime, console: Console, title: str) -> None:
    """Everything is prepared, and frames are taken next."""
    from onscope.runtime.service import Metrics

    def run_id() -> str:
        segments = runtime.segments
        return segments[-1].run if segments else ""

    url = service.watch(lambda: Metrics(runtime), run_id)
    if url:
        console.print(f"metrics: {url}", soft_wrap=True, highlight=False, markup=False)
    service.note("begun", title)
    service.ready(title)


def end(service: Service, ledger: Ledger, outcome: Outcome) -> None:
    """The recording is complete, or as complete as it will be."""
    counts = ledger.counts
    words = f"stopped by {outcome.by.words}" if outcome.stopped else "ended"
    for fault in outcome.faults:
        service.note("fault", fault, level=logging.ERROR)
    service.note("ended", f"{words}: {ledger.submitted} frames", numbers={"submitted": ledger.submitted, **counts})
