"""What was done to the packages' graphs, in lines of text."""

from __future__ import annotations

from ..graph import Compiled, Note

TOLD = ("warning", "outside")
"""Kinds of notes that the user is told at once."""


def note_line(note: Note, reads: str = "frame") -> str:
    """One note as a line; `reads` is the image that stands for the raw frame in the note's graph."""
    what = f"{note.stage}: " if note.stage else ""
    what += note.what if note.kind == "warning" else f"{note.kind} {note.what}"
    line = f"{what} ({note.why})" if note.why else what
    return line if reads == "frame" else line.replace("the raw frame", f"the image of {reads}")


def report_lines(compiled: Compiled, reads: str, provider: str) -> list[str]:
    """All that is to be said of one compiled graph."""
    names = "+".join(compiled.stages)
    head = f"{names}: one graph on {provider}, about {compiled.memory_mb:.0f} MB, sha256 {compiled.sha256[:12]}"
    return [head, *(note_line(note, reads) for note in compiled.notes)]


def warnings(compiled: Compiled, reads: str) -> list[str]:
    """The notes that the user is told at once."""
    return [note_line(note, reads) for note in compiled.notes if note.kind in TOLD]
