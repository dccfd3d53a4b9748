"""The route of a TorchScript file: the network and its code as TorchScript keeps it, run by libtorch, not by Python."""

from __future__ import annotations

import re
from pathlib import Path

from onscope.runtime import ExportError

from .._original import file_sha256, one_line
from ..pytorch import TorchNetwork, is_network, quiet, refusal, refuse_bomb, require_torch
from . import Asked

GAP = r"(?:\s|\\|#[^\n]*\n)*"
FILES = re.compile(rf"(?<!\bself)\.{GAP}(save|from_file)\b")
"""Operators of TorchScript that write and open files (torch 2.13: all that take a file's name)."""


def load(source: Path, asked: Asked) -> TorchNetwork:
    """As `load_torchscript`."""
    return load_torchscript(source)


def load_torchscript(source: Path) -> TorchNetwork:
    """Open a file written by `torch.jit.save`; raises ExportError when it is none, and says what it is instead.

    TorchScript has no access to Python, but two of its operators to files: code that names them is not opened.

    TorchScript modules are exported by PyTorch's TorchScript exporter, and where that fails (it knows no uint16) as a
    program that PyTorch makes of them.
    """
    require_torch()
    import torch

    digest = file_sha256(source)
    refuse_bomb(source)
    try:
        with quiet():
            named = _file_operator(source)
            if named:
                raise ExportError(
                    f"found TorchScript that names the operator {named} in {source.name}, expected a network alone: "
                    "that one reads or writes files, so the file is not opened"
                )
            network = torch.jit.load(str(source), map_location="cpu")  # type: ignore[no-untyped-call]
    except (RuntimeError, ValueError, OSError, EOFError) as error:
        if is_network(source):
            raise refusal(source) from error
        raise ExportError(
            f"found {source.name}, which is no TorchScript file ({one_line(error, 120)}), expected one of "
            "torch.jit.save: for a state dict, name its class with --network module:Class"
        ) from error
    return TorchNetwork(network.eval(), f"the TorchScript file {source.name}", digest)


def _file_operator(source: Path) -> str:
    """The operator on files that some of the code names; the code is read as libtorch will read it, and not run."""
    import torch

    reader = torch._C.PyTorchFileReader(str(source))
    records = reader.get_all_records()
    # Before PyTorch 1.4 a model.json named the records with code as it liked.
    free = "model.json" in records
    for record in records:
        if free or record.endswith(".py"):
            found = FILES.search(reader.get_record(record).decode("utf-8", "replace"))
            if found:
                return found[1]
    return ""
