"""An ONNX file as an original: run by ONNX Runtime as it is, converted to one opset with free sizes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from onscope.runtime import ExportError
from onscope.runtime.graph import spell_out

from .._original import Array, Converted, OutputForm, Stated, Wanted, contiguous, one_line
from .._tidy import tidied
from ._beside import readable, said_beside
from ._found import Probed
from ._graph import dims_of, framed, inputs_of, opset_of, plain, resized
from ._upgrade import brought

if TYPE_CHECKING:
    from onnx import ModelProto

TOOLS = ("onnx", "onnxruntime")


@dataclass(frozen=True)
class OnnxNetwork:
    """An inspected ONNX graph, whose inputs are of the dtypes `takes`, the frame's first (an Original).

    Inputs of the sizes that the file states are run by the file as it is, others by the same graph with free sizes.
    """

    model: ModelProto
    probed: Probed
    takes: tuple[str, ...]
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
        return readable([value.name for value in outputs], "output")

    @property
    def taken(self) -> str:
        """What frames are when they reach the network."""
        return self.takes[0]

    def run(self, array: Array) -> list[Array]:
        return self.run_on([array])

    def run_on(self, arrays: Sequence[Array]) -> list[Array]:
        names = [value.name for value in inputs_of(self.model)]
        if len(arrays) != len(names):
            raise ExportError(
                f"found {len(arrays)} inputs stated, expected {len(names)} as in the ONNX file ({', '.join(names)}): "
                "state those beside the frame with --input"
            )
        for place, (array, taken) in enumerate(zip(arrays, self.takes, strict=True)):
            if array.dtype != taken:
                where = f"in the input {names[place]}" if place else "before the network"
                raise ExportError(
                    f"found {array.dtype} {where}, expected {taken}, as the ONNX file takes: give frames of that with "
                    f"--dtype {taken}, or steps that make it with --normalise"
                )
        declared = [dims_of(value) for value in inputs_of(self.model)]
        session = self.probed.own
        if self.probed.freed is not None and not all(map(_fits, (array.shape for array in arrays), declared)):
            session = self.probed.freed
        return session.run(*map(contiguous, arrays))

    def convert(self, wanted: Wanted) -> Converted:
        own = opset_of(self.model)
        told = list(self.notes)
        asked = [(wanted.example, wanted.free), *((one.example, one.free) for one in wanted.further)]
        sizes = [[free.get(axis, size) for axis, size in enumerate(example.shape)] for example, free in asked]
        ranks = [len(dims_of(value)) for value in inputs_of(self.model)]
        if list(map(len, sizes)) != ranks:
            raise ExportError(
                f"found inputs of {', '.join(str(len(each)) for each in sizes)} axes, expected "
                f"{', '.join(map(str, ranks))} as in the ONNX file"
            )
        spelled = plain(self.model)
        if spell_out(spelled):
            told.append("GroupNormalization became InstanceNormalization of its groups, as ONNX defines it")
        changed, notes = brought(resized(spelled, sizes), wanted.opset)
        try:
            import onnx

            changed = onnx.shape_inference.infer_shapes(changed)
            names = [wanted.input_name, *(one.name for one in wanted.further)]
            framed(changed, names, self.takes, wanted.output_names)
            model = tidied(changed, wanted.free, wanted.opset, wanted.further)
        except Exception as error:  # onnxslim and onnx raise what they meet
            raise ExportError(
                f"found an ONNX file that cannot be brought to opset {wanted.opset} with free sizes "
                f"({one_line(error)}), expected operators that take them: give --fixed"
            ) from error
        maker = "onnxslim" if own >= wanted.opset else f"onnx.version_converter from opset {own}"
        return Converted(model, maker, (*told, *notes))


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
    notes += [
        f"that {said_beside(one)!r} lies beside the frame was guessed (--input says otherwise)" for one in found.further
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
        further=found.further,
        forms=forms_of(found),
        notes=(*notes, *size_notes(found)),
    )


def forms_of(found: Probed) -> tuple[OutputForm, ...]:
    """How the outputs lie in the frame, where they are not a multiple of it."""
    return tuple(OutputForm({"y": offset, "x": offset} if offset else {}) for offset in found.offsets)


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
