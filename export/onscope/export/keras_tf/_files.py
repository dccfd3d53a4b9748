"""Keras files as untrusted input: looked through before Keras opens them, by what they are, not by their names.

Formats: a .keras file is a zip archive of config.json, metadata.json and model.weights.h5 (Keras 3); a .h5 file of a
whole model is HDF5 with the attribute model_config and the group model_weights (Keras 1 to 3).
"""

from __future__ import annotations

import json
import lzma
import re
import zipfile
import zlib
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from onscope.runtime import ExportError

from .._original import one_line
from ._config import check_config, describes, read_config

HDF5 = b"\x89HDF\r\n\x1a\n"
ZIP = b"PK\x03\x04"
PICKLE = re.compile(rb"\x80[\x02-\x05]|c[\w.]+\n[\w.]+\n|[(\]})].*\.\Z", re.DOTALL)
"""Pickles of protocol 2 and later; objects, and what else, of the protocols before."""
NEW = "3"
MOST_BYTES = 4 << 30
MOST_GROUPS = 100_000
MOST_TIMES = 200
"""How many times its size a packed member may become."""


class Inspected(NamedTuple):
    """The suffix that fits what the file is (".keras" or ".h5"), the version of Keras that wrote it, its configuration,
    and the (module, name) of code that it asks for."""

    suffix: str
    version: str
    content: dict[str, Any]
    foreign: tuple[tuple[str, str], ...]
    values: int
    """How many numbers its arrays hold."""

    @property
    def keras2(self) -> bool:
        """Whether Keras 3 would take it for what it is not."""
        return _old(self.version)


def _old(version: str) -> bool:
    return version.partition(".")[0] in ("0", "1", "2")


def inspected(source: Path, trust_code: bool) -> Inspected:
    """What the file is, after nothing harmful was found in it; `foreign` is empty without `trust_code`.

    Raises ExportError: a pickle, weights alone, another format, a file that is cut off, code without `trust_code`.
    """
    where = describes(source)
    try:
        with source.open("rb") as file:
            head = file.read(1 << 16)
    except OSError as error:
        raise ExportError(f"found no readable file at {source} ({error.strerror}), expected a Keras model") from error
    if PICKLE.match(head):
        raise ExportError(
            f"found {source.name}, which is a pickle under the name of a Keras file: it would run code when it is "
            'opened, so save the model with model.save("network.keras") where it was trained'
        )
    if head.startswith(HDF5):
        return _check_hdf5(source, where, trust_code)
    if head.startswith(ZIP):
        return _check_zip(source, where, trust_code)
    raise ExportError(
        f"found {source.name}, which is neither a zip archive nor HDF5, expected a Keras file: save the model with "
        'model.save("network.keras")'
    )


def _check_zip(source: Path, where: str, trust_code: bool) -> Inspected:
    try:
        with zipfile.ZipFile(source) as archive:
            entries = {entry.filename: entry for entry in archive.infolist()}
            if sum(entry.file_size for entry in archive.infolist()) > MOST_BYTES:
                raise ExportError(f"found {where} of more than {MOST_BYTES >> 30} GB unpacked, expected a network's")
            for name, entry in entries.items():
                path = PurePosixPath(name.replace("\\", "/"))
                if path.is_absolute() or ".." in path.parts or ":" in name:
                    raise ExportError(f"found {where} with the member {name!r}, which leads out of its folder")
                if entry.file_size > min(MOST_BYTES, MOST_TIMES * entry.compress_size + (1 << 20)):
                    raise ExportError(
                        f"found {where} with {name!r} of {entry.file_size} bytes unpacked, expected at most "
                        f"{MOST_BYTES >> 30} GB and {MOST_TIMES} times its packed size"
                    )
            if "config.json" not in entries or "model.weights.h5" not in entries:
                raise ExportError(
                    f"found a zip archive {source.name} without config.json and model.weights.h5, expected a Keras "
                    'file: save the model with model.save("network.keras")'
                )
            broken = archive.testzip()
            if broken is not None:
                raise ExportError(f"found {where} whose {broken} is damaged, expected a whole file: copy it again")
            content = read_config(archive.read("config.json"), where)
            version = _version_in(archive.read("metadata.json")) if "metadata.json" in entries else NEW
            with archive.open("model.weights.h5") as weights:
                values = _look_through(weights, where).values
    except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, OSError, RuntimeError, ValueError) as error:
        raise ExportError(
            f"found {where}, which is cut off or damaged ({one_line(error, 120)}): copy it again"
        ) from error
    # Nothing is compiled, so that losses and metrics, which are often the user's own, are not built.
    built = {name: value for name, value in content.items() if name != "compile_config"}
    return Inspected(".keras", version, built, check_config(built, where, trust_code, _old(version)), values)


def _version_in(metadata: bytes) -> str:
    """That of metadata.json; where it says none, the archive is read as Keras 3 reads it."""
    try:
        found = json.loads(metadata)["keras_version"]
    except (ValueError, LookupError, TypeError, RecursionError):
        return NEW
    return found if isinstance(found, str) else NEW


def _check_hdf5(source: Path, where: str, trust_code: bool) -> Inspected:
    try:
        with source.open("rb") as file:
            config, version, values = _look_through(file, where)
    except (OSError, RuntimeError, ValueError, KeyError) as error:
        raise ExportError(
            f"found {where}, which is cut off or damaged ({one_line(error, 120)}): copy it again"
        ) from error
    if config is None:
        raise ExportError(
            f"found {where} with weights alone, expected the network too: build it where it was trained, "
            'load_weights, and save it whole with model.save("network.keras"); for CSBDeep and StarDist give the model '
            "folder"
        )
    content = read_config(config, where)
    return Inspected(".h5", version, content, check_config(content, where, trust_code, _old(version)), values)


class _Content(NamedTuple):
    """The attributes model_config and keras_version (Keras 1.0 writes none) of HDF5, and how many numbers it holds."""

    config: str | bytes | None
    version: str
    values: int


def _look_through(file: Any, where: str) -> _Content:
    """Check what an HDF5 file holds; raises ExportError, and OSError of a damaged file."""
    import h5py

    total = values = 0
    with h5py.File(file, "r") as content:
        waiting, seen = [content], set()
        while waiting:
            group = waiting.pop()
            address = h5py.h5o.get_info(group.id).addr  # groups may hold themselves
            if address in seen:
                continue
            seen.add(address)
            for name in group:
                link = group.get(name, getlink=True)
                if not isinstance(link, h5py.HardLink):  # others lead to other files, or around in circles
                    raise ExportError(f"found {where} with the link {name!r}, expected plain arrays in groups")
                one = group[name]
                if isinstance(one, h5py.Group):
                    waiting.append(one)
                elif isinstance(one, h5py.Dataset):
                    total += _bytes_of(one, where)
                    values += int(one.size or 0)
            if total > MOST_BYTES or len(seen) + len(waiting) > MOST_GROUPS:
                raise ExportError(f"found {where} with more than {MOST_BYTES >> 30} GB of arrays, expected a network's")
        found = content.attrs.get("model_config")
        if not isinstance(found, (str, bytes, type(None))):
            raise ExportError(f"found {where} whose configuration is a {type(found).__name__}, expected a text")
        version = content.attrs.get("keras_version", "1")
    return _Content(found, version.decode("utf-8", "replace") if isinstance(version, bytes) else str(version), values)


def _bytes_of(dataset: Any, where: str) -> int:
    if dataset.is_virtual or dataset.external:
        raise ExportError(f"found {where} whose array {dataset.name!r} lies in another file, expected it in this one")
    size = int(dataset.size or 0) * int(dataset.dtype.itemsize)
    if size > MOST_TIMES * int(dataset.id.get_storage_size()) + (1 << 20):
        raise ExportError(f"found {where} whose array {dataset.name!r} becomes {size} bytes out of next to nothing")
    return size
