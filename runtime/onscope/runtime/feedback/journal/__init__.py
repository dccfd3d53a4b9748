"""The journal: why the microscope did, or did not do, what it did; durable lines, and views of them.

Journal                 writes: thread-safe, never in the caller's way, on the disk within 50 ms
read_journal            reads: a line cut off by a crash is told, anything else that is wrong is an error
as_table, timeline      every proposal as a row, and all of them as a picture
explain, summary        in words
"""

from ._entry import Curve, Entry, Head, Judged, Outcome, Story
from ._explain import explain
from ._plain import mask_of, plain
from ._read import read_journal
from ._summary import Refusal, Summary, summary
from ._table import as_table
from ._timeline import timeline
from ._words import asked_words, clock_time, since, what_words
from ._writer import Journal

__all__ = [
    "Curve",
    "Entry",
    "Head",
    "Journal",
    "Judged",
    "Outcome",
    "Refusal",
    "Story",
    "Summary",
    "as_table",
    "asked_words",
    "clock_time",
    "explain",
    "mask_of",
    "plain",
    "read_journal",
    "since",
    "summary",
    "timeline",
    "what_words",
]
