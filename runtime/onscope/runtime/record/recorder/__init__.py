"""The recorder: raw frames from shared memory to the disk, in a process of its own.

`_sink`, `_keeper`, `_announced` and `_link` are the acquisition's end, `__main__`, `_serve`, `_recorder`, `_writer`,
`_disk` and `_slots` the process; `_rows`, `_state` and `_closing` know the files, and are used at both ends and by the
reader.
"""

from ._closing import forget_state, merge_raw, merge_state
from ._keeper import Tell
from ._rows import FRAMES, read_frames
from ._sink import RecorderSink
from ._state import read_state, spec_of_entry

__all__ = [
    "FRAMES",
    "RecorderSink",
    "Tell",
    "forget_state",
    "merge_raw",
    "merge_state",
    "read_frames",
    "read_state",
    "spec_of_entry",
]
