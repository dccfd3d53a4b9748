"""Inside an existing pymmcore-plus script: fast imaging when a network sees a cell divide."""

import sys
import tempfile
from pathlib import Path

import useq

from onscope.drivers import specimen
from onscope.drivers.micromanager.acquisition import MdaController
from onscope.drivers.micromanager.control import calibration_of
from onscope.runtime import FrameSpec, Pipeline, Runtime, block
from onscope.runtime.feedback.loop import Feedback

frames = int(sys.argv[1]) if len(sys.argv) > 1 else 60

scope = specimen.from_scenario("dividing-cells", lapse=120)  # cells live two minutes in a second
mmc = scope.mmc
mmc.setROI(1019, 838, 256, 256)  # x, y: a cell rounds up and divides here
sequence = useq.MDASequence(time_plan={"interval": 1, "loops": frames}, channels=[{"config": "nuclei", "exposure": 50}])

with scope, Runtime(Pipeline.load("tracks.yaml"), admission=block(4)) as runtime:
    runtime.prepare(FrameSpec((256, 256), "uint16", camera="Camera", pixel_size_um=mmc.getPixelSizeUm()))
    controller = MdaController(mmc, sequence, calibration_of(scope), linger_s=2)  # 2 s for what the last frames ask for
    journal = Path(tempfile.mkdtemp()) / "journal.jsonl"
    rules = "rules/fast_on_mitosis.yaml"
    with Feedback(runtime, rules, controller, armed=True, journal=journal, patience_s=30) as feedback:
        with runtime.attach(mmc):
            controller.run()  # what was mmc.run_mda(sequence)
        runtime.drain()
        print("bursts:", feedback.counts, "in", journal)
print(runtime.ledger.counts)
