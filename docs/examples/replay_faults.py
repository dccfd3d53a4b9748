"""Record a run, repeat it exactly, and rehearse it with trouble on purpose: the same trouble each time."""

import sys
import tempfile
from pathlib import Path

from onscope.drivers import faults, micromanager, replay
from onscope.runtime import Pipeline, Runtime
from onscope.runtime.record.compare import as_recorded, compare

frames = int(sys.argv[1]) if len(sys.argv) > 1 else 200
folder = Path(tempfile.mkdtemp())  # a folder of your own keeps it

pipeline = Pipeline.load("pipeline.yaml")
with micromanager.demo(size=256) as scope, Runtime(pipeline, record=folder / "live") as runtime:
    for result in runtime.stream(scope.live(exposure_ms=10), n=frames):
        print(result.frame.id, f"{result.latency_ms:.1f} ms")
live = runtime.ledger.counts

# The windows that ran then, and no others: every answer is the same to the bit.
with Runtime(pipeline, record=folder / "again", admission=as_recorded(folder / "live")) as runtime:
    for result in runtime.stream(replay(folder / "live")):
        print("again", result.frame.id, len(result["spots"]))
print("equal to the bit:", compare(folder / "again", folder / "live").equal)

# Four times as fast, frames lost on the way, a model that is slow at times: how does my analysis take it?
trouble = faults.parse("seed=3,drop=5%,jitter_ms=4,slow=10%x200ms")
with (
    trouble.inject(replay(folder / "live", speed=4)) as (source, provider),
    Runtime(pipeline, provider=provider) as runtime,
):
    for result in runtime.stream(source):
        print("rehearsal", result.frame.id, f"{result.latency_ms:.1f} ms")
print("rehearsal", runtime.ledger.reasons)
print(live)
