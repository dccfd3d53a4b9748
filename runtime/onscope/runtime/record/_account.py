"""`ledger.csv`: what became of each frame."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Protocol

from .._errors import RecordError
from .._frame import FrameId
from ._files import write_text


class LedgerRowLike(Protocol):
    """One row of the account."""

    @property
    def id(self) -> FrameId: ...
    @property
    def state(self) -> str: ...
    @property
    def reason(self) -> str: ...
    @property
    def frames(self) -> int: ...


class LedgerLike(Protocol):
    """What a recording takes from a ledger."""

    @property
    def counts(self) -> Mapping[str, int]: ...
    def table(self) -> Iterable[LedgerRowLike]: ...


def write_ledger(path: Path, ledger: LedgerLike) -> None:
    """A row per frame or run of frames of one fate, all or none; raises RecordError when the disk refuses it."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(["run", "camera", "segment", "seq", "state", "reason", "frames"])
    writer.writerows([*row.id, row.state, row.reason, row.frames] for row in ledger.table())
    try:
        write_text(path, text.getvalue())
    except OSError as error:
        raise RecordError(f"{path} could not be written ({error.strerror}): make room on its disk") from error
