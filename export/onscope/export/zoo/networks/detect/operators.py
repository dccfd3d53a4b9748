"""RoIAlign and non-maximum suppression: in PyTorch as they are defined, in ONNX as its own operators.

RoIAlign: K. He et al., "Mask R-CNN", ICCV 2017, arXiv:1703.06870. Boxes are y0, x0, y1, x1, counted from the edge of
the first pixel, so that pixel n reaches from n to n + 1 and its middle is at n + 0.5 (ONNX: half_pixel).

Both are operators of their own for PyTorch (torch.library), which its exporter keeps in one piece; a network that uses
them says in `onnx_translations` what they are in ONNX.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor


@torch.library.custom_op("onscope::roi_align", mutates_args=())
def roi_align(maps: Tensor, boxes: Tensor, images: Tensor, scale: float, side: int, samples: int) -> Tensor:
    """What maps (b, c, y, x) hold in boxes (n, 4), each cut into side x side bins: (n, c, side, side).

    `images` (n,), int64, says in which map a box is, `scale` how many pixels of the map one of the frame is. A bin is
    the mean of samples x samples points of a regular grid, read bilinearly. Points up to one pixel outside of the map
    have the values at its rim, others are 0.
    """
    return _aligned(maps, boxes, images, scale, side, samples)


@roi_align.register_fake
def _(maps: Tensor, boxes: Tensor, images: Tensor, scale: float, side: int, samples: int) -> Tensor:
    return maps.new_empty(boxes.shape[0], maps.shape[1], side, side)


def _aligned(maps: Tensor, boxes: Tensor, images: Tensor, scale: float, side: int, samples: int) -> Tensor:
    steps = (torch.arange(side * samples, dtype=maps.dtype) + 0.5) / (side * samples)
    first, last = boxes[:, :2] * scale - 0.5, boxes[:, 2:] * scale - 0.5
    places = first[:, :, None] + (last - first)[:, :, None] * steps  # (n, 2, points) along y and x
    rows, columns = (_between(places[:, axis], maps.shape[2 + axis]) for axis in (0, 1))
    found = torch.zeros(())
    for y, weight_y in rows:
        for x, weight_x in columns:
            # (n, points along y, points along x, c): the channels come last where places are looked up.
            values = maps[images[:, None, None], :, y[:, :, None], x[:, None, :]]
            found = found + values * (weight_y[:, :, None] * weight_x[:, None, :])[..., None]
    bins = torch.unflatten(torch.unflatten(found, 1, (side, samples)), 3, (side, samples)).mean(dim=(2, 4))
    return bins.movedim(3, 1).contiguous()


def _between(places: Tensor, size: int) -> list[tuple[Tensor, Tensor]]:
    """The two pixels that each place (n, points) lies between, and how much each counts."""
    inside = ((places >= -1) & (places <= size)).to(places.dtype)
    places = places.clamp(0, size - 1)
    low = places.floor().to(torch.int64)
    high = (low + 1).clamp(max=size - 1)
    part = places - low
    return [(low, (1 - part) * inside), (high, part * inside)]


def _setup(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
    maps, boxes, images, *ctx.numbers = inputs
    ctx.save_for_backward(maps, boxes, images)


def _backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
    maps, boxes, images = ctx.saved_tensors
    with torch.enable_grad():
        given = maps.detach().requires_grad_()
        found = _aligned(given, boxes.detach(), images, *ctx.numbers)
        (back,) = torch.autograd.grad(found, given, gradient)
    return back, None, None, None, None, None  # boxes are proposals: nothing is learned through their places


roi_align.register_autograd(_backward, setup_context=_setup)


@torch.library.custom_op("onscope::nms", mutates_args=())
def nms(boxes: Tensor, scores: Tensor, overlap: float) -> Tensor:
    """Which boxes (g, n, 4) of each of g groups stay, bool (g, n): of those that overlap too much the one that scores.

    By falling score (g, n) a box goes when its intersection over union with one that stays is above `overlap`; of
    equal scores the first goes first. Boxes without an area neither go nor make others go.
    """
    areas = (boxes[..., 2:] - boxes[..., :2]).prod(dim=2)
    groups = torch.arange(boxes.shape[0])
    stays = torch.ones_like(scores, dtype=torch.bool)
    behind = torch.ones_like(stays)  # those that had no turn yet
    for turn in torch.argsort(scores, dim=1, descending=True, stable=True).T:
        box, area = boxes[groups, turn, None], areas[groups, turn, None]
        behind[groups, turn] = False
        shared = torch.minimum(boxes[..., 2:], box[..., 2:]) - torch.maximum(boxes[..., :2], box[..., :2])
        common = shared.clamp(min=0).prod(dim=2)
        union = areas + area - common
        solid = (areas > 0) & (area > 0) & (union > 0)
        rival = solid & (common / torch.where(solid, union, torch.ones_like(union)) > overlap)
        stays &= ~(rival & behind & stays[groups, turn, None])
    return stays


@nms.register_fake
def _(boxes: Tensor, scores: Tensor, overlap: float) -> Tensor:
    return scores.new_empty(scores.shape, dtype=torch.bool)


def onnx_translations() -> dict[Callable[..., Any], Callable[..., Any]]:
    """What both are in ONNX, for `custom_translation_table` of PyTorch's exporter; needs onnxscript."""
    import onnx
    from onnxscript import opset20

    op: Any = opset20  # its annotations are those of constants, not of what is traced

    def roi_align_in_onnx(maps: Any, boxes: Any, images: Any, scale: float, side: int, samples: int) -> Any:
        across = op.Gather(boxes, op.Constant(value_ints=[1, 0, 3, 2]), axis=1)  # ONNX has x before y
        return op.RoiAlign(
            maps, across, images, coordinate_transformation_mode="half_pixel", mode="avg", output_height=side,
            output_width=side, sampling_ratio=samples, spatial_scale=scale,
        )  # fmt: skip

    def nms_in_onnx(boxes: Any, scores: Any, overlap: float) -> Any:
        count = op.Shape(scores, start=1, end=2)
        chosen = op.NonMaxSuppression(
            boxes, op.Unsqueeze(scores, op.Constant(value_ints=[1])), count, op.Constant(value_floats=[overlap])
        )
        # Of each row (group, class, box) the class says nothing. Rows become marks in a table of a known size.
        places = op.Gather(chosen, op.Constant(value_ints=[0, 2]), axis=1)
        ones = op.Expand(op.Constant(value_float=1.0), op.Shape(places, start=0, end=1))
        marks = op.ScatterND(op.ConstantOfShape(op.Shape(scores)), places, ones)
        return op.Cast(marks, to=onnx.TensorProto.BOOL)

    return {
        torch.ops.onscope.roi_align.default: roi_align_in_onnx,
        torch.ops.onscope.nms.default: nms_in_onnx,
    }
