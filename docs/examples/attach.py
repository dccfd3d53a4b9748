"""Inside an existing pymmcore-plus script: one line more."""

import sys
from pathlib import Path

import useq
from mm_test_adapters import device_adapter_path
from pymmcore_plus import CMMCorePlus

from onscope.runtime import Pipeline, Runtime, block

frames = int(sys.argv[1]) if len(sys.argv) > 1 else 20

mmc = CMMCorePlus()
mmc.loadSystemConfiguration(Path(device_adapter_path(), "MMConfig_demo.cfg"))
sequence = useq.MDASequence(time_plan={"interval": 0, "loops": frames}, channels=["DAPI"])

with Runtime(Pipeline.load("pipeline.yaml"), admission=block(2)) as runtime:
    results = runtime.subscribe()
    with runtime.attach(mmc):
        mmc.mda.run(sequence)
    runtime.drain()
for result in results:
    print(dict(result.frame.index), len(result["spots"]), "spots")
print(runtime.ledger.counts)
