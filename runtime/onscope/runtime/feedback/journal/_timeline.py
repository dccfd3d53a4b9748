"""The journal as a picture."""

from __future__ import annotations

from pathlib import Path

from ..._errors import RecordError
from ._entry import Story
from ._read import read_journal


def timeline(journal: str | Path | Story, out: str | Path) -> Path:
    """Draw a journal (its path, or as it was read) as a PNG at `out`, which is returned.

    A row for each rule over the time of the run: marks upwards for what was done, downwards for what was refused or
    failed; below them curves of numbers that were told (light dose, interval), why things were refused, and how soon
    after a frame's receipt rules, gate and commands came. Raises RecordError when the journal cannot be read, or the
    picture not written.
    """
    from ._picture import draw  # here: who writes a journal draws nothing

    out = Path(out)
    if out.suffix.lower() != ".png":
        raise RecordError(f"found the suffix {out.suffix!r} of {out.name}, expected .png: rename it")
    draw(journal if isinstance(journal, Story) else read_journal(journal), out)
    return out
