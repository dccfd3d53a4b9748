"""A recurrent network's memory: pairs of an output and the input that takes it in the next window."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from .._errors import PipelineError
from ..package import TensorDescription
from ._types import StageRequest, State

Pair = tuple[TensorDescription, TensorDescription]
"""An input, and the output that is its value in the next window."""


def state_pairs(stage: StageRequest) -> list[Pair]:
    """The pairs that the setting `state` declares; raises PipelineError when there are no such tensors."""
    inputs = {tensor.name: tensor for tensor in stage.inputs}
    outputs = {tensor.name: tensor for tensor in stage.outputs}
    pairs: list[Pair] = []
    for stated in stage.settings.get("state", ()):
        given, made = (stated.get(key) for key in ("input", "output")) if isinstance(stated, Mapping) else ("", "")
        if given not in inputs or made not in outputs:
            raise PipelineError(
                f"found the state {given!r} <- {made!r} of the stage {stage.name!r}, expected an input "
                f"({', '.join(inputs)}) and an output ({', '.join(outputs)}): correct `state` in config.onscope"
            )
        pairs.append((inputs[given], outputs[made]))
    if len({given.name for given, _ in pairs}) != len(pairs) or len({made.name for _, made in pairs}) != len(pairs):
        raise PipelineError(
            f"found a tensor twice among the states of the stage {stage.name!r}, expected pairs: correct `state` in "
            "config.onscope"
        )
    return pairs


def zero_states(
    stage: StageRequest, pairs: Sequence[Pair], sizes: Mapping[tuple[str, str], int | None]
) -> list[tuple[State, str]]:
    """Each pair's State and the name of the network's input. `sizes` are those of the image's axes, padded.

    Sizes that follow the image's do so here; free ones are the smallest. Raises PipelineError when one is not known.
    """
    states = []
    for given, _ in pairs:
        shape = []
        for axis in given.described:
            follows = axis.size.follows
            if follows is None:
                shape.append(axis.size.fixed if axis.size.fixed is not None else axis.size.minimum)
                continue
            reference = sizes.get((follows.tensor, follows.axis))
            if reference is None:
                raise PipelineError(
                    f"found the state {given.name!r} of the stage {stage.name!r}, whose axis {axis.id} follows "
                    f"{follows.tensor}.{follows.axis}, expected a fixed one or one of the image: correct the package"
                )
            shape.append(follows.size(reference))
        name = f"{stage.name}.{given.name}"
        state = State(stage.name, name, f"{name}.next", tuple(shape), given.dtype)
        states.append((state, given.graph_name))
    return states
