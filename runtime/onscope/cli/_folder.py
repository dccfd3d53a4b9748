"""The folder of a run: what cannot run leaves it as it was, also when it was to be overwritten."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from onscope.runtime import RecordError
from onscope.runtime.record import is_recording


@contextmanager
def folder_of(path: Path, overwrite: bool) -> Iterator[Callable[[], None]]:
    """A new recording is made at `path` in this block; call what is given as soon as it is sure to go on.

    Until then a failure puts back what was there; from then on an overwritten recording is gone. Raises RecordError
    when the old one cannot be moved.
    """
    before = path.with_name(f".{path.name}-before") if overwrite and is_recording(path) else None
    there = path.exists()
    ours = before is not None or not there or (path.is_dir() and not any(path.iterdir()))
    sure = False

    def go_on() -> None:
        nonlocal sure
        sure = True
        if before is not None:
            shutil.rmtree(before, ignore_errors=True)

    if before is not None:
        try:
            shutil.rmtree(before, ignore_errors=True)
            path.rename(before)
        except OSError as error:
            raise RecordError(f"{path} cannot be overwritten ({error.strerror}): choose another folder") from error
    try:
        yield go_on
    finally:
        if not sure and ours:  # what was there before without our leave is never touched
            shutil.rmtree(path, ignore_errors=True)
            if before is not None:
                before.rename(path)
            elif there:
                path.mkdir()
