"""A live camera: Micro-Manager's demo camera here, `micromanager.open("scope.cfg")` for your own."""

import sys

from onscope.drivers import micromanager
from onscope.runtime import Pipeline, Runtime

frames = int(sys.argv[1]) if len(sys.argv) > 1 else 500

pipeline = Pipeline.load("pipeline.yaml")
with micromanager.demo() as scope, Runtime(pipeline) as runtime:
    for result in runtime.stream(scope.live(exposure_ms=10), n=frames):
        print(result.frame.id, len(result["spots"]), f"{result.latency_ms:.1f} ms")
print(runtime.ledger.counts)
