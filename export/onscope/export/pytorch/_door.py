"""The one door to PyTorch: imported late, kept quiet, and asked for with the extra that brings it."""

from __future__ import annotations

import contextlib
import importlib.util
import io
import logging
import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from onscope.runtime import ExportError

from .._original import Array, one_line

if TYPE_CHECKING:
    from torch import nn

NEEDED = ("torch", "onnxscript", "onnxslim", "onnxruntime")


def require_torch() -> None:
    """Raise ExportError unless everything that exporting from PyTorch needs is installed; imports nothing."""
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise ExportError(
            f"found no {', '.join(missing)}, which exporting from PyTorch needs: pip install 'onscope[export]'"
        )


@contextlib.contextmanager
def quiet() -> Iterator[io.StringIO]:
    """Keep the chatter of the exporters off the terminal; what they printed is in the buffer that is given."""
    import torch

    buffer = io.StringIO()
    before = logging.root.manager.disable
    # torch 2.13 prints whole graphs from C++ when the TorchScript exporter fails, and its switch for that is broken.
    log = torch._C._jit_onnx_log
    torch._C._jit_onnx_log = lambda *_: None
    logging.disable(logging.CRITICAL)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(buffer), contextlib.redirect_stderr(buffer):
            warnings.simplefilter("ignore")
            yield buffer
    finally:
        logging.disable(before)
        torch._C._jit_onnx_log = log


def run_network(network: nn.Module, array: Array) -> list[Array]:
    """Outputs of a PyTorch network for one NumPy input, on the CPU and without gradients."""
    import torch

    try:
        with torch.no_grad(), quiet():
            answer = network(torch.from_numpy(np.ascontiguousarray(array)))
    except (RuntimeError, TypeError, ValueError, IndexError, NotImplementedError, AttributeError, KeyError) as error:
        size = "x".join(map(str, array.shape))
        raise ExportError(
            f"found that the network itself fails on a {size} {array.dtype} input ({one_line(error)}), expected it to "
            "take every size from the stated minimum on: correct the network, the minimum or the step"
        ) from error
    outputs = answer if isinstance(answer, (tuple, list)) else (answer,)
    if not outputs or not all(isinstance(output, torch.Tensor) for output in outputs):
        raise ExportError(
            f"found a network that gives {type(answer).__name__}, expected a tensor or a tuple of tensors: wrap it"
        )
    return [output.detach().cpu().numpy() for output in outputs]
