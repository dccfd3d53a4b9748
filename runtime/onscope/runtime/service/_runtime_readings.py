"""The numbers of a runtime at this moment, read with the account's lock held for as few reads as possible."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from ._counters import LinkCounters
from ._families import Families
from ._reasons import label_of, parted

if TYPE_CHECKING:
    from .._runtime import Runtime


def read_runtime(runtime: Runtime, families: Families) -> None:
    """Add frames by their end, queues and the worker's state."""
    path, ledger = runtime._path, runtime.ledger
    reasons = ledger.reasons  # copies a dozen numbers with the lock held; the rest is single reads, which need none
    families.add("onscope_frames_submitted", ledger.submitted)
    families.add("onscope_frames_open", ledger.open)
    frames: Counter[tuple[str, str]] = Counter()
    for named, count in reasons.items():
        state, reason = parted(named)
        frames[state, label_of(state, reason)] += count
    for (state, reason), count in sorted(frames.items()):
        families.add("onscope_frames", count, state=state, reason=reason)
    waiting: Counter[str] = Counter()
    for route in path.dispatcher.routes.copy().values():
        waiting[route.lane.spec.camera] += len(route.lane.waiting)
    for camera, count in sorted(waiting.items()):
        families.add("onscope_queue_windows", count, camera=camera)
    families.add("onscope_in_flight_windows", path.dispatcher.in_flight)
    families.add("onscope_worker_up", float(path.dispatcher.link is not None))
    for stage, provider in runtime.providers.items():
        families.info("onscope_stage", stage=stage, provider=provider)
    if (gpu := path.supervisor.clocks.latest) is not None:
        families.add("onscope_gpu_throttled", float(gpu.throttled))
        for name, value, scale in (
            ("onscope_gpu_clock_hertz", gpu.clock_mhz, 1e6),
            ("onscope_gpu_temperature_celsius", gpu.temperature_c, 1.0),
            ("onscope_gpu_power_watts", gpu.power_w, 1.0),
        ):
            if value is not None:
                families.add(name, value * scale)
    counters = getattr(path.supervisor.link, "counters", None)
    if isinstance(counters, LinkCounters):
        read_link(counters, families)


def read_link(counters: LinkCounters, families: Families) -> None:
    """Add what a link to a box has counted."""
    families.add("onscope_link_up", float(counters.up))
    families.add("onscope_link_cuts", counters.cuts)
    families.add("onscope_link_windows", counters.windows)
    families.add("onscope_link_resent_messages", counters.resent)
    families.add("onscope_link_sent_bytes", counters.sent_bytes)
    families.add("onscope_link_saved_by_packing_bytes", counters.saved_bytes)
    families.add("onscope_link_received_bytes", counters.received_bytes)
    families.add("onscope_link_clock_offset_seconds", counters.clock_offset_s)
    families.add("onscope_link_clock_uncertainty_seconds", counters.clock_uncertainty_s)
    families.add("onscope_link_round_trip_seconds", counters.round_trip_s)
