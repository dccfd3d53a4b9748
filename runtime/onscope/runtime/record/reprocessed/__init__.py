"""A recording of answers that others computed: its frames, read by whoever computes, and its files, written by many.

`FrameTable` says which frames there are, `PixelReader` reads their pixels (in any process), `ElementWriter` writes one
answer's element, and `ReprocessedRecording` makes the folder, gives answers their places, and closes it in order.
"""

from ._answers import Answers
from ._elements import ElementWriter, StoredArray, ranges_of, squeezed
from ._frames import FrameTable, KnownFrame, frames_of
from ._pixels import PixelReader
from ._recording import ReprocessedRecording, work_of

__all__ = [
    "Answers",
    "ElementWriter",
    "FrameTable",
    "KnownFrame",
    "PixelReader",
    "ReprocessedRecording",
    "StoredArray",
    "frames_of",
    "ranges_of",
    "squeezed",
    "work_of",
]
