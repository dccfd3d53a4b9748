"""What is true of simulated frames, saved beside their recording, and read back.

with TruthWriter(recording / "truth", {"scenario": "wound"}) as writer:
    writer.add(exposure, counts, truth, view, frame_id)
...
told = read_truth(recording)                  # also of a run that was cut off
seen = told.of(frame_id)                      # .counts without noise, .truth with labels and objects

A frame of the recording and its truth have the same run, camera, segment and seq; images that other software wrote
have the number of their exposure in the tag SpecimenExposure.
"""

from __future__ import annotations

from ._reader import RecordedTruth, SeenFrame, read_truth
from ._tables import COLUMNS, object_columns
from ._writer import FOLDER, TruthWriter

__all__ = ["COLUMNS", "FOLDER", "RecordedTruth", "SeenFrame", "TruthWriter", "object_columns", "read_truth"]
