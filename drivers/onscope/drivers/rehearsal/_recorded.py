"""The truth beside a recording, as rehearsals judge by it."""

from __future__ import annotations

from pathlib import Path

from onscope.runtime import FrameId, RecordError
from onscope.runtime.feedback.rehearse import TrueFrame

from ..truth import FOLDER, RecordedTruth, read_truth
from ._shots import true_frame


class FrameTruth:
    """What is true of a recording's frames."""

    def __init__(self, told: RecordedTruth) -> None:
        self._told = told

    def __call__(self, frame: FrameId) -> TrueFrame | None:
        """The truth of a frame; None: it was not saved."""
        try:
            seen = self._told.of(frame)
        except RecordError:
            return None
        return true_frame(seen.truth, seen.view)


def truth_beside(folder: Path) -> FrameTruth | None:
    """The truth in a recording's folder, or None: there is none.

    Found as `beside` of the entry points onscope.rehearsals. Raises RecordError where it cannot be read.
    """
    return FrameTruth(read_truth(folder)) if (folder / FOLDER).is_dir() else None
