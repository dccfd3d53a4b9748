"""Files of a model package, read as what they are: untrusted input. Nothing leaves the folder, sizes are bounded."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from tokenize import TokenError
from typing import Any

import numpy as np
import numpy.typing as npt

from .._errors import PackageError

MAX_WEIGHTS_BYTES = 2 * 1024**3 - 1
"""Largest ONNX file that is read, in bytes: the limit of one protobuf message."""
MAX_TENSOR_BYTES = 512 * 1024**2
"""Largest test tensor that is read, in bytes."""
RDF_NAMES = ("rdf.yaml", "bioimageio.yaml", "model.yaml")

_SHA256 = re.compile(r"[0-9a-f]{64}")


def find_rdf(path: Path) -> Path:
    """The model description that `path` stands for: itself, or the one in the folder or .zip; raises PackageError."""
    try:
        if path.is_dir():
            for name in RDF_NAMES:
                if (path / name).is_file():
                    return path / name
            raise PackageError(
                f"found no {RDF_NAMES[0]} in {path}, expected a BioImage.IO model folder: check the path"
            )
        if not path.is_file():
            raise PackageError(
                f"found nothing at {path}, expected a package's folder, .zip or rdf.yaml, or a shipped name such as "
                "zoo/care-beads: check the path"
            )
    except (OSError, ValueError) as error:
        raise PackageError(f"found a path that cannot be read ({short(error)}), expected a package folder") from error
    from ._zip import is_zip, unpacked_rdf

    if is_zip(path):
        return unpacked_rdf(path)
    if path.suffix.lower() not in (".yaml", ".yml"):
        raise PackageError(f"found {path.name}, expected a package's folder, .zip or rdf.yaml")
    return path


def read_bounded(path: Path, limit: int, what: str) -> bytes:
    """All bytes of a file; raises PackageError when there are more than `limit` or it cannot be read."""
    try:
        with path.open("rb") as file:
            data = file.read(limit + 1)
    except OSError as error:
        raise PackageError(
            f"found {path.name}, which cannot be read ({short(error)}): check its permissions"
        ) from error
    if len(data) > limit:
        raise PackageError(f"found a {what} of more than {limit} bytes in {path.name}, expected less")
    return data


def member(folder: Path, entry: Any, what: str) -> Path:
    """The file that a `source` entry names inside `folder`; raises PackageError for URLs, escapes, missing files."""
    source = entry.get("source") if isinstance(entry, Mapping) else entry
    if not isinstance(source, str) or not source:
        raise PackageError(
            f"found no source for the {what}, expected a file name inside the package: check the rdf.yaml"
        )
    if "://" in source:
        raise PackageError(
            f"found the URL {short(source)} as source of the {what}, expected a file inside the package: download the "
            "package with all its files"
        )
    # A backslash or colon is a path separator or drive on Windows and nothing a portable package needs.
    escapes = PurePosixPath(source).is_absolute() or ".." in PurePosixPath(source).parts
    if escapes or any(character in "\\:" or ord(character) < 32 for character in source):
        raise PackageError(f"found the path {short(source)!r} for the {what}, expected one inside the package's folder")
    try:
        path = (folder / source).resolve()
        if not path.is_relative_to(folder.resolve()):
            raise PackageError(
                f"found {short(source)!r} leading out of the package, expected the {what} inside its folder"
            )
        if not path.is_file():
            raise PackageError(f"found no file {short(source)!r}, expected the {what} there: the package is incomplete")
    except (OSError, ValueError, RuntimeError) as error:  # RuntimeError: a loop of symbolic links
        raise PackageError(f"found a path for the {what} that cannot be read: {short(error)}") from error
    return path


def checked_sha256(path: Path, entry: Any, what: str, limit: int) -> str:
    """The sha256 of a file; raises PackageError when it is not the stated one or the file is above `limit` bytes."""
    try:
        size = path.stat().st_size
        if size > limit:
            raise PackageError(
                f"found {what} of {size} bytes, expected at most {limit}: this is no package for live use"
            )
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise PackageError(
            f"found {path.name}, which cannot be read ({short(error)}): check its permissions"
        ) from error
    stated = entry.get("sha256") if isinstance(entry, Mapping) else None
    if stated is None:
        return found
    if not isinstance(stated, str) or not _SHA256.fullmatch(stated):
        raise PackageError(f"found a stated sha256 of the {what} that is none, expected 64 hexadecimal digits")
    if stated != found:
        raise PackageError(
            f"found {path.name} with sha256 {found[:12]}…, expected {stated[:12]}… as stated for the {what}: the file "
            "was changed or damaged, fetch the package again"
        )
    return found


def load_npy(path: Path) -> npt.NDArray[Any]:
    """The array of an .npy file, without pickles; raises PackageError when it holds none, or less than it claims."""
    try:
        # Mapped first: a header that claims more than the file holds is refused before memory is taken.
        mapped = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError, SyntaxError, OverflowError, TypeError, TokenError) as error:
        raise PackageError(
            f"found {path.name}, which is no NumPy array file ({short(error)}): export it again"
        ) from error
    if not isinstance(mapped, np.ndarray):
        raise PackageError(f"found {path.name}, which is an archive, expected one array as .npy: export it again")
    return np.array(mapped)


def one_line(text: object) -> str:
    """Without line breaks, and with what a terminal would obey (escapes, bells, reversals) written out."""
    line = " ".join(str(text).split())
    return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in line)


def short(text: object) -> str:
    """One line of at most 160 characters, for messages that quote what others wrote."""
    line = one_line(text)
    return line if len(line) <= 160 else line[:159] + "…"
