"""What was done to the packages' graphs, in lines of text."""

from __future__ import annotations

from ._types import Compiled, Note

TOLD = ("warning", "outside")
"""Kinds of notes that the user is told at once."""


def notes_of(compiled: Compiled) -> list[Note]:
    """All notes of one compiled graph, with what it answers and nobody reads."""
    first: dict[str, str] = {}
    notes = list(compiled.notes)
    for answer in compiled.answers:
        read = first.setdefault(answer.stage, answer.tensor)
        if answer.tensor != read:
            notes.append(Note("outside", answer.stage, answer.tensor, f"a stage answers with its first output, {read}"))
    return notes


def note_line(note: Note, reads: str = "frame") -> str:
    """One note as a line; `reads` is the image that stands for the raw frame in the note's graph."""
    what = f"{note.stage}: " if note.stage else ""
    what += note.what if note.kind == "warning" else f"{note.kind} {note.what}"
    line = f"{what} ({note.why})" if note.why else what
    return line if reads == "frame" else line.replace("the raw frame", f"the image of {reads}")


def report_lines(compiled: Compiled, reads: str = "frame") -> list[str]:
    """All that is to be said of one compiled graph."""
    names = "+".join(compiled.stages)
    head = f"{names}: one graph, about {compiled.memory_mb:.1f} MB per run, sha256 {compiled.sha256[:12]}"
    return [head, *(note_line(note, reads) for note in notes_of(compiled))]


def warnings_of(compiled: Compiled, reads: str = "frame") -> list[str]:
    """The notes that the user is told at once, as lines."""
    return [note_line(note, reads) for note in notes_of(compiled) if note.kind in TOLD]
