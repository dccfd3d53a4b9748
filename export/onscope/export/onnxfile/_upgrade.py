"""An ONNX graph in another opset: onnx's version converter, what it gets wrong put right, what is deprecated said."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from onscope.runtime import ExportError
from onscope.runtime.graph import count_from_corners

from .._original import one_line
from ._graph import DEFAULT_DOMAINS, copied, nodes_of, opset_of

if TYPE_CHECKING:
    from onnx import ModelProto, NodeProto

HALF_PIXELS = 11
"""The opset from which on Resize says how it counts pixels; before, the first one lay at 0."""
NEWEST_OPSET = 23
"""The newest that an export is written in."""
DEPRECATED = "tf_half_pixel_for_nn"


class Brought(NamedTuple):
    """A graph in another opset, and what changed in words."""

    model: ModelProto
    notes: tuple[str, ...]


def brought(model: ModelProto, opset: int) -> Brought:
    """The graph in `opset`, its answers the same; raises ExportError when onnx cannot bring it there.

    A newer opset becomes an older one where every operator is the same in both, as far as onnx's checks can tell; the
    proof compares what both answer.
    """
    own = opset_of(model)
    notes = _told(model) if own < opset else []
    try:
        if own < opset:
            changed = _converted(model, opset)
        elif own > opset:
            changed = _labelled(model, opset)
            notes.append(f"written in opset {own}, labelled as opset {opset}: its operators are in both")
        else:
            changed = copied(model)
    except Exception as error:  # RuntimeError, ConvertError and errors of C++ assertions
        what = "bring" if own < opset else "take back"
        newer = f", or give --opset {own}" if opset < own <= NEWEST_OPSET else ""
        raise ExportError(
            f"found a network in opset {own} that onnx cannot {what} to {opset} ({one_line(error, 160)}), expected "
            f"one that it can: export it again in opset {opset}{newer}"
        ) from error
    return Brought(changed, (*notes, *_half_pixels(changed)))


def _converted(model: ModelProto, opset: int) -> ModelProto:
    """By onnx's adapters; what they leave behind (the bodies of If and Loop) is often gone once the graph is folded."""
    try:
        return _adapted(model, opset)
    except Exception:
        import onnxslim

        folded = onnxslim.slim(copied(model))
        if folded is None:
            raise
        return _adapted(folded, opset)


def _adapted(model: ModelProto, opset: int) -> ModelProto:
    import onnx
    from onnx import version_converter

    others = {entry.domain: entry for entry in model.opset_import if entry.domain not in DEFAULT_DOMAINS}
    sized = onnx.shape_inference.infer_shapes(model)  # some adapters ask for the number of axes
    changed = version_converter.convert_version(sized, opset)
    if opset_of(model) < HALF_PIXELS:
        count_from_corners(changed)
    kept = {entry.domain for entry in changed.opset_import}
    changed.opset_import.extend(entry for domain, entry in others.items() if domain not in kept)
    del changed.graph.value_info[:]
    onnx.checker.check_model(changed, full_check=True)
    return changed


def _labelled(model: ModelProto, opset: int) -> ModelProto:
    import onnx

    changed = copied(model)
    for entry in changed.opset_import:
        if entry.domain in DEFAULT_DOMAINS:
            entry.version = opset
    del changed.graph.value_info[:]
    sized = onnx.shape_inference.infer_shapes(changed, strict_mode=True)  # outputs without a stated number of axes
    onnx.checker.check_model(sized, full_check=True)
    return sized


def _told(model: ModelProto) -> list[str]:
    """What operators of old opsets become."""
    kinds = {node.op_type for node in nodes_of(model.graph)}
    own = opset_of(model)
    notes = []
    if "Upsample" in kinds:
        notes.append(
            "Upsample is deprecated since opset 10: it became a Resize that counts pixels from the corner "
            "(asymmetric), which is equal here (see the proof)"
        )
    if "Resize" in kinds and own < HALF_PIXELS:
        notes.append(
            f"Resize of opset {own} does not say how it counts pixels: it became one that counts from the corner "
            "(asymmetric), which is equal here (see the proof)"
        )
    return notes


def _half_pixels(model: ModelProto) -> list[str]:
    """Replace, in place, what is deprecated of Resize and has an equal; say what was replaced and what is kept.

    tf_half_pixel_for_nn takes the pixel at (i + 0.5) / scale; rounded down that is half_pixel's (i + 0.5) / scale - 0.5
    rounded to the nearest, halves up.
    """
    notes = []
    for node in nodes_of(model.graph):
        if node.op_type != "Resize" or _word(node, "coordinate_transformation_mode") != DEPRECATED:
            continue
        kind, nearest = _word(node, "mode") or "nearest", _word(node, "nearest_mode")
        if kind == "nearest" and nearest == "floor":
            _set(node, "coordinate_transformation_mode", "half_pixel")
            _set(node, "nearest_mode", "round_prefer_ceil")
            said = "replaced by half_pixel, rounded up, which is equal here (see the proof)"
        else:
            said = f"kept in {kind} mode, which not every engine takes: export the network again with half_pixel"
        notes.append(f"Resize with {DEPRECATED} is deprecated since opset 13: it was {said}")
    return list(dict.fromkeys(notes))


def _word(node: NodeProto, name: str) -> str:
    return next((attribute.s.decode() for attribute in node.attribute if attribute.name == name), "")


def _set(node: NodeProto, name: str, word: str) -> None:
    for attribute in node.attribute:
        if attribute.name == name:
            attribute.s = word.encode()
