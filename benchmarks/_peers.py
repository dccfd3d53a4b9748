"""The same networks in today's scripts and behind onscope, while the camera is faster than the model."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, replace
from typing import Any

from ._beside import Where
from ._plan import Plan
from ._rows import Row
from .acquire import Driver, Job, Outcome, run

PLACES: dict[Where, str] = {
    "idle": "",
    "elsewhere": ", beside a busy process",
    "beside": ", beside a busy Python thread",
}
DRIVERS: dict[Driver, tuple[str, str]] = {
    "pycro-manager": ("image_process_fn", "hook"),
    "pymmcore-plus": ("attach", "frameReady"),
}


def measure(plan: Plan) -> Iterator[Row]:
    """Per driver and place: what was saved, results per second, latency; the script first, then onscope."""
    for driver, where in plan.peers:
        job = Job(
            driver,
            "script",
            plan.peer_frames,
            size=plan.size,
            exposure_ms=plan.peer_exposure_ms,
            buffer_mb=plan.peer_buffer_mb,
            busy=where,
        )
        script, ours = run(job), run(replace(job, who="onscope"))
        head = f"{driver}, {1e3 / job.exposure_ms:g} frames/s{PLACES[where]}"
        detail = {"job": asdict(job), "script": asdict(script), "onscope": asdict(ours)}
        yield from _compare(head, DRIVERS[driver], job, script, ours, detail)


def _compare(
    head: str, names: tuple[str, str], job: Job, script: Outcome, ours: Outcome, detail: dict[str, Any]
) -> Iterator[Row]:
    yield Row(
        f"{head}: the acquisition with `{names[0]}`, against the networks in a {names[1]}",
        _fate(job, ours),
        _fate(job, script),
        round(ours.saved / script.saved, 2) if script.saved else None,
        "all saved",
        not ours.error and ours.saved == job.frames,
        detail,
    )
    mine, theirs = ours.found, script.found
    if "per_s" in mine and "per_s" in theirs:
        ratio = round(mine["per_s"] / theirs["per_s"], 2) if theirs["per_s"] else None
        yield Row(f"{head}: results per second", f"{mine['per_s']:.1f}/s", f"{theirs['per_s']:.1f}/s", ratio)
        for key in ("p50", "p99"):
            a, b = mine["latency_ms"][key], theirs["latency_ms"][key]
            yield Row(f"{head}: receipt -> result, {key}", f"{a:.0f} ms", f"{b:.0f} ms", round(a / b, 4))


def _fate(job: Job, outcome: Outcome) -> str:
    """Frames saved, how much longer it took than the camera needed, and what ended it."""
    stretched = outcome.seconds / (job.frames * job.exposure_ms / 1e3)
    end = outcome.error or "complete"
    return f"{outcome.saved} of {job.frames} saved, {stretched:.1f} x the time, {end}"
