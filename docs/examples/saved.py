"""Inside a pycro-manager script: images taken once they are saved, answers in a data set beside the raw one."""

import sys
import tempfile
from pathlib import Path

from ndstorage.ndram_dataset import NDRAMDataset
from pycromanager import Acquisition, multi_d_acquisition_events

from onscope.drivers import micromanager
from onscope.runtime import Pipeline, Runtime, block

frames = int(sys.argv[1]) if len(sys.argv) > 1 else 20
answers = NDRAMDataset()  # or a path, for an NDTiff data set (uint8 and uint16)
answers.initialize({})

with (
    tempfile.TemporaryDirectory() as folder,
    micromanager.demo() as scope,
    Runtime(Pipeline.load("pipeline.yaml"), admission=block(2)) as runtime,
):
    scope.core.set_exposure(10.0)
    with (
        runtime.derive({"denoise": answers}) as derived,
        Acquisition(directory=str(Path(folder)), name="a", image_saved_fn=runtime.image_saved_fn) as acquisition,
    ):
        acquisition.acquire(multi_d_acquisition_events(num_time_points=frames, time_interval_s=0))
    print(derived.given, answers.get_image_coordinates_list()[0])
    print(runtime.ledger.counts)
