"""The folder of a run: what cannot run leaves it as it was, also when it was to be overwritten."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from onscope.runtime import RecordError
from onscope.runtime.record import PATIENCE_S, Hold, Recording, is_recording


@contextmanager
def new_recording(
    path: Path, overwrite: bool, make: Callable[[Path], Recording]
) -> Iterator[tuple[Recording, Callable[[], None]]]:
    """A recording in `path`, and what to call as soon as it is sure to go on.

    Until then a failure removes it and puts back what was there; from then on an overwritten recording is gone. One
    that was set aside by a run that was killed before then stays where it is, under `.NAME-before-...`.
    Raises RecordError when the folder cannot be used; nothing in it is touched then.
    """
    path = path.resolve()
    existed = path.is_dir()
    before = _set_aside(path) if overwrite and is_recording(path) else None
    sure = False

    def go_on() -> None:
        nonlocal sure
        sure = True
        if before is not None:
            shutil.rmtree(before, ignore_errors=True)

    try:
        recording = make(path)
    except BaseException:
        if before is not None:
            _put_back(before, path)
        raise
    try:
        with recording:
            yield recording, go_on
    finally:
        if not sure:
            _empty(path)  # made by us just now
            if before is not None:
                _put_back(before, path)
            elif not existed:
                with suppress(OSError):
                    path.rmdir()


def _set_aside(path: Path) -> Path:
    before = path.with_name(f".{path.name}-before-{secrets.token_hex(4)}")
    hold = Hold(path, PATIENCE_S)  # the recorder of a killed run may still be writing there
    try:
        path.rename(before)
    except OSError as error:
        raise RecordError(f"{path} cannot be overwritten ({error.strerror}): choose another folder") from error
    finally:
        hold.close()
    return before


def _put_back(before: Path, path: Path) -> None:
    with suppress(OSError):
        path.rmdir()  # empty, if it is there
    try:
        before.rename(path)
    except OSError as error:
        raise RecordError(f"{before} cannot be put back to {path} ({error.strerror}): rename it") from error


def _empty(folder: Path) -> None:
    for inside in folder.iterdir():
        if inside.is_dir() and not inside.is_symlink():
            shutil.rmtree(inside, ignore_errors=True)
        else:
            inside.unlink(missing_ok=True)
