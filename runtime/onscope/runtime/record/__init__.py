"""Recording: raw frames and answers on the disk, the account of the run, and one picture of it.

A recording is a folder:

    recording.json      what is in it, by which software and machine, and whether it ended in order
    raw.ome.zarr        raw frames as the camera gave them (raw-1 ... for other cameras, sizes and pixel types)
    frames.parquet      a row per raw frame: identity, times, which element of which image it is, its checksum
    STAGE.ome.zarr      images of a stage in its own dtype and pixel size
    STAGE.parquet .csv  objects of a stage, a row each, with their frame's identity
    results.parquet     a row per result: state, times by step, and where its images are
    ledger.csv          what became of each frame
    latency.json        percentiles by step, rates, versions
    overview.png        one picture of the run

Images are OME-Zarr 0.5, one chunk per frame. While a run goes on (and after a crash) tables are Arrow streams
(`frames.arrows`, `frames-1.arrows` ...) and `raw.json` lists the raw images; `open_recording` reads these as well. An
image may then be longer than its table: elements that no row names were never acknowledged.

Raw frames are written by a process of its own (`recorder/`), answers by the acquisition process.
"""

from ._files import require_space, write_json
from ._images import ImageWriter, open_images
from ._latency import frames_per_second, percentiles
from ._manifest import is_recording, machine, versions
from ._ome import Layout, list_labels
from ._overview import overview
from ._place import PATIENCE_S, Hold
from ._reader import RecordedImages, RecordedRun, open_recording
from ._recording import Recording
from ._tables import TableWriter, read_table

__all__ = [
    "PATIENCE_S",
    "Hold",
    "ImageWriter",
    "Layout",
    "RecordedImages",
    "RecordedRun",
    "Recording",
    "TableWriter",
    "frames_per_second",
    "is_recording",
    "list_labels",
    "machine",
    "open_images",
    "open_recording",
    "overview",
    "percentiles",
    "read_table",
    "require_space",
    "versions",
    "write_json",
]
