"""The one door to PyTorch: imported late, kept quiet, and asked for with the extra that brings it."""

from __future__ import annotations

import contextlib
import importlib.util
import inspect
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

NUMBERS = (
    "float32", "float64", "bool", "uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "int64",
)  # fmt: skip
"""Kinds of outputs that a package can describe."""
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


def run_network(network: nn.Module, *arrays: Array) -> list[Array]:
    """Outputs of a PyTorch network for NumPy inputs in its order, on the CPU and without gradients.

    Raises ExportError: it takes another number of inputs, fails on these, or gives something else than tensors.
    """
    import torch

    _check_number(network, len(arrays))
    size = " and a ".join(f"{'x'.join(map(str, array.shape))} {array.dtype}" for array in arrays)
    try:
        with torch.no_grad(), quiet():
            # Copies: networks that begin with an operation in place (ReLU) would change the frames.
            answer = network(*(torch.from_numpy(np.array(array)) for array in arrays))
    except AssertionError as error:  # its own word: guards of programs, checks of authors
        raise ExportError(
            f"found that the network does not take a {size} input ({one_line(error, 160)}), expected every size from "
            "the stated minimum on: state the minimum and the step that it needs, or --fixed"
        ) from error
    except Exception as error:  # whatever the code of somebody else raises
        raise ExportError(
            f"found that the network itself fails on a {size} input ({one_line(error)}), expected it to "
            "take every size from the stated minimum on: correct the network, the minimum or the step"
        ) from error
    outputs = answer if isinstance(answer, (tuple, list)) else (answer,)
    if not outputs or not all(isinstance(output, torch.Tensor) for output in outputs):
        raise ExportError(
            f"found a network that gives {_kinds(answer)}, expected a tensor or a tuple of tensors: wrap it"
        )
    strange = [output.dtype for output in outputs if str(output.dtype).removeprefix("torch.") not in NUMBERS]
    if strange or any(output.layout is not torch.strided for output in outputs):
        what = str(strange[0]).removeprefix("torch.") if strange else "sparse tensors"
        raise ExportError(
            f"found a network that gives {what}, expected float32, whole numbers or bool: cast its outputs inside"
        )
    return [output.detach().cpu().numpy() for output in outputs]


def _kinds(answer: object) -> str:
    if not isinstance(answer, (tuple, list)):
        return type(answer).__name__
    return f"a {type(answer).__name__} of {', '.join(type(one).__name__ for one in answer) or 'nothing'}"


def _check_number(network: nn.Module, given: int) -> None:
    """Raise ExportError where a network must be given more inputs than there are, or takes fewer."""
    needed, most = _inputs(network)
    if len(needed) > given or (most is not None and most < given):
        number = str(len(needed)) if most == len(needed) else f"{len(needed)} to {most or 'many'}"
        what = f" ({one_line(', '.join(needed), 80)})" if needed else ""
        raise ExportError(
            f"found a network of {number} inputs{what}, expected {given}, as stated: state each input behind the frame "
            "with --input, such as --input 'memory b=1,c=8,y=y/2,x=x/2'"
        )


def _inputs(network: nn.Module) -> tuple[list[str], int | None]:
    """Names of the inputs that a network must be given, and how many it takes (None: not known)."""
    import torch

    if isinstance(network, torch.jit.ScriptModule):
        named = network.forward.schema.arguments[1:]  # type: ignore[attr-defined]
        return [one.name for one in named if not one.has_default_value()], len(named)
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    try:
        parameters = list(inspect.signature(network.forward).parameters.values())
    except (TypeError, ValueError):
        return [], None
    listed = [one for one in parameters if one.kind in kinds]
    open_end = any(one.kind is inspect.Parameter.VAR_POSITIONAL for one in parameters)
    return [one.name for one in listed if one.default is inspect.Parameter.empty], None if open_end else len(listed)
