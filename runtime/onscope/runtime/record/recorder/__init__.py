"""The recorder: raw frames from shared memory to the disk, in a process of its own.

`_sink`, `_keeper`, `_announced` and `_link` are the acquisition's end, `__main__`, `_serve`, `_recorder`, `_writer`,
`_disk` and `_slots` the process; `_rows`, `_state` and `_closing` know the files, and are used at both ends and by the
reader.
"""

from ._closing import close_raw, complete_manifest, forget_state, merge_raw, merge_state
from ._disk import DiskWatch
from ._frames import FRAMES, parts, read_frames, rows_by_image
from ._keeper import Tell
from ._sink import RecorderSink
from ._state import about_entry, format_of_entry, read_state, spec_of_entry

__all__ = [
    "FRAMES",
    "DiskWatch",
    "RecorderSink",
    "Tell",
    "about_entry",
    "close_raw",
    "complete_manifest",
    "forget_state",
    "format_of_entry",
    "merge_raw",
    "merge_state",
    "parts",
    "read_frames",
    "read_state",
    "rows_by_image",
    "spec_of_entry",
]
