"""What a file of torch.save holds, told from its opcodes: nothing of it is unpickled."""

from __future__ import annotations

import io
import pickletools
import re
import zipfile
from pathlib import Path

from onscope.runtime import ExportError

from .._original import one_line

MOST_BYTES = 64 << 20
MOST_PICKLES = 5
"""Pickles in a row, as PyTorch wrote them before 1.6."""
HARMLESS = re.compile(r"(torch|collections|_codecs|builtins|__builtin__|numpy)(\..*)?")
"""Modules whose classes stand in plain checkpoints too."""
LIGHTNING = b"pytorch-lightning_version"
"""A key of every Lightning checkpoint."""
CODE = re.compile(r"torch\.nn\.modules\..*")


def pickled_classes(source: Path) -> tuple[str, ...]:
    """Classes and functions that unpickling a file would call, as "module:name"; those of plain tensors left out."""
    found: dict[str, None] = {}
    texts: list[str] = []
    stream = io.BytesIO(_pickle(source))
    for _ in range(MOST_PICKLES):
        try:
            for opcode, argument, _ in pickletools.genops(stream):
                if opcode.name == "GLOBAL":
                    found[str(argument).replace(" ", ":", 1)] = None
                elif opcode.name == "STACK_GLOBAL" and len(texts) > 1:
                    found[f"{texts[-2]}:{texts[-1]}"] = None
                elif isinstance(argument, str):
                    texts.append(argument)
        except (ValueError, TypeError, IndexError, OverflowError, UnicodeError):
            break
    modules = {name: name.partition(":")[0] for name in found}
    return tuple(name for name, module in modules.items() if CODE.fullmatch(module) or not HARMLESS.fullmatch(module))


def is_network(source: Path) -> bool:
    """Whether modules of PyTorch's own are pickled in the file: a whole network, not its tensors."""
    return any(CODE.fullmatch(name.partition(":")[0]) for name in pickled_classes(source))


def refusal(source: Path) -> ExportError:
    """What a file holds that would have to be unpickled, and what to save instead."""
    classes = pickled_classes(source)
    pickled = _pickle(source)
    first = one_line(classes[0], 80) if classes else "arrays of NumPy" if b"numpy" in pickled else "objects"
    if LIGHTNING in pickled:
        return ExportError(
            f"found a Lightning checkpoint with pickled objects ({first}) in {source.name}, expected tensors alone: "
            "unpickling runs code, so where it was trained save torch.save(checkpoint['state_dict'], file)"
        )
    if is_network(source):
        own = next((name for name in classes if not CODE.fullmatch(name.partition(":")[0])), None)
        class_ = f"--network '{one_line(own, 80)}(...)'" if own else "--network module:Class"
        return ExportError(
            f"found a whole network ({first}) with pickled objects in it in {source.name}, expected its tensors alone: "
            "a pickled network runs code when it is opened, so where it was trained save "
            f"torch.save(network.state_dict(), file), and name its class with {class_}"
        )
    return ExportError(
        f"found {source.name} with pickled objects in it ({first}), expected nothing but tensors: they run code when "
        "they are opened, so where it was trained save torch.save(network.state_dict(), file)"
    )


def _pickle(source: Path) -> bytes:
    """The pickle inside a file of torch.save, or the file's beginning; empty where it cannot be read."""
    try:
        if not zipfile.is_zipfile(source):
            with source.open("rb") as file:
                return file.read(MOST_BYTES)
        with zipfile.ZipFile(source) as archive:
            name = next((name for name in archive.namelist() if name.endswith("data.pkl")), None)
            if name is None:
                return b""
            with archive.open(name) as part:
                return part.read(MOST_BYTES)
    except (OSError, zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, ValueError):
        return b""
