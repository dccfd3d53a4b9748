"""How each ONNX operator reads its input along the frame's axes. Operators not listed here are not trusted."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from ._follow_layout import LAYOUT
from ._follow_windows import WINDOWS
from ._reach import Reach
from ._trace import Reaches, Rule, Step

POINTWISE = """Abs Acos Acosh Asin Asinh Atan Atanh BitwiseNot Cast Ceil Celu Cos Cosh Dropout Elu Erf Exp Floor Gelu
HardSigmoid HardSwish Identity IsInf IsNaN LeakyRelu Log Mish Neg Not Reciprocal Relu Round Selu Shrink Sigmoid Sign Sin
Sinh Softplus Softsign Sqrt Swish Tan Tanh ThresholdedRelu"""
ELEMENTWISE = """Add And BitShift BitwiseAnd BitwiseOr BitwiseXor CastLike Clip Div Equal Greater GreaterOrEqual Less
LessOrEqual Max Mean Min Mod Mul Or PRelu Pow Sub Sum Where Xor"""
REDUCING = """ArgMax ArgMin ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceMax ReduceMean ReduceMin ReduceProd
ReduceSum ReduceSumSquare"""
NORMALISING = """BatchNormalization CumSum GroupNormalization InstanceNormalization LRN LayerNormalization
LpNormalization MeanVarianceNormalization RMSNormalization"""


def follow(step: Step) -> Sequence[Reaches]:
    """What each output of a node depends on; says a reason where it is more than a bounded piece of the frame."""
    if None in step.outputs:
        step.say("gives a shape that is not known beforehand")
        return [{} for _ in step.outputs]
    if step.node.domain not in ("", "ai.onnx") or step.kind not in RULES:
        return unknown(step)
    return RULES[step.kind](step)


def unknown(step: Step) -> Sequence[Reaches]:
    step.say("is not known to look at a bounded piece of the frame")
    alike = [reaches for shape, reaches in zip(step.shapes, step.reaches, strict=True) if shape == step.outputs[0]]
    kept = step.merged(alike) if alike else {}
    return [kept if shape == step.outputs[0] else {} for shape in step.outputs]


def pointwise(step: Step) -> Sequence[Reaches]:
    return [step.reaches[0]] * len(step.outputs)


def elementwise(step: Step) -> Sequence[Reaches]:
    """With NumPy's broadcasting; a constant must be the same all along the frame's axes."""
    shape = step.outputs[0] or ()
    parts: list[Reaches] = []
    for reaches, own in zip(step.reaches, step.shapes, strict=True):
        moved: Reaches = {}
        for axis, reach in reaches.items():
            dim = reach.dim + len(shape) - len(own)
            if reach.size == shape[dim]:
                moved[axis] = reach.at(dim)
            else:
                step.say(f"spreads one place along {axis} over all of them")
        parts.append(moved)
    merged = step.merged(parts)
    for place, (reaches, own) in enumerate(zip(step.reaches, step.shapes, strict=True)):
        for axis, reach in merged.items():
            dim = reach.dim - (len(shape) - len(own))
            if axis not in reaches and dim >= 0 and own[dim] > 1 and not step.uniform(place, dim):
                step.say(f"puts a value of its own to every place along {axis}")
    return [merged] * len(step.outputs)


def whole(step: Step, reaches: Reaches, dims: Collection[int]) -> Reaches:
    """Says so for the axes that lie along these dimensions; what is left depends on places one by one."""
    for axis, reach in reaches.items():
        if reach.dim in dims and reach.size > 1:
            step.say(f"takes all of {axis} together")
    return {axis: reach for axis, reach in reaches.items() if reach.dim not in dims}


def reducing(step: Step) -> Sequence[Reaches]:
    rank = len(step.shapes[0])
    chosen = [step.attributes.get("axis", 0)] if step.kind.startswith("Arg") else step.ints(1, "axes")
    if not chosen:  # all of them, unless an empty list means none
        unknown_ones = chosen is None and step.given(1)
        chosen = [] if step.attributes.get("noop_with_empty_axes", 0) and not unknown_ones else list(range(rank))
    dims = {dim % rank for dim in chosen}
    left = whole(step, step.reaches[0], dims)
    if not step.attributes.get("keepdims", 1):
        left = {axis: reach.at(reach.dim - sum(dim < reach.dim for dim in dims)) for axis, reach in left.items()}
    return [left]


def over_space(step: Step) -> Sequence[Reaches]:
    """Global pooling: every dimension but batch and channel becomes 1."""
    return [whole(step, step.reaches[0], range(2, len(step.shapes[0])))]


def _normalising(step: Step, dims: Collection[int]) -> Sequence[Reaches]:
    """Statistics over these dimensions, then one answer per place."""
    whole(step, step.reaches[0], dims)
    return [step.reaches[0]] * len(step.outputs)


def softmax(step: Step) -> Sequence[Reaches]:
    rank, old = len(step.shapes[0]), step.opset < 13
    axis = step.attributes.get("axis", 1 if old else -1) % rank
    # Before opset 13 everything from the axis on is one row.
    return _normalising(step, range(axis, rank) if old else [axis])


def normalisation(step: Step) -> Sequence[Reaches]:
    rank = len(step.shapes[0])
    spatial = range(2, rank)
    dims: Sequence[int] = {
        "InstanceNormalization": spatial,
        "GroupNormalization": range(1, rank),
        "LayerNormalization": range(step.attributes.get("axis", -1) % rank, rank),
        "RMSNormalization": range(step.attributes.get("axis", -1) % rank, rank),
        "LpNormalization": [step.attributes.get("axis", -1) % rank],
        "CumSum": [int((step.ints(1) or [0])[0]) % rank],
        "LRN": [1],
    }.get(step.kind, [])
    if step.kind == "MeanVarianceNormalization":
        dims = [dim % rank for dim in step.attributes.get("axes", [0, 2, 3])]
    if step.kind == "BatchNormalization":
        dims = range(rank) if step.attributes.get("training_mode", 0) else [1]
    return _normalising(step, dims)


def quantised(step: Step) -> Sequence[Reaches]:
    """QuantizeLinear and DequantizeLinear: a scale for all, or one per index of one dimension."""
    scales = step.shapes[1]
    dim = step.attributes.get("axis", 1) % max(len(step.shapes[0]), 1)
    return _normalising(step, [dim] if scales and max(scales) > 1 else [])


def product(step: Step) -> Sequence[Reaches]:
    """MatMul: the last dimension of the first and the one before the last of the second are summed up."""
    first, second = len(step.shapes[0]), len(step.shapes[1])
    rank = len(step.outputs[0] or ())
    if min(first, second) < 2:
        return unknown(step)
    parts: list[Reaches] = []
    for place, own, summed in ((0, first, first - 1), (1, second, second - 2)):
        left = whole(step, step.reaches[place], [summed])
        moved = {axis: reach.at(reach.dim + rank - own) for axis, reach in left.items()}
        parts.append({axis: reach for axis, reach in moved.items() if _same_size(step, axis, reach)})
        other, others = 1 - place, (second, first)[place]
        for axis, reach in parts[-1].items():
            dim = reach.dim - (rank - others)
            if reach.dim < rank - 2 and dim >= 0 and step.shapes[other][dim] > 1 and axis not in step.reaches[other]:
                step.say(f"has weights of its own for every place along {axis}")
    return [step.merged(parts)]


def _same_size(step: Step, axis: str, reach: Reach) -> bool:
    fits = reach.size == (step.outputs[0] or ())[reach.dim]
    if not fits:
        step.say(f"spreads one place along {axis} over all of them")
    return fits


RULES: dict[str, Rule] = {
    **dict.fromkeys(POINTWISE.split(), pointwise),
    **dict.fromkeys(ELEMENTWISE.split(), elementwise),
    **dict.fromkeys(REDUCING.split(), reducing),
    **dict.fromkeys(("GlobalAveragePool", "GlobalMaxPool", "GlobalLpPool"), over_space),
    **dict.fromkeys(("Softmax", "LogSoftmax", "Hardmax"), softmax),
    **dict.fromkeys(NORMALISING.split(), normalisation),
    **dict.fromkeys(("QuantizeLinear", "DequantizeLinear"), quantised),
    "MatMul": product,
    **LAYOUT,
    **WINDOWS,
}
