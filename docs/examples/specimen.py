"""A microscope without a microscope: diffusing beads, simulated, in a real Micro-Manager core."""

import sys

import useq

from onscope.drivers import specimen
from onscope.runtime import Pipeline, Runtime, block
from onscope.specimen.sample import BrownianBeads

frames = int(sys.argv[1]) if len(sys.argv) > 1 else 20

camera = specimen.CameraModel(shape=(512, 512))
scene = specimen.Living(BrownianBeads(seed=1))
sequence = useq.MDASequence(time_plan={"interval": 0, "loops": frames}, channels=[{"config": "FITC", "exposure": 20}])

with (
    specimen.open(scene, hardware=specimen.Hardware(camera=camera)) as scope,
    Runtime(Pipeline.load("pipeline.yaml"), admission=block(2)) as runtime,
):
    results = runtime.subscribe()
    scope.core.set_position(3.0)
    with runtime.attach(scope.mmc):
        scope.mmc.mda.run(sequence)
    runtime.drain()
for result in results:
    print(dict(result.frame.index), len(result["spots"]), "spots")
print(runtime.ledger.counts)
