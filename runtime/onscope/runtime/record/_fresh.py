"""The folder that a new recording is made in."""

from __future__ import annotations

import shutil
from pathlib import Path

from .._errors import RecordError
from . import _place
from ._manifest import NAME
from ._place import Hold


def make_folder(folder: Path, overwrite: bool) -> None:
    """Make it, or empty one that holds a recording; raises RecordError when it is in use, or cannot be made."""
    try:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            if not overwrite or not (folder / NAME).is_file():
                raise RecordError(
                    f"found {folder} in use, expected a new or empty folder: choose another one"
                    + (", or overwrite the recording in it" if (folder / NAME).is_file() else "")
                )
            hold = Hold(folder, _place.PATIENCE_S)  # a killed run's recorder may still be busy
            try:
                shutil.rmtree(folder)
            finally:
                hold.close()
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RecordError(
            f"{folder} cannot be made ({error.strerror}): choose a folder that can be written to"
        ) from error
