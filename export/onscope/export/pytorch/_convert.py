"""From a PyTorch module to one tidy ONNX model, by one of PyTorch's two exporters."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from onscope.runtime import ExportError

from .._original import Converted, Wanted, one_line
from .._tidy import tidied
from ._door import quiet

if TYPE_CHECKING:
    from onnx import ModelProto
    from torch import Tensor, nn
    from torch.export import ExportedProgram

DYNAMO = "torch.export"
TORCHSCRIPT = "TorchScript exporter"
SCRIPTED = "TorchScript exporter, by torch.jit.script"
CONVERTED = "torch.export of TorchScript"
FAILURES = (
    RuntimeError, ValueError, TypeError, LookupError, AttributeError, AssertionError, NameError, SyntaxError,
    ImportError, ArithmeticError,
)  # fmt: skip
"""What the passes of the exporters raise (all errors of torch.onnx and torch._dynamo are RuntimeErrors)."""
NAME = re.compile(r"[\w.]{1,500}", re.ASCII)


def to_onnx(network: nn.Module, wanted: Wanted) -> Converted:
    """Convert `network` as `wanted`.

    The exporter of torch.export goes first; where it fails the one of TorchScript has its turn (it knows no uint16),
    and the notes say why. That one follows one way through the network; where it says that this freezes a decision,
    the network's code is read instead (torch.jit.script), if it can be. TorchScript modules go to that one first; where
    it fails, PyTorch makes a program of the module, and that goes to the other. Raises ExportError when both fail.
    """
    import torch

    notes: list[str] = []
    failures: list[str] = []
    script = isinstance(network, torch.jit.ScriptModule)
    for exporter in (TORCHSCRIPT, CONVERTED) if script else (DYNAMO, TORCHSCRIPT):
        convert = {DYNAMO: _by_dynamo, TORCHSCRIPT: _by_torchscript, CONVERTED: _by_conversion}[exporter]
        try:
            with quiet():
                model, warned = convert(network, wanted)
                model = tidied(model, wanted.free, wanted.opset, wanted.further)
        except FAILURES as error:
            failures.append(f"{exporter}: {one_line(root(error))}")
            notes.append(f"{exporter} failed ({one_line(root(error), 160)})")
            continue
        if warned and (read := _by_script(network, wanted)):
            why = f"following one way through the network would freeze a decision, so its code was read ({warned[0]})"
            return Converted(read, SCRIPTED, (*notes, why))
        return Converted(model, exporter, (*notes, *warned))
    raise ExportError(
        f"found a network that cannot be exported ({'; '.join(failures)}), expected operators that ONNX has: rewrite "
        "the operation that is named"
    )


def _by_dynamo(network: nn.Module, wanted: Wanted) -> tuple[ModelProto, list[str]]:
    import torch

    shapes = tuple(
        {axis: torch.export.Dim.DYNAMIC for axis in free} for free in (wanted.free, *(f.free for f in wanted.further))
    )
    return _exported(network, _examples(wanted), wanted, shapes, _translations(network)), []


def _translations(network: nn.Module) -> dict[Any, Any] | None:
    """What operators of the network's own are in ONNX: the table that its method `onnx_translations` gives, if any.

    For networks with operators that PyTorch's exporter does not know (torch.library), such as those of detection.
    """
    tables = [ask() for part in network.modules() if callable(ask := getattr(part, "onnx_translations", None))]
    return {operator: translation for table in tables for operator, translation in table.items()} or None


def _by_script(network: nn.Module, wanted: Wanted) -> ModelProto | None:
    """With its decisions and loops as they are; None where TorchScript does not know its code."""
    import torch

    try:
        with quiet():
            model, _ = _by_torchscript(torch.jit.script(network), wanted)
            return tidied(model, wanted.free, wanted.opset, wanted.further)
    except Exception:  # whatever is raised by code that TorchScript does not know
        return None


def _by_conversion(network: Any, wanted: Wanted) -> tuple[ModelProto, list[str]]:
    from torch._export.converter import TS2EPConverter

    # The names of attributes become Python source on the way, and a file may call them what it likes.
    for name in _names(network):
        if not NAME.fullmatch(name):
            raise RuntimeError(f"it calls an attribute {one_line(name, 60)!r}, which is no name in Python")
    return program_to_onnx(TS2EPConverter(network, _examples(wanted)).convert(), wanted), []


def _names(network: Any) -> Iterator[str]:
    """What the tensors, the attributes and the values of a TorchScript module are called."""
    yield from network.state_dict()
    yield from (name for name, _ in network.named_modules() if name)
    graphs = [network.inlined_graph, network.graph]
    todo = list(graphs)  # blocks end with their graph
    while todo:
        inside = todo.pop()
        yield from (value.debugName() for value in inside.inputs())
        for node in inside.nodes():
            yield from (node.s("name") for _ in range(1) if node.kind() in ("prim::GetAttr", "prim::SetAttr"))
            yield from (value.debugName() for value in node.outputs())
            todo += node.blocks()


def program_to_onnx(program: ExportedProgram, wanted: Wanted) -> ModelProto:
    """The program, with the sizes free that it has free; raises what the passes of the exporter raise."""
    return _exported(program, (), wanted, None)


def _exported(
    given: nn.Module | ExportedProgram, examples: tuple[Tensor, ...], wanted: Wanted, shapes: Any,
    translations: dict[Any, Any] | None = None,
) -> ModelProto:  # fmt: skip
    """By the exporter of torch.export; `shapes` says what is free, None where a program says it itself."""
    import torch

    made = torch.onnx.export(
        given,
        examples,
        dynamo=True,
        opset_version=wanted.opset,
        input_names=input_names(wanted),
        output_names=list(wanted.output_names),
        dynamic_shapes=shapes,
        custom_translation_table=translations,
        external_data=False,
        optimize=True,
        verbose=False,
    )
    if made is None:
        raise RuntimeError("the exporter gave nothing")
    model: ModelProto = made.model_proto
    return model


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

    return tuple(torch.tensor(one) for one in (wanted.example, *(one.example for one in wanted.further)))


def root(error: BaseException) -> BaseException:
    """The first cause: exporters wrap it in pages of advice."""
    while error.__cause__ is not None:
        error = error.__cause__
    return error
