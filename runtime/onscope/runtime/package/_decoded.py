"""Outputs that a step makes labels of: BioImage.IO describes the labels, what comes out of the network is another size.

The network's probabilities and distances, or flows, are channels, of `grid` times fewer pixels; the label image has one
channel. Packages that describe the network's output itself are taken as well, as they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ._description import Axis, AxisSize, Step, TensorDescription

FLOWS = 3
"""Channels of `cellpose_flow_dynamics` in two dimensions."""


def before_decoding(tensor: TensorDescription) -> TensorDescription:
    """The output as the network gives it: where the description is of a label image with one channel, and large enough
    for all labels of a frame whose size is no multiple of the `grid` (what they have beyond the frame is cut off)."""
    step = next(
        (step for step in tensor.steps if step.id in ("stardist_postprocessing", "cellpose_flow_dynamics")), None
    )
    if step is None:
        return tensor
    channels, apart = _form(step)
    described = tensor.described
    if tensor.channels == 1:
        described = tuple(_before(axis, channels, apart) for axis in described)
    return replace(tensor, described=tuple(_rounded_up(axis, apart) for axis in described))


def _form(step: Step) -> tuple[int, Mapping[str, int]]:
    """How many channels the step takes, and how many pixels of the labels a pixel of its input stands for, by axis."""
    if step.id == "cellpose_flow_dynamics":
        return FLOWS, {}
    grid = [max(1, int(size)) for size in step.arguments["grid"]]
    return 1 + int(step.arguments["n_rays"]), dict(zip("zyx"[-len(grid) :], grid, strict=True))


def _before(axis: Axis, channels: int, apart: Mapping[str, int]) -> Axis:
    if axis.kind == "channel":
        return replace(axis, size=AxisSize(fixed=channels), channels=())
    if (step := apart.get(axis.id, 1)) == 1:
        return axis
    size = axis.size
    if size.follows is not None:
        own = replace(size.follows, factor=size.follows.factor / step, offset=size.follows.offset // step)
        return replace(axis, size=replace(size, follows=own), scale=axis.scale * step, halo=axis.halo // step)
    if size.fixed is not None:
        return replace(axis, size=replace(size, fixed=size.fixed // step), scale=axis.scale * step)
    return axis


def _rounded_up(axis: Axis, apart: Mapping[str, int]) -> Axis:
    """Sizes are rounded down (BioImage.IO), and networks that answer at every second pixel round up."""
    follows, step = axis.size.follows, apart.get(axis.id, 1)
    if axis.id not in ("y", "x") or follows is None or abs(follows.factor * step - 1) > 1e-6:
        return axis
    own = replace(follows, offset=follows.offset + (step - 1) / step)
    return replace(axis, size=replace(axis.size, follows=own))
