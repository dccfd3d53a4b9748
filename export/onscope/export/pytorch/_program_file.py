"""Files of `torch.export.save` (.pt2), read without unpickling or executing anything of them.

`torch.export.load` unpickles whatever it cannot read otherwise. So the archive is read here, held to what a network
needs (`_program_words`), and written anew from the checked parts; PyTorch reads that one. The format: a .zip without
compression that holds <name>/models/model.json, tensors as raw bytes under <name>/data/weights and .../constants,
listed in ..._config.json, and the example inputs as <name>/data/sample_inputs/model.pt (torch/export/pt2_archive of
torch 2.13).
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from onscope.runtime import ExportError

from .._original import one_line
from ._door import quiet
from ._program_words import checked_payload, checked_program
from ._tensors import swells

if TYPE_CHECKING:
    from torch.export import ExportedProgram

MOST_BYTES = 4 << 30
MOST_TEXT = 1 << 28
MODEL = "models/model.json"
EXAMPLE = "data/sample_inputs/model.pt"
PAYLOADS = ("weights", "constants")
NEEDLESS = ("archive_format", "archive_version", "byteorder", ".data/", "extra/")
"""What PyTorch writes anew, and what it does not read."""


def read_program(source: Path) -> ExportedProgram:
    """The program of a file; raises ExportError where it is none, or could run code."""
    import torch

    parts = _parts(source)
    if MODEL not in parts:
        raise _refused(source, parts)
    kept = {MODEL: _json(parts.pop(MODEL), checked_program)}
    for payload in PAYLOADS:
        name = f"data/{payload}/model_{payload}_config.json"
        legacy = f"data/{payload}/model.pt"
        if legacy in parts:  # torch 2.8 and before
            data = parts.pop(legacy)
            if not _is_plain(data):
                raise ExportError(
                    f"found pickled objects among the {payload} of {source.name}, expected tensors: a pickle runs code "
                    "when it is opened, so save the program again with torch 2.9 or later"
                )
            kept[legacy] = data
        elif name in parts:
            kept[name] = _json(parts.pop(name), checked_payload)
    example = parts.pop(EXAMPLE, b"")
    kept[EXAMPLE] = example if _is_plain(example) else b""  # a program can do without
    for name, data in parts.items():
        folder, _, file = name.rpartition("/")
        if folder in ("data/weights", "data/constants") and file.startswith(("weight_", "tensor_")):
            kept[name] = data
        elif not name.startswith(NEEDLESS):
            raise _refused(source, [name])
    try:
        with quiet():
            return torch.export.load(_written(kept))
    except Exception as error:  # torch's reader raises whatever a part that does not fit leads to
        raise ExportError(
            f"found {source.name}, which this PyTorch cannot read as a program ({one_line(_last(error), 160)}): save "
            f"it again with torch {torch.__version__.partition('+')[0]}"
        ) from error


def _parts(source: Path) -> dict[str, bytes]:
    try:
        with zipfile.ZipFile(source) as archive:
            entries = [entry for entry in archive.infolist() if not entry.is_dir()]
            if sum(entry.file_size for entry in entries) > min(MOST_BYTES, source.stat().st_size):
                raise ExportError(f"found {source.name} with more in it than its size, expected a torch.export program")
            if len({entry.filename for entry in entries}) != len(entries):
                raise ExportError(f"found {source.name} with two parts of one name, expected a torch.export program")
            root = next((name[: -len(MODEL)] for name in archive.namelist() if name.endswith(f"/{MODEL}")), "")
            return {entry.filename.removeprefix(root): archive.read(entry) for entry in entries}
    except (OSError, zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, ValueError) as error:
        raise ExportError(
            f"found {source.name}, which is no torch.export program ({one_line(error, 120)}), expected a whole file of "
            "torch.export.save"
        ) from error


def _refused(source: Path, names: Any) -> ExportError:
    names = list(names)
    if any("aotinductor" in name for name in names):
        return ExportError(
            f"found compiled code (AOTInductor) in {source.name}, expected a program: save the one that it was "
            "compiled from with torch.export.save"
        )
    if "serialized_exported_program.json" in names:
        return ExportError(
            f"found a program of an older PyTorch in {source.name}, expected one of torch 2.8 or later: load it there "
            "with torch.export.load, and save it with a newer one"
        )
    if any(name.endswith("data.pkl") for name in names):
        return ExportError(
            f"found {source.name}, which holds no torch.export program but what torch.save or torch.jit.save wrote, "
            "expected one of torch.export.save: name its kind with --route state-dict or --route torchscript"
        )
    return ExportError(
        f"found {one_line(names[0] if names else 'nothing', 80)!r} in {source.name}, expected one torch.export program "
        "(models/model.json and its tensors): anything else could run code, so it is not opened"
    )


def _json(data: bytes, check: Callable[[Any], dict[str, Any]]) -> bytes:
    try:
        if len(data) > MOST_TEXT:
            raise ValueError(f"{len(data)} bytes")
        return json.dumps(check(json.loads(data))).encode()
    except (ValueError, RecursionError) as error:
        raise ExportError(
            f"found a torch.export program whose description cannot be read ({one_line(error, 120)}): save it again"
        ) from error


def _is_plain(data: bytes) -> bool:
    """Whether PyTorch opens it without unpickling objects."""
    import torch

    if swells(io.BytesIO(data), len(data)):
        return False
    try:
        with quiet():
            torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
    except Exception:  # whatever a damaged file leads to
        return False
    return True


def _written(parts: dict[str, bytes]) -> io.BytesIO:
    from torch.export.pt2_archive._package import PT2ArchiveWriter

    file = io.BytesIO()
    with PT2ArchiveWriter(file) as writer:
        for name, data in parts.items():
            writer.write_bytes(name, data)
    file.seek(0)
    return file


def _last(error: Exception) -> str:
    """What PyTorch says at the end of its tracebacks of tracebacks."""
    return str(error).strip().splitlines()[-1] if str(error).strip() else type(error).__name__
