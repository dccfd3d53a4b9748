"""Look at a recording, and write its page."""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from onscope.runtime import RecordError

from ._found import look
from ._page import page

NAME = "report.html"
MOST_BYTES = 5_000_000
"""About how large a page becomes at most."""


@dataclass(frozen=True, slots=True)
class Written:
    """The page at `path`, of `nbytes`; `faults` that a check of the files found, `troubles`: what could not be read."""

    path: Path
    nbytes: int
    faults: tuple[str, ...]
    troubles: tuple[str, ...]


def report(folder: str | Path, out: str | Path | None = None, *, check: bool | None = None) -> Written:
    """Write the report of a recording, complete or not, to `out` (None: NAME-report.html beside it).

    `check`: verify its files (None: if they are less than 1 GB, and its run has ended). A file that is there is
    replaced at once, when the page is whole. Raises RecordError when the folder is no recording, or the page cannot be
    written.
    """
    folder = Path(folder)
    where = folder.resolve()
    path = where.with_name(f"{where.name}-{NAME}") if out is None else Path(out)
    if path.suffix.lower() not in (".html", ".htm"):
        raise RecordError(f"found the suffix {path.suffix!r} of {path.name}, expected .html: rename it")
    found = look(folder, check)
    content = page(found).encode("utf-8")
    _write(path, content)
    faults = tuple(found.checked.faults) if found.checked else ()
    return Written(path, len(content), faults, found.troubles)


def _write(path: Path, content: bytes) -> None:
    """Beside its place first: whoever has the old page open never sees half of the new one."""
    beside = path.with_name(f".{path.name}-{secrets.token_hex(4)}")
    try:
        beside.write_bytes(content)
        os.replace(beside, path)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise RecordError(f"{path} could not be written ({error.strerror or error}): choose another place") from error
