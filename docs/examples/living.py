"""Living cells without a microscope: nuclei outlined live, beside what is true of each frame."""

import sys

from onscope.drivers import specimen
from onscope.runtime import Pipeline, Runtime

frames = int(sys.argv[1]) if len(sys.argv) > 1 else 20

pipeline = Pipeline.load("nuclei.yaml")
with specimen.source("dividing-cells", size=512, truth=True) as source, Runtime(pipeline) as runtime:
    for result in runtime.stream(source, n=frames):
        truth = source.seen(result.frame.id).truth
        print(result.frame.id, result["nuclei"].max(), "nuclei found,", len(truth.objects), "cells are there,")
        print("    in metaphase:", truth.kinds().count("metaphase"))
print(runtime.ledger.counts)
