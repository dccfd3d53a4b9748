"""Trained tensors out of a file, and into a network; nothing of the file is executed."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from onscope.runtime import ExportError

from .._original import one_line
from ._checkpoint import refusal
from ._door import quiet
from ._safetensors import read_safetensors

if TYPE_CHECKING:
    from torch import nn

WRAPPERS = ("state_dict", "model_state_dict", "model_state", "model", "net", "params_ema", "params")
"""Keys under which training scripts keep the state dict inside a checkpoint."""


def read_tensors(source: Path) -> Mapping[str, Any]:
    """Names and tensors of a state dict, or of a checkpoint that holds one (torch.save, safetensors), on the CPU.

    Raises ExportError, which says what the file holds instead.
    """
    import torch

    if source.suffix.lower() == ".safetensors":
        return read_safetensors(source)
    try:
        with quiet():
            found = torch.load(source, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise refusal(source) from error
    except (RuntimeError, ValueError, EOFError, OSError, LookupError, AttributeError, TypeError) as error:
        raise ExportError(f"found {source.name}, which PyTorch cannot open ({one_line(error, 160)})") from error
    for key in WRAPPERS:
        if isinstance(found, Mapping) and isinstance(found.get(key), Mapping):
            found = found[key]
            break
    if not isinstance(found, Mapping) or not all(isinstance(value, torch.Tensor) for value in found.values()):
        raise ExportError(
            f"found {type(found).__name__} in {source.name}, expected a state dict (names and tensors): save "
            "network.state_dict()"
        )
    prefix = "module."  # torch.nn.DataParallel puts it before every name
    if found and all(str(name).startswith(prefix) for name in found):
        return {str(name).removeprefix(prefix): value for name, value in found.items()}
    return found


def fill(network: nn.Module, tensors: Mapping[str, Any], source: Path, name: str, strict: bool = True) -> None:
    """Give a network its tensors; raises ExportError where names (only if `strict`) or shapes differ.

    A first word that all names share is left out where that makes them the network's: Lightning modules and wrappers
    keep a network under "model." or the like.
    """
    want, have = network.state_dict(), tensors
    heads = {str(key).partition(".")[0] for key in have}
    if len(heads) == 1 and not want.keys() & have.keys():
        have = {str(key).partition(".")[2]: value for key, value in have.items()}
    missing, extra = sorted(want.keys() - have.keys()), sorted(map(str, have.keys() - want.keys()))
    shapes = [key for key in want.keys() & have.keys() if want[key].shape != have[key].shape]
    if shapes or (strict and (missing or extra)):
        differences = (("missing", missing), ("unknown", extra), ("of another shape", sorted(shapes)))
        words = "; ".join(f"{len(keys)} {kind}, such as {keys[0]}" for kind, keys in differences if keys)
        raise ExportError(
            f"found tensors in {source.name} that are not those of {one_line(name, 80)} ({words}), expected the same "
            "names and shapes: check the class and its values"
        )
    network.load_state_dict(dict(have), strict=strict)
