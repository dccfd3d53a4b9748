"""A package folder appears whole or not at all: it is written beside its place and renamed into it."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from onscope.runtime import ExportError


def check_target(target: Path, overwrite: bool) -> None:
    """Raise ExportError when `target` may not be written: taken, no package, or in a folder that is not there."""
    if target.is_symlink() or target.is_file():
        raise ExportError(f"found a file at {target}, expected a free name for the package's folder: choose another")
    if target.is_dir() and any(target.iterdir()):
        if not overwrite:
            raise ExportError(f"found a folder at {target}, expected a free name: choose another or overwrite it")
        if not (target / "rdf.yaml").is_file():
            raise ExportError(f"found {target}, which holds no package, expected one to overwrite: choose another name")


@contextlib.contextmanager
def written_whole(target: Path, overwrite: bool) -> Iterator[Path]:
    """Give an empty folder beside `target`; rename it into place when the block ends well, remove it otherwise."""
    check_target(target, overwrite)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
        draft.chmod(0o755)
    except OSError as error:
        raise ExportError(
            f"found {target.parent}, which cannot be written ({error.strerror}): choose another place"
        ) from error
    try:
        yield draft
        _into_place(draft, target, overwrite)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _into_place(draft: Path, target: Path, overwrite: bool) -> None:
    check_target(target, overwrite)
    if not target.exists():
        os.replace(draft, target)
        return
    old = Path(tempfile.mkdtemp(prefix=f".{target.name}.old.", dir=target.parent))
    try:
        os.replace(target, old / "package")
        os.replace(draft, target)
    finally:
        shutil.rmtree(old, ignore_errors=True)
