"""The route of a TorchScript file: the network and its code as TorchScript keeps it, run by libtorch, not by Python."""

from __future__ import annotations

from pathlib import Path

from onscope.runtime import ExportError

from .._original import file_sha256, one_line
from ..pytorch import TorchNetwork, quiet, require_torch
from . import Asked


def load(source: Path, asked: Asked) -> TorchNetwork:
    """As `load_torchscript`."""
    return load_torchscript(source)


def load_torchscript(source: Path) -> TorchNetwork:
    """Open a file written by `torch.jit.save`; raises ExportError when it is none, and says what it is instead.

    TorchScript modules are exported by PyTorch's TorchScript exporter, which knows no uint16: they take uint8 or
    float32 frames.
    """
    require_torch()
    import torch

    digest = file_sha256(source)
    try:
        with quiet():
            network = torch.jit.load(str(source), map_location="cpu")  # type: ignore[no-untyped-call]
    except (RuntimeError, ValueError, OSError, EOFError) as error:
        raise ExportError(
            f"found {source.name}, which is no TorchScript file ({one_line(error, 120)}), expected one of "
            "torch.jit.save: for a state dict, name its class with --network module:Class"
        ) from error
    return TorchNetwork(network.eval(), f"the TorchScript file {source.name}", digest)
