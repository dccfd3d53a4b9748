"""Inside an existing pycro-manager script: one argument more, and the results wherever you want them."""

import sys
import tempfile
import threading

from pycromanager import Acquisition, multi_d_acquisition_events

from onscope.drivers import micromanager
from onscope.runtime import Pipeline, Runtime

frames = int(sys.argv[1]) if len(sys.argv) > 1 else 100


def watch(results):
    for result in results:
        print(dict(result.frame.index), len(result["spots"]), "spots")


with micromanager.demo() as scope, Runtime(Pipeline.load("pipeline.yaml")) as runtime:
    threading.Thread(target=watch, args=(runtime.subscribe(),)).start()
    scope.core.set_exposure(10.0)
    with (
        tempfile.TemporaryDirectory() as folder,
        Acquisition(directory=folder, name="a", image_process_fn=runtime.image_process_fn) as acquisition,
    ):
        acquisition.acquire(multi_d_acquisition_events(num_time_points=frames, time_interval_s=0))
print(runtime.ledger.counts)
