"""Pre- and postprocessing steps of BioImage.IO (formats 0.4 and 0.5) as nodes of a graph.

Sample statistics enter by a callable, since they come from the host, from the graph itself or from earlier windows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from ..._errors import PackageError
from ...package import Step, TensorDescription
from .._draft import Draft, Value
from .._types import Statistic
from . import _fixed, _measured
from ._dtype import ensure_dtype, working

__all__ = ["STEPS", "apply_step", "ensure_dtype", "is_decoder", "is_measured", "needs", "working"]

Ask = Callable[[Statistic], str]

STEPS: Mapping[str, Callable[[Draft, Value, Step, Ask], Value]] = {
    "binarize": _fixed.binarize,
    "clip": _measured.clip,
    "ensure_dtype": lambda draft, value, step, _: ensure_dtype(draft, value, str(step.arguments["dtype"])),
    "fixed_zero_mean_unit_variance": _fixed.fixed_zero_mean_unit_variance,
    "inverse_scale_range": _measured.inverse_scale_range,
    "scale_linear": _fixed.scale_linear,
    "scale_mean_variance": _measured.scale_mean_variance,
    "scale_range": _measured.scale_range,
    "sigmoid": _fixed.sigmoid,
    "softmax": _fixed.softmax,
    "zero_mean_unit_variance": _measured.zero_mean_unit_variance,
}
DECODERS: Mapping[str, str] = {
    "stardist_postprocessing": "polygons are chosen from it by non-maximum suppression",
    "cellpose_flow_dynamics": "pixels follow its flows to the objects that they belong to",
}


def is_decoder(step: Step) -> bool:
    """Whether the step turns outputs into objects, which is a decoder's work and none of the graph's."""
    return step.id in DECODERS


def is_measured(step: Step) -> bool:
    """Whether it needs statistics of its tensor."""
    return step.id in _measured.MEASURES


def apply_step(draft: Draft, value: Value, step: Step, statistic: Ask) -> Value:
    """Write `step` behind `value`; float32 out (float64 for tensors of 32 bits and more; bool after binarize).

    `statistic(wanted)` gives the name of a float32 tensor that broadcasts against `value`. Its `rest` is asked for
    too, of float32 tensors as well: half a count of noise on 250 makes 1e-5 of the range of what is normalised. Raises
    PackageError for steps that no graph can hold, and for arguments
    that do not fit the tensor's axes.
    """
    if is_decoder(step):
        raise PackageError(
            f"found {step.id} among the steps of a graph ({DECODERS[step.id]}), expected it as the last step of an "
            "output, where a decoder takes it over: move it there"
        )
    if step.id == "custom":
        raise PackageError(
            f"found the step custom ({step.arguments.get('callable')} of {step.arguments.get('source')}), expected a "
            "step of the format itself: onscope runs no code of a package, so export it as part of the network"
        )
    if step.id not in STEPS:
        raise PackageError(f"found the step {step.id!r}, expected one of {', '.join(STEPS)}: update the package")
    return STEPS[step.id](draft, value, step, statistic)


def needs(step: Step, tensor: TensorDescription) -> tuple[Statistic, ...]:
    """The statistics that `apply_step` asks for, for a value with the tensor's axes, in the order of asking.

    Empty for steps without any; raises PackageError for axes that the tensor does not have.
    """
    if not is_measured(step):
        return ()
    wanted, shifted = _measured.MEASURES[step.id](step, tensor.axes)
    return (*wanted, *(replace(wanted[number], part="rest") for number in shifted))
