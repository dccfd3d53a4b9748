"""Selected cells are stimulated with light through an SLM; the specimen tells afterwards who was lit."""

import sys
import tempfile
from pathlib import Path

import numpy as np

from onscope.drivers import specimen
from onscope.drivers.micromanager.control import CoreController, calibration_of
from onscope.runtime import Pipeline, Runtime
from onscope.runtime.feedback.loop import Feedback

frames = int(sys.argv[1]) if len(sys.argv) > 1 else 60

clock = specimen.PatientClock()  # the specimen's time passes only while somebody waits: no light while a frame is drawn
with (
    specimen.from_scenario("dividing-cells", clock=clock, remember=4) as scope,
    Runtime(Pipeline.load("tracks.yaml")) as runtime,
):
    scope.set_roi(768, 768, 512, 512)
    controller = CoreController(scope, calibration_of(scope))  # Calibration.load("calibration.yaml") for your own
    source = controller.live(exposure_ms=20, interval_s=0.5)
    runtime.prepare(source.spec())
    journal = Path(tempfile.mkdtemp()) / "journal.jsonl"
    rules = "rules/stimulate_cells.yaml"
    with Feedback(runtime, rules, controller, armed=True, journal=journal, patience_s=60) as feedback:
        for result in runtime.stream(source, n=frames):
            print(result.frame.id, len(result["tracks"]), "nuclei,", feedback.counts["done"], "times stimulated")
        feedback.settle()
    print("The journal, for `onscope explain`:", journal)
    scope.mmc.snapImage()  # in the dark: the truth of the cells as they are now
    dose = scope.scene.seen(int(scope.mmc.snap_tags()["SpecimenExposure"])).truth.objects["dose_j_cm2"]
    lit = dose > np.median(dose) + 0.5
    print(lit.sum(), "of", len(dose), f"cells were lit; the others had {np.median(dose):.2g} J/cm2 of the imaging")
print(runtime.ledger.counts)
