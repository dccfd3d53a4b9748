"""An ONNX file as an original: run by ONNX Runtime as it is, converted to one opset with free sizes."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from onscope.runtime import ExportError

from .._original import Array, Converted, Stated, Wanted, contiguous, one_line
from .._tidy import tidied
from ._graph import framed, opset_of, plain, resized
from ._probe import Probed
from ._upgrade import brought

if TYPE_CHECKING:
    from onnx import ModelProto

TOOLS = ("onnx", "onnxruntime")


@dataclass(frozen=True)
class OnnxNetwork:
    """An inspected ONNX graph with one input of the dtype `taken` (an Original).

    Inputs of the sizes that the file states are run by the file as it is, others by the same graph with free sizes.
    """

    model: ModelProto
    probed: Probed
    taken: str
    route: str
    source_sha256: str
    notes: tuple[str, ...] = ()
    stated: Stated = field(default_factory=Stated)
    tools: tuple[str, ...] = TOOLS

    @property
    def parameters(self) -> int:
        """Values of all weights, those of small constants among them."""
        return sum(int(np.prod(tensor.dims, dtype=np.int64)) for tensor in self.model.graph.initializer)

    @property
    def output_names(self) -> tuple[str, ...]:
        """The graph's own, as a description takes them; none for a single output."""
        outputs = self.model.graph.output
        if len(outputs) == 1:
            return ()
        names = [re.sub(r"\W+", "_", value.name.lower(), flags=re.ASCII).strip("_")[-28:] for value in outputs]
        names = [name if re.match(r"[a-z_]", name) and name != "raw" else f"output_{name}" for name in names]
        return tuple(name if names.count(name) == 1 else f"{name[:24]}_{place}" for place, name in enumerate(names))

    def run(self, array: Array) -> list[Array]:
        if array.dtype != self.taken:
            raise ExportError(
                f"found {array.dtype} before the network, expected {self.taken}, as the ONNX file takes: give frames "
                f"of that with --dtype {self.taken}, or steps that make it with --normalise"
            )
        session = self.probed.own
        if self.probed.freed is not None and not _fits(array.shape, self.probed.declared):
            session = self.probed.freed
        return session.run(contiguous(array))

    def convert(self, wanted: Wanted) -> Converted:
        own = opset_of(self.model)
        sizes = [wanted.free.get(axis, size) for axis, size in enumerate(wanted.example.shape)]
        if len(sizes) != len(self.probed.declared):
            raise ExportError(f"found {len(sizes)} axes, expected {len(self.probed.declared)} as in the ONNX file")
        changed, notes = brought(resized(plain(self.model), sizes), wanted.opset)
        try:
            import onnx

            changed = onnx.shape_inference.infer_shapes(changed)
            framed(changed, wanted.input_name, self.taken, wanted.output_names)
            model = tidied(changed, wanted.free, wanted.opset)
        except Exception as error:  # onnxslim and onnx raise what they meet
            raise ExportError(
                f"found an ONNX file that cannot be brought to opset {wanted.opset} with free sizes "
                f"({one_line(error)}), expected operators that take them: give --fixed"
            ) from error
        maker = "onnxslim" if own >= wanted.opset else f"onnx.version_converter from opset {own}"
        return Converted(model, maker, (*self.notes, *notes))


def guessed(network: OnnxNetwork) -> Stated:
    """What the file itself tells, with notes of what was guessed."""
    found = network.probed
    if not found.axes:
        why = f"what its axes are could not be found out ({found.why}): --axes and --output-axes name them"
        shape = found.declared if any(found.declared) else ()
        return Stated(dtype=network.taken, shape=shape, output_names=network.output_names, notes=(why,))
    stated = "x".join(str(size or "?") for size in found.declared)
    notes = [
        f"the axes {found.axes} of its {stated} input and {', '.join(found.outputs)} of its outputs were guessed from "
        "their sizes (--axes and --output-axes say otherwise)"
    ]
    return Stated(
        axes=found.axes,
        output_axes=found.outputs,
        output_names=network.output_names,
        dtype=network.taken,
        minimum=found.minimum,
        step=found.step,
        fixed=found.fixed,
        shape=found.sizes,
        notes=(*notes, *size_notes(found)),
    )


def size_notes(found: Probed) -> list[str]:
    """Whether height and width are free, and how that is known."""
    sides = [found.declared[found.axes.index(letter)] for letter in "yx"]
    size = "x".join(str(side or "?") for side in sides)
    if found.fixed and found.why:
        return [f"height and width stay {size} as the file fixes them: with others {found.why}"]
    notes = []
    if any(sides):
        notes.append(
            f"the file fixes {size} pixels; its operators take others, so height and width are free: at {size} the "
            "proof is against the file as it is, elsewhere against the same graph with free sizes"
        )
    if found.step and found.step > 1:
        notes.append(f"it takes heights and widths of {found.minimum} + n * {found.step}, found by trying")
    return notes


def _fits(shape: tuple[int, ...], declared: tuple[int, ...]) -> bool:
    return len(shape) == len(declared) and all(own in (0, size) for size, own in zip(shape, declared, strict=True))
