"""Where things lie that can be made again: unpacked packages, compiled graphs, engines built for this machine."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from ._errors import PackageError

VARIABLE = "ONSCOPE_CACHE"


def cache_folder(room: str) -> Path:
    """The folder `room` (such as "graphs") of this user's cache, made if it is not there, for its owner alone.

    Linux: $XDG_CACHE_HOME/onscope or ~/.cache/onscope; macOS: ~/Library/Caches/onscope; Windows:
    %LOCALAPPDATA%/onscope/Cache; anywhere: $ONSCOPE_CACHE where that is set. Raises PackageError when it cannot be
    made.
    """
    try:
        folder = _root() / room
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except (OSError, RuntimeError, ValueError) as error:  # RuntimeError: no home folder; ValueError: a null byte
        raise PackageError(
            f"found no cache folder that can be written ({error}): set {VARIABLE} to a folder of your own"
        ) from error
    return folder


def _root() -> Path:
    if stated := os.environ.get(VARIABLE):
        return Path(stated).expanduser().absolute()
    if sys.platform == "win32":
        local = os.environ.get("LOCALAPPDATA")
        return (Path(local) if local else Path.home() / "AppData" / "Local") / "onscope" / "Cache"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "onscope"
    stated = os.environ.get("XDG_CACHE_HOME", "")
    # The XDG base directory specification: relative paths are to be ignored.
    return (Path(stated) if os.path.isabs(stated) else Path.home() / ".cache") / "onscope"
