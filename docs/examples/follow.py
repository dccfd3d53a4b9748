"""Follow a cell: the stage moves so that one nucleus stays in the middle, and the journal tells of every move."""

import sys
import tempfile
from pathlib import Path

import numpy as np

from onscope.drivers import specimen
from onscope.runtime import Measure, Pipeline, Runtime, Stage, Track
from onscope.runtime.feedback.journal import explain, read_journal
from onscope.runtime.feedback.loop import Feedback

frames = int(sys.argv[1]) if len(sys.argv) > 1 else 40

pipeline = Pipeline(
    [
        Stage("nuclei", "zoo/nuclei-cells"),
        Measure("cells", of="nuclei", intensity=["frame"]),
        Track("tracks", of="cells", max_distance_um=8),
    ]
)
with (
    tempfile.TemporaryDirectory() as folder,
    specimen.source("dividing-cells", size=512) as source,
    Runtime(pipeline) as runtime,
):
    controller = source.control()  # of a microscope of your own: CoreController(scope, Calibration.load("scope.yaml"))
    journal = Path(folder) / "follow.jsonl"
    # Without armed=True the rules only say what they would do.
    with Feedback(runtime, "rules/follow.yaml", controller, armed=True, journal=journal, patience_s=30) as feedback:
        for result in runtime.stream(source, n=frames):
            cells, (height, width) = result["cells"], result.frame.pixels.shape
            if len(cells):
                away_px = np.hypot(cells["y"] - (height - 1) / 2, cells["x"] - (width - 1) / 2).min()
                away_um = away_px * result.frame.pixel_size_um
                print(result.frame.id, f"{len(cells)} nuclei, one of them {away_um:.1f} um from the middle")
        feedback.settle()
        print(feedback.counts)
    story = read_journal(journal)
    for entry in story:
        if entry.kind == "recentre":
            print(explain(story, entry.number))
            break
print(runtime.ledger.counts)
