"""The route of a TorchScript file: the network and its code as TorchScript keeps it, run by libtorch, not by Python."""

from __future__ import annotations

from pathlib import Path

from onscope.runtime import ExportError

from ._route_state_dict import Loaded, file_sha256
from ._torch import one_line, quiet, require_torch


def load_torchscript(source: Path) -> Loaded:
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
    return Loaded(network, digest, f"the TorchScript file {source.name}")
