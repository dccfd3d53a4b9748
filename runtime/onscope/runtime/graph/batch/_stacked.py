"""Operators with a batch axis of their own, the first: windows are merged into it, and none of them looks along it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._writer import NotBatched, Shape, Writer, alike_only, attribute, given, positive

if TYPE_CHECKING:
    from onnx import NodeProto

STACKED = (
    *("AveragePool", "Conv", "ConvInteger", "ConvTranspose", "DepthToSpace", "GlobalAveragePool", "GlobalLpPool"),
    *("GlobalMaxPool", "GroupNormalization", "InstanceNormalization", "LRN", "LpPool", "QLinearConv", "SpaceToDepth"),
)
"""The first input has the windows; what further ones there are (weights) is alike."""


def stacked(writer: Writer, node: NodeProto) -> None:
    alike_only(writer, node, *range(1, len(node.input)))
    writer.copy(node, [writer.merged(node.input[0]), *node.input[1:]], "merged")


def max_pool(writer: Writer, node: NodeProto) -> None:
    if len(node.output) > 1 and node.output[1]:
        raise NotBatched("which gives places that count through the whole batch")
    stacked(writer, node)


def batch_norm(writer: Writer, node: NodeProto) -> None:
    if attribute(node, "training_mode", 0):
        raise NotBatched("which normalises with the statistics of the batch")
    stacked(writer, node)


def grid_sample(writer: Writer, node: NodeProto) -> None:
    """Two inputs of the same batch axis."""
    writer.copy(node, [writer.merged(node.input[0]), writer.merged(node.input[1])], "merged")


def resize(writer: Writer, node: NodeProto) -> None:
    """Scales of all axes or of some, or sizes; the windows' axis is kept as it is.

    A window without a batch axis gets two more axes: engines enlarge the last ones of four.
    """
    alike_only(writer, node, *range(1, len(node.input)))
    own, out = writer.shape(node.input[0]), writer.shape(node.output[0])
    if given(node, 1) and attribute(node, "coordinate_transformation_mode", b"") == b"tf_crop_and_resize":
        raise NotBatched("which cuts out a region")
    axes = [positive(axis, len(own)) for axis in attribute(node, "axes", [])]
    if len(own) > 2 and own[0] == out[0] and 0 not in axes:
        held = writer.merged(node.input[0])
        writer.copy(node, [held, "", *_resized(writer, node, held, axes, out[1:])], "merged")
        return
    if axes:
        raise NotBatched("which names its axes, the first of a window among them")
    if len(own) > 2 and attribute(node, "mode", b"nearest") != b"nearest":
        raise NotBatched("which mixes places along the first axis of a window")
    held = writer.view(node.input[0], (1, *own))
    made = writer.emit(node, [held, "", *_resized(writer, node, held, [], (1, *out))])[0]
    writer.put_view(node.output[0], made, (1, *out))


def _resized(writer: Writer, node: NodeProto, held: str, axes: list[int], tail: Shape) -> list[str]:
    """The scales and the sizes, of which one is given, for `held` to become (as many, *tail)."""
    if axes:
        return list(node.input[2:])
    if not given(node, 3):
        scales = [float(each) for each in writer.value(node.input[2])]
        return [writer.draft.constant([1.0] * (len(tail) + 1 - len(scales)) + scales, "float32")]
    if attribute(node, "keep_aspect_ratio_policy", b"stretch") != b"stretch":
        raise NotBatched("which keeps the aspect ratio of all axes")
    draft = writer.draft
    first = draft.node("Shape", [held], start=0, end=1)
    return ["", draft.node("Concat", [first, draft.constant(tail, "int64")], axis=0)]
