"""What a frame costs inside a pycro-manager acquisition, against a hook that only copies."""

from __future__ import annotations

from collections.abc import Iterator

from ._plan import Plan
from ._rows import Row, at_most
from ._submit import P50_BUDGET, P99_BUDGET
from .acquire import run


def measure(plan: Plan) -> Iterator[Row]:
    """`Runtime.image_process_fn` beside a stalled model, and a copy into the same kind of slots, frame by frame."""
    for job in plan.inside:
        what = f"hook in a pycro-manager acquisition, {job.size}x{job.size} uint16, {1e3 / job.exposure_ms:g}/s"
        outcome = run(job)
        if outcome.error:
            yield Row(what, f"0 us: {outcome.error}", met=False)
            continue
        ours, plain = outcome.found["hook_us"], outcome.found["copy_us"]
        for key, limit in (("p50", P50_BUDGET), ("p99", P99_BUDGET)):
            texts = f"{ours[key]:.1f} us", f"{plain[key]:.1f} us to copy"
            yield at_most(f"{what}, {key}", *texts, ours[key] / plain[key], limit, outcome.found)
