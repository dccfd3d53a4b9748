"""Lists of what is in a bundle: the requirements with their hashes for pip, and the hash of every file."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

from ._wheel import Wheel

LIST = "SHA256SUMS"


def sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def requirements(wheels: Iterable[Wheel]) -> str:
    """Lines for `pip install --require-hashes -r`: each wheel by version and hash."""
    return "".join(f"{each.name}=={each.version} --hash=sha256:{sha256(each.path)}\n" for each in wheels)


def hash_list(folder: Path) -> str:
    """Lines for `sha256sum -c`: every file in the folder but the list itself, with paths as on Linux."""
    paths = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    return "".join(f"{sha256(folder / path)}  {path}\n" for path in paths if path != LIST)
