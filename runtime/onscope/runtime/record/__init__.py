"""Recording: raw frames and answers on the disk, the account of the run, and one picture of it."""

from ._latency import frames_per_second, percentiles
from ._manifest import machine, versions
from ._overview import overview
from ._reader import RecordedImages, RecordedRun, open_recording
from ._recording import Recording

__all__ = [
    "RecordedImages",
    "RecordedRun",
    "Recording",
    "frames_per_second",
    "machine",
    "open_recording",
    "overview",
    "percentiles",
    "versions",
]
