"""Recording: raw frames and answers on the disk, the account of the run, and one picture of it.

A recording is a folder (docs/recordings.md):

    zarr.json OME/      the folder as a collection of OME-Zarr images
    recording.json      what is in it, by which software and machine, and whether it ended in order
    raw.ome.zarr        raw frames as the camera gave them, along the axes of the acquisition (raw-1 ... for other
                        cameras, sizes, pixel types and positions); or raw.ome.tif, raw.ndtiff
    frames.parquet      a row per raw frame: identity, times, which element of which image it is, its checksum
                        raw.ome.zarr/labels/STAGE: label images of a stage
    STAGE.ome.zarr      images of a stage in its own dtype and pixel size, each at the element of its raw frame
    STAGE.parquet .csv  objects of a stage, a row each, with their frame's identity
    results.parquet     a row per result: state, times by step, and where its images are
    values.parquet      a row per number that is noted of a stage's answer: parameters of its processing, trust values
    ledger.csv          what became of each frame
    latency.json        percentiles by step, rates, versions
    methods.md          the run in words for a methods section, with the models' citations and licences
    overview.png        one picture of the run
    checksums.json      the sha256 of every file that is no chunk of an image, written last

Images of OME-Zarr 0.5 have one chunk per frame. While a run goes on (and after a crash) tables are Arrow streams
(`frames.arrows`, `frames-1.arrows` ...) and `raw.json` lists the raw images; `open_recording` reads these as well. An
image may then be longer than its table: elements that no row names were never acknowledged.

Raw frames are written by a process of its own (`recorder/`), answers by the acquisition process.
"""

from ._checksums import note_files
from ._crc32 import crc32
from ._files import require_space, write_json
from ._images import ImageWriter, open_images
from ._latency import frames_per_second, percentiles
from ._linked import read_inputs
from ._manifest import is_recording
from ._ome import Layout, list_labels
from ._overview import overview
from ._place import PATIENCE_S, Hold
from ._reader import RecordedRun, open_recording
from ._recorded_images import RecordedImages
from ._recording import Recording
from ._tables import TableWriter, read_table
from ._tracked import TrackedPlace, tracked
from .provenance import describe_packages, describe_pipeline, machine, versions

__all__ = [
    "PATIENCE_S",
    "Hold",
    "ImageWriter",
    "Layout",
    "RecordedImages",
    "RecordedRun",
    "Recording",
    "TableWriter",
    "TrackedPlace",
    "crc32",
    "describe_packages",
    "describe_pipeline",
    "frames_per_second",
    "is_recording",
    "list_labels",
    "machine",
    "note_files",
    "open_images",
    "open_recording",
    "overview",
    "percentiles",
    "read_inputs",
    "read_table",
    "require_space",
    "tracked",
    "versions",
    "write_json",
]
