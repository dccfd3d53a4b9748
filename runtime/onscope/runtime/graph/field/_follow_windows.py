"""Operators that read a piece of the frame around each place: convolutions, pooling, resizing, padding."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from ._reach import Reach, read
from ._taps import as_fraction, padded, resized, rounds, same_pads, sliding, transposed
from ._trace import Reaches, Rule, Step


def convolution(step: Step) -> Sequence[Reaches]:
    """Conv and its integer forms: batch stays, channels are summed up, space is read window by window."""
    weights = 3 if step.kind == "QLinearConv" else 1
    kernel = step.attributes.get("kernel_shape", step.shapes[weights][2:])
    return [_windows(step, kernel, channels=True)]


def pooling(step: Step) -> Sequence[Reaches]:
    if len(step.node.output) > 1 and step.node.output[1]:
        step.say("gives positions in the whole frame")
    return [_windows(step, step.attributes["kernel_shape"], channels=False)] * len(step.outputs)


def _windows(step: Step, kernel: Sequence[int], channels: bool) -> Reaches:
    _others(step)
    answer: Reaches = {}
    for axis, reach in step.reaches[0].items():
        if reach.dim < 2:
            answer.update(_beside(step, axis, reach, channels))
            continue
        size, stride, dilation = _window_of(step, reach.dim - 2, kernel)
        count = _size(step, reach.dim)
        begin = _begin(step, reach, size, stride, dilation, count, len(kernel))
        answer[axis] = read(reach, *sliding(reach.size, count, size, stride, dilation, begin), Fraction(1, stride))
    return step.checked(answer)


def _begin(step: Step, reach: Reach, size: int, stride: int, dilation: int, count: int, rank: int) -> int:
    kind = step.text("auto_pad", "NOTSET")
    if kind == "VALID":
        return 0
    if kind.startswith("SAME"):
        return same_pads(kind, (count - 1) * stride + (size - 1) * dilation + 1 - reach.size)[0]
    return int(step.attributes.get("pads", [0] * 2 * rank)[reach.dim - 2])


def deconvolution(step: Step) -> Sequence[Reaches]:
    """ConvTranspose."""
    _others(step)
    kernel = step.attributes.get("kernel_shape", step.shapes[1][2:])
    answer: Reaches = {}
    for axis, reach in step.reaches[0].items():
        if reach.dim < 2:
            answer.update(_beside(step, axis, reach, channels=True))
            continue
        place = reach.dim - 2
        size, stride, dilation = _window_of(step, place, kernel)
        count, kind = _size(step, reach.dim), step.text("auto_pad", "NOTSET")
        begin = int(step.attributes.get("pads", [0] * 2 * len(kernel))[place])
        if kind.startswith("SAME") or "output_shape" in step.attributes:
            extra = step.attributes.get("output_padding", [0] * len(kernel))[place]
            # Unless it is SAME_UPPER, the larger half stands at the beginning.
            kind = kind if kind == "SAME_UPPER" else "SAME_LOWER"
            begin = same_pads(kind, stride * (reach.size - 1) + extra + (size - 1) * dilation + 1 - count)[0]
        taps = transposed(reach.size, count, size, stride, dilation, begin)
        answer[axis] = read(reach, *taps, Fraction(stride))
    return [step.checked(answer)]


def resize(step: Step) -> Sequence[Reaches]:
    """Resize and Upsample; sizes and scales must be known, they may be computed from the frame's size."""
    rank, old = len(step.shapes[0]), step.kind == "Upsample" or step.opset < 11
    axes = [axis % rank for axis in step.attributes.get("axes", range(rank))]
    scales = step.constant(1 if old else 2)
    if "scales" in step.attributes:
        told = list(step.attributes["scales"])
    else:
        told = [] if scales is None else [float(scale) for scale in scales.reshape(-1)]
    known = bool(told) or (not old and step.constant(3) is not None)
    kind = step.text("mode", "nearest")
    coordinates = step.text("coordinate_transformation_mode", "asymmetric" if old else "half_pixel")
    odd = step.text("keep_aspect_ratio_policy", "stretch") != "stretch" or step.attributes.get("exclude_outside", 0)
    if not known or odd or coordinates == "tf_crop_and_resize" or kind not in ("nearest", "linear", "cubic"):
        step.say("resizes in a way that is not followed")
        return [{}]
    answer: Reaches = {}
    for axis, reach in step.reaches[0].items():
        count = _size(step, reach.dim)
        scale = told[axes.index(reach.dim)] if told and reach.dim in axes else count / reach.size
        if scale == 1 and count == reach.size:
            answer[axis] = reach
            continue
        if coordinates == "align_corners":
            step.say(f"ties its places along {axis} to the frame's size (align_corners)")
        elif rounds(scale, kind):
            step.say(f"interpolates by {scale:g} along {axis}: its weights are rounded differently from place to place")
        nearest = step.text("nearest_mode", "floor" if old else "round_prefer_floor")
        taps = resized(reach.size, count, scale, kind, coordinates, nearest, bool(step.attributes.get("antialias", 0)))
        factor = as_fraction(scale) if told else Fraction(count, reach.size)
        answer[axis] = read(reach, *taps, factor)
    return [step.checked(answer)]


def pad(step: Step) -> Sequence[Reaches]:
    rank, pads = len(step.shapes[0]), step.ints(1, "pads")
    if pads is None:
        step.say("pads by numbers that are not known beforehand")
        return [{}]
    chosen = step.ints(3) if step.given(3) else list(range(rank))
    begins = {axis % rank: pads[place] for place, axis in enumerate(chosen or [])}
    mode = step.text("mode", "constant")
    answer: Reaches = {}
    for axis, reach in step.reaches[0].items():
        count, begin = _size(step, reach.dim), begins.get(reach.dim, 0)
        if begin == 0 and count == reach.size:
            answer[axis] = reach
            continue
        if mode == "wrap":
            step.say(f"puts one end of {axis} beside the other")
        answer[axis] = read(reach, *padded(reach.size, count, begin, mode))
    return [step.checked(answer)]


def depth_to_space(step: Step) -> Sequence[Reaches]:
    """DepthToSpace and SpaceToDepth."""
    block = step.attributes["blocksize"]
    answer: Reaches = {}
    for axis, reach in step.reaches[0].items():
        if reach.dim < 2:
            answer.update(_beside(step, axis, reach, channels=True))
        elif step.kind == "DepthToSpace":
            taps = resized(reach.size, reach.size * block, block, "nearest", "asymmetric", "floor", False)
            answer[axis] = read(reach, *taps, Fraction(block))
        else:
            taps = sliding(reach.size, reach.size // block, block, block, 1, 0)
            answer[axis] = read(reach, *taps, Fraction(1, block))
    return [step.checked(answer)]


def _beside(step: Step, axis: str, reach: Reach, channels: bool) -> Reaches:
    """An axis of the frame that lies along the batch (0) or the channels (1)."""
    if reach.dim == 0 or not channels:
        return {axis: reach}
    if reach.size > 1:
        step.say(f"takes all of {axis} together")
    return {}


def _others(step: Step) -> None:
    if any(step.reaches[1:]):
        step.say("has weights that come from the frame")


def _window_of(step: Step, place: int, kernel: Sequence[int]) -> tuple[int, int, int]:
    ones = [1] * len(kernel)
    strides, dilations = step.attributes.get("strides", ones), step.attributes.get("dilations", ones)
    return int(kernel[place]), int(strides[place]), int(dilations[place])


def _size(step: Step, dim: int) -> int:
    shape = step.outputs[0]
    assert shape is not None  # what is walked has shapes, or a reason was said
    return shape[dim]


WINDOWS: dict[str, Rule] = {
    **dict.fromkeys(("Conv", "ConvInteger", "QLinearConv"), convolution),
    **dict.fromkeys(("MaxPool", "AveragePool", "LpPool"), pooling),
    "ConvTranspose": deconvolution,
    "Resize": resize,
    "Upsample": resize,
    "Pad": pad,
    "DepthToSpace": depth_to_space,
    "SpaceToDepth": depth_to_space,
}
