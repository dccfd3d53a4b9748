"""Living nuclei, each followed from frame to frame, and in which phase of its life a network sees it."""

import sys

import numpy as np

from onscope.drivers import specimen
from onscope.runtime import Pipeline, Runtime

frames = int(sys.argv[1]) if len(sys.argv) > 1 else 20

pipeline = Pipeline.load("tracks.yaml")
with specimen.source("dividing-cells", size=512) as source, Runtime(pipeline) as runtime:
    for result in runtime.stream(source, n=frames):
        tracks, phase = result["tracks"], result["phase"]
        if len(tracks):
            names = [name.removeprefix("score_") for name in phase.dtype.names if name.startswith("score_")]
            oldest = np.argmax(tracks["age"])
            what = names[phase["class"][tracks["row"][oldest]]]
            print(result.frame.id, len(tracks), "nuclei; number", tracks["track"][oldest], "is in", what)
print(runtime.ledger.counts)
