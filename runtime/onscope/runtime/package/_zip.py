"""Packages as .zip files: looked through as untrusted input, then unpacked once into the cache, by content."""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import tempfile
import time
import zipfile
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path, PurePosixPath

from .._cache_place import cache_folder
from .._errors import PackageError
from ._files import RDF_NAMES, short

MAX_ENTRIES = 2000
"""Most files and folders that a zipped package may hold."""
MAX_UNPACKED_BYTES = 4 * 1024**3
"""Most bytes that a zipped package may unfold to."""
MAX_RATIO = 200
"""Most bytes per byte of the .zip, for packages that unfold to more than FREELY_BYTES."""
FREELY_BYTES = 256 * 1024**2
ROOM = "packages"
_TEMPORARY = ".unpacking-"
_STALE_S = 24 * 3600.0


def is_zip(path: Path) -> bool:
    """Whether a file is a .zip, by its name or its first bytes."""
    if path.suffix.lower() == ".zip":
        return True
    try:
        with path.open("rb") as file:
            return file.read(4) == b"PK\x03\x04"
    except OSError:
        return False


def unpacked_rdf(path: Path) -> Path:
    """The model description of a zipped package, unpacked into the cache; raises PackageError as `unpacked` does.

    It stands at the top or in the one folder.
    """
    return unpacked(path, lambda names: _find_rdf(names, path))


def unpacked(path: Path, choose: Callable[[Sequence[PurePosixPath]], PurePosixPath]) -> Path:
    """The file that `choose` names out of those of a .zip; all of them unpacked into the cache where they are not yet.

    The folder's name is the sha256 of the .zip; it appears there whole or not at all, and is used again. Raises
    PackageError, one sentence, before anything is written: paths that climb out, links, encrypted or double entries,
    absurd sizes; and what `choose` raises.
    """
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            file.seek(0)
            with zipfile.ZipFile(file) as archive:
                entries = _checked(archive, path)
                chosen = choose([PurePosixPath(entry.filename) for entry in entries])
                folder = cache_folder(ROOM) / digest[:32]
                if not _whole(folder, entries):
                    _unpack(archive, entries, folder)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError) as error:
        raise PackageError(
            f"found {path.name}, which is no whole .zip ({short(error)}): fetch the package again"
        ) from error
    except OSError as error:
        raise PackageError(
            f"found {path.name}, which cannot be unpacked ({short(error)}): check its permissions and the free space"
        ) from error
    return folder / chosen


def _checked(archive: zipfile.ZipFile, path: Path) -> list[zipfile.ZipInfo]:
    """The files of an archive, when all of it is harmless."""
    found = archive.infolist()
    if len(found) > MAX_ENTRIES:
        raise PackageError(f"found {len(found)} entries in {path.name}, expected at most {MAX_ENTRIES} of a package")
    for entry in found:
        _require_plain(entry, path)
    files = [entry for entry in found if not entry.is_dir()]
    _require_distinct([entry.filename for entry in files], path)
    total = sum(entry.file_size for entry in files)
    packed = path.stat().st_size
    if total > MAX_UNPACKED_BYTES or (total > FREELY_BYTES and total > MAX_RATIO * packed):
        raise PackageError(
            f"found {path.name} of {packed} bytes that unfolds to {total}, expected at most {MAX_UNPACKED_BYTES} and "
            f"{MAX_RATIO} times its size: this is no package"
        )
    return files


def _require_plain(entry: zipfile.ZipInfo, path: Path) -> None:
    """Refuse names that lead out of a folder on any system, and whatever is no plain file or folder."""
    name = entry.orig_filename  # as it stands in the file: `filename` is cut at null bytes
    parts = name.removesuffix("/").split("/")
    bad_part = any(part in ("", ".", "..") or part[-1] in " ." or len(part) > 200 for part in parts)
    if bad_part or any(character in '\\:*?"<>|' or ord(character) < 32 for character in name):
        raise PackageError(
            f"found the path {short(ascii(name))} in {path.name}, expected one inside the package's folder that every "
            "system can have"
        )
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise PackageError(f"found the link or device {short(name)!r} in {path.name}, expected plain files only")
    if entry.flag_bits & 0x41:
        raise PackageError(f"found {short(name)!r} encrypted in {path.name}, expected a package that all can read")
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise PackageError(
            f"found {short(name)!r} packed in an unusual way in {path.name}, expected deflate: pack it again"
        )


def _require_distinct(names: Sequence[str], path: Path) -> None:
    """Refuse names that are one file on some system, or a file and a folder at once."""
    seen: set[str] = set()
    for name in names:
        if name.casefold() in seen:
            raise PackageError(f"found {short(name)!r} twice in {path.name}, expected every file once")
        seen.add(name.casefold())
    for name in names:
        for parent in PurePosixPath(name).parents:
            if str(parent).casefold() in seen:
                raise PackageError(f"found {short(parent)!r} as file and folder in {path.name}, expected one of them")


def _find_rdf(names: Sequence[PurePosixPath], path: Path) -> PurePosixPath:
    for depth in (1, 2):
        found = [name for wanted in RDF_NAMES for name in names if name.name == wanted and len(name.parts) == depth]
        if len({name.parent for name in found}) > 1:
            raise PackageError(
                f"found {len(found)} model descriptions in {path.name}, expected one: unpack it and choose a folder"
            )
        if found:
            return found[0]
    raise PackageError(
        f"found no {RDF_NAMES[0]} in {path.name}, expected one at its top or in its one folder: check the file"
    )


def _whole(folder: Path, entries: Sequence[zipfile.ZipInfo]) -> bool:
    """Whether all files are there, as long as they should be; what lies in a cache may have been tidied away."""
    try:
        return all((folder / entry.filename).stat().st_size == entry.file_size for entry in entries)
    except OSError:
        return False


def _unpack(archive: zipfile.ZipFile, entries: Sequence[zipfile.ZipInfo], folder: Path) -> None:
    room = folder.parent
    _tidy(room)
    needed = sum(entry.file_size for entry in entries)
    if shutil.disk_usage(room).free < needed:
        raise PackageError(f"found less than {needed} bytes free in {room}, expected room for the package: free some")
    temporary = Path(tempfile.mkdtemp(prefix=_TEMPORARY, dir=room))
    try:
        for entry in entries:
            place = temporary / entry.filename
            place.parent.mkdir(parents=True, exist_ok=True)
            with archive.open(entry) as packed, place.open("xb") as file:
                shutil.copyfileobj(packed, file, 1 << 20)
        _put(temporary, folder, entries)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _put(temporary: Path, folder: Path, entries: Sequence[zipfile.ZipInfo]) -> None:
    """Move the unpacked folder to its place; another process may have been faster, an old one may be damaged."""
    try:
        os.rename(temporary, folder)
    except OSError:
        if _whole(folder, entries):
            return
        os.rename(folder, Path(tempfile.mkdtemp(prefix=_TEMPORARY, dir=folder.parent)) / "damaged")
        os.rename(temporary, folder)


def _tidy(room: Path) -> None:
    """Remove what runs that were killed while unpacking left behind."""
    for left in room.glob(f"{_TEMPORARY}*"):
        try:
            if time.time() - left.stat().st_mtime > _STALE_S:
                shutil.rmtree(left, ignore_errors=True)
        except OSError:
            continue
