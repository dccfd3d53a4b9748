"""All that a checkpoint holds, read without executing anything of it."""

from __future__ import annotations

import pickle
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

from onscope.runtime import ExportError

from .._original import one_line
from ._checkpoint import refusal
from ._door import quiet
from ._safetensors import read_safetensors

MOST_SPARE = 16 << 20
"""Bytes by which what is in an archive may be larger than the archive: PyTorch does not compress."""


def read_tensors(source: Path) -> Mapping[str, Any]:
    """What a file of torch.save or safetensors holds, by its keys, on the CPU.

    Raises ExportError, which says what the file holds instead.
    """
    import torch

    if source.suffix.lower() == ".safetensors":
        return read_safetensors(source)
    refuse_bomb(source)
    if tarfile.is_tarfile(source):
        raise ExportError(
            f"found an archive of tar in {source.name}, as PyTorch wrote them until 2017, expected a file of "
            "torch.save: unpack it, or save network.state_dict() again where it was made"
        )
    try:
        with quiet():
            found = torch.load(source, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise refusal(source) from error
    except Exception as error:  # whatever a damaged file leads to
        raise ExportError(f"found {source.name}, which PyTorch cannot open ({one_line(error, 160)})") from error
    if not isinstance(found, Mapping):
        raise ExportError(
            f"found {type(found).__name__} in {source.name}, expected a state dict (names and tensors): save "
            "network.state_dict()"
        )
    return found


def refuse_bomb(source: Path) -> None:
    """Raise ExportError for an archive that holds more than its size: it could fill the memory."""
    if source.is_file() and (inside := swells(source, source.stat().st_size)):
        raise ExportError(
            f"found {source.name} of {source.stat().st_size >> 10} kB that unpacks to {inside >> 20} MB, expected one "
            "as PyTorch writes it, without compression: save it again"
        )


def swells(archive: Path | IO[bytes], size: int) -> int:
    """Bytes that a .zip of `size` bytes unpacks to, where these are more; 0 otherwise, and of what is no archive."""
    try:
        with zipfile.ZipFile(archive) as opened:
            inside = sum(entry.file_size for entry in opened.infolist())
    except (OSError, zipfile.BadZipFile, NotImplementedError, RuntimeError, ValueError, EOFError):
        return 0  # others say what it is
    return inside if inside > size + MOST_SPARE else 0
