"""From a PyTorch module to one tidy ONNX model, by one of PyTorch's two exporters."""

from __future__ import annotations

import io
import warnings
from typing import TYPE_CHECKING

from onscope.runtime import ExportError

from .._original import Converted, Wanted, one_line
from .._tidy import tidied
from ._door import quiet

if TYPE_CHECKING:
    from onnx import ModelProto
    from torch import Tensor, nn

DYNAMO = "torch.export"
TORCHSCRIPT = "TorchScript exporter"
FAILURES = (RuntimeError, ValueError, TypeError, LookupError, AttributeError, AssertionError, NameError, SyntaxError)
"""What the passes of the exporters raise (all errors of torch.onnx and torch._dynamo are RuntimeErrors)."""


def to_onnx(network: nn.Module, wanted: Wanted) -> Converted:
    """Convert `network` as `wanted`.

    The exporter of torch.export goes first; where it fails the one of TorchScript has its turn (it knows no uint16),
    and the notes say why. TorchScript modules go to the second at once. Raises ExportError when both fail.
    """
    import torch

    notes: list[str] = []
    failures: list[str] = []
    script = isinstance(network, torch.jit.ScriptModule)
    for exporter in (TORCHSCRIPT,) if script else (DYNAMO, TORCHSCRIPT):
        convert = _by_dynamo if exporter == DYNAMO else _by_torchscript
        try:
            with quiet():
                model, warned = convert(network, wanted)
                model = tidied(model, wanted.free, wanted.opset, wanted.further)
        except FAILURES as error:
            failures.append(f"{exporter}: {one_line(root(error))}")
            notes.append(f"{exporter} failed ({one_line(root(error), 160)})")
            continue
        return Converted(model, exporter, (*notes, *warned))
    raise ExportError(
        f"found a network that cannot be exported ({'; '.join(failures)}), expected operators that ONNX has: rewrite "
        "the operation that is named"
    )


def _by_dynamo(network: nn.Module, wanted: Wanted) -> tuple[ModelProto, list[str]]:
    import torch

    program = torch.onnx.export(
        network,
        _examples(wanted),
        dynamo=True,
        opset_version=wanted.opset,
        input_names=input_names(wanted),
        output_names=list(wanted.output_names),
        dynamic_shapes=tuple(
            {axis: torch.export.Dim.DYNAMIC for axis in free}
            for free in (wanted.free, *(f.free for f in wanted.further))
        ),
        external_data=False,
        optimize=True,
        verbose=False,
    )
    if program is None:
        raise RuntimeError("the exporter gave nothing")
    model: ModelProto = program.model_proto
    return model, []


def _by_torchscript(network: nn.Module, wanted: Wanted) -> tuple[ModelProto, list[str]]:
    import onnx
    import torch
    from torch.jit import TracerWarning  # type: ignore[attr-defined]

    file = io.BytesIO()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        torch.onnx.export(
            network,
            _examples(wanted),
            file,  # type: ignore[arg-type]  # takes a buffer, unlike its annotation
            dynamo=False,
            opset_version=wanted.opset,
            input_names=input_names(wanted),
            output_names=list(wanted.output_names),
            dynamic_axes={
                name: {axis: f"free{place}_{axis}" for axis in free}
                for place, (name, _, free) in enumerate(((wanted.input_name, None, wanted.free), *wanted.further))
            },
        )
    # The tracer follows one way through the network; where it says so, whoever reads the report should know.
    frozen = {one_line(one.message, 160) for one in caught if issubclass(one.category, TracerWarning)}
    return onnx.load_from_string(file.getvalue()), [f"traced: {message}" for message in sorted(frozen)]


def input_names(wanted: Wanted) -> list[str]:
    """Names of all inputs, in the network's order."""
    return [wanted.input_name, *(one.name for one in wanted.further)]


def _examples(wanted: Wanted) -> tuple[Tensor, ...]:
    import torch

    return tuple(torch.from_numpy(one) for one in (wanted.example, *(one.example for one in wanted.further)))


def root(error: BaseException) -> BaseException:
    """The first cause: exporters wrap it in pages of advice."""
    while error.__cause__ is not None:
        error = error.__cause__
    return error
