"""Cut a network's outputs back to what the frame asks for, when what it was given was padded."""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from .._errors import PipelineError
from ..package import Axis, SizeReference, TensorDescription
from ._draft import Draft, Value
from .field import receptive_field

if TYPE_CHECKING:
    from onnx import ModelProto

    from ._pad import Padding

Scale = tuple[float, int]
"""Of an output: pixels per pixel of the input, and how many fewer come out (networks without padding)."""
NONE: Mapping[str, Scale] = MappingProxyType({})


def crop(
    draft: Draft,
    value: Value,
    output: TensorDescription,
    source: TensorDescription,
    grown: Mapping[str, Padding],
    scales: Mapping[str, Scale] = NONE,
) -> Value:
    """An output of the network without what the padding of `source` added to it.

    An axis that follows one of the input's keeps size * factor + offset pixels of it, from behind the halo; one of a
    fixed size keeps its part where the input's is fixed too, as `scales` says of it (see `fixed_scales`). Others stay
    as they are. Raises PipelineError where nothing would be left.
    """
    starts, ends, places = [], [], []
    shape = list(value.shape)
    for at, axis in enumerate(output.described):
        kept = _kept(output, axis.id, source, grown, scales)
        if kept is None or shape[at] == kept[1] - kept[0]:
            continue
        starts.append(kept[0])
        ends.append(kept[1])
        places.append(at)
        shape[at] = kept[1] - kept[0]
    if not places:
        return value
    limits = [draft.constant(each, "int64") for each in (starts, ends, places)]
    return Value(draft.node("Slice", [value.name, *limits], "cropped"), value.dtype, value.axes, tuple(shape))


def reference(axis: Axis, source: TensorDescription) -> SizeReference | None:
    """The axis of `source` that an output's axis follows, and how; None when it follows none of it.

    Of a square input (x as large as y) the outputs' x may be described as following y: it follows x all the same,
    since a frame that is not square is padded by different widths.
    """
    follows = axis.size.follows
    if follows is None or follows.tensor != source.name:
        return None
    own = source.axis(axis.id)
    between = own.size.follows if own else None
    if between is None or (between.tensor, between.axis) != (source.name, follows.axis):
        return follows
    factor = follows.factor / between.factor
    return SizeReference(source.name, axis.id, factor, follows.offset - round(between.offset * factor))


def _kept(
    output: TensorDescription,
    id: str,
    source: TensorDescription,
    grown: Mapping[str, Padding],
    scales: Mapping[str, Scale],
) -> tuple[int, int] | None:
    axis = output.axis(id)
    if axis is None:
        return None
    follows = reference(axis, source)
    if follows:
        if follows.axis not in grown:
            return None
        padding = grown[follows.axis]
        start = round(padding.halo * follows.factor)
        return start, start + follows.size(padding.size)
    own = source.axis(id)
    if axis.kind != "space" or axis.size.fixed is None or own is None or own.size.fixed is None or id not in grown:
        return None
    padding = grown[id]
    factor, lost = scales.get(id) or likely_scale(own.size.fixed, axis.size.fixed)
    start, size = round(padding.halo * factor), math.floor(padding.size * factor + 1e-6) - lost
    if size < 1:
        raise PipelineError(
            f"found {padding.size} pixels along {id}, of which none are left in {output.name!r}: it has {lost} fewer "
            f"than its input, expected more than {lost / factor:g}: make the camera's region larger"
        )
    return start, start + size


def likely_scale(before: int, after: int) -> Scale:
    """Of an output of `after` pixels for `before`: no network scales by less than 2, but many lose their borders."""
    return (1.0, before - after) if 0.5 < after / before < 2 else (after / before, 0)


def fixed_scales(
    model: ModelProto,
    output: TensorDescription,
    source: TensorDescription,
    fed: Value,
    grown: Mapping[str, Padding],
) -> dict[str, Scale]:
    """The scales of those axes whose sizes are fixed and different in and out, where they were padded.

    The description says 24 -> 20 of a network that loses two pixels at either end as of one that scales by 5/6: what
    the operators do says which. Axes that it cannot tell of are left out.
    """
    asked = {}
    for axis in output.described:
        own, padding = source.axis(axis.id), grown.get(axis.id)
        if own is None or padding is None or padding.padded == padding.size:
            continue
        if None not in (own.size.fixed, axis.size.fixed) and own.size.fixed != axis.size.fixed:
            asked[axis.id] = source.axes.index(axis.id)
    if not asked or None in fed.shape:
        return {}
    shape = [size or 1 for size in fed.shape]
    field = receptive_field(model, output.graph_name, source.graph_name, asked, shape)
    if field is None:
        return {}
    return {id: (float(axis.scale), axis.cropped) for id, axis in field.axes.items()}
