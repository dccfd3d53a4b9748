"""Inside a pymmcore-plus script: images of a stage handed on, each with its event and metadata."""

import sys
import tempfile
from pathlib import Path

import useq
from mm_test_adapters import device_adapter_path
from pymmcore_plus import CMMCorePlus

from onscope.runtime import FrameSpec, Pipeline, Runtime, block

frames = int(sys.argv[1]) if len(sys.argv) > 1 else 20


class Display:
    """What pymmcore-plus takes as an output, such as a viewer."""

    def frameReady(self, image, event, meta):
        print(dict(event.index), meta["extra"]["onscope"]["stage"], image.shape)


mmc = CMMCorePlus()
mmc.loadSystemConfiguration(Path(device_adapter_path(), "MMConfig_demo.cfg"))
sequence = useq.MDASequence(time_plan={"interval": 0, "loops": frames}, channels=["DAPI"])

with tempfile.TemporaryDirectory() as folder, Runtime(Pipeline.load("pipeline.yaml"), admission=block(2)) as runtime:
    runtime.prepare(FrameSpec((mmc.getImageHeight(), mmc.getImageWidth()), "uint8", camera="Camera"))
    with runtime.attach(mmc, derived={"denoise": Display()}):
        mmc.mda.run(sequence, output=Path(folder, "raw.ome.zarr"))
    print(runtime.ledger.counts)
