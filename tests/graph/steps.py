"""Runs one step: as nodes by ONNX Runtime or ONNX's reference, and as bioimageio.core's own operator."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime
from bioimageio.core import AxisId, Sample, Tensor
from bioimageio.core.common import MemberId
from bioimageio.core.proc_ops import get_proc
from bioimageio.core.stat_calculators import compute_measures
from bioimageio.spec.model import v0_5
from onnx import helper
from onnx.reference import ReferenceEvaluator

from onscope.runtime.graph._draft import IR_VERSION, OPSET, Draft, Value
from onscope.runtime.graph._types import Statistic
from onscope.runtime.graph.statistics._in_graph import statistic_node
from onscope.runtime.graph.steps import apply_step
from onscope.runtime.package import Step
from onscope.runtime.package._description import make_step

Array = npt.NDArray[Any]
AXES = ("batch", "channel", "y", "x")
DESCRIBED = {
    "binarize": v0_5.BinarizeDescr,
    "clip": v0_5.ClipDescr,
    "ensure_dtype": v0_5.EnsureDtypeDescr,
    "fixed_zero_mean_unit_variance": v0_5.FixedZeroMeanUnitVarianceDescr,
    "scale_linear": v0_5.ScaleLinearDescr,
    "scale_mean_variance": v0_5.ScaleMeanVarianceDescr,
    "scale_range": v0_5.ScaleRangeDescr,
    "sigmoid": v0_5.SigmoidDescr,
    "softmax": v0_5.SoftmaxDescr,
    "zero_mean_unit_variance": v0_5.ZeroMeanUnitVarianceDescr,
}


class Written:
    """A graph of steps behind one input, with the statistics taken in the graph or given by the host."""

    def __init__(self, arrays: Mapping[str, Array], axes: Sequence[str], on_host: bool, opset: int = OPSET) -> None:
        self.draft, self._on_host, self._arrays = Draft("test.", opset), on_host, arrays
        self.inputs = {
            name: Value(
                self.draft.input(name, array.dtype.name, array.shape), array.dtype.name, tuple(axes), array.shape
            )
            for name, array in arrays.items()
        }

    def statistic(self, wanted: Statistic) -> str:
        source = self.inputs[wanted.tensor or "own"]
        if not self._on_host:
            return statistic_node(self.draft, source, wanted)
        exact = measured(self._arrays[wanted.tensor or "own"], source.axes, wanted)
        near = exact.astype(np.float32)
        return self.draft.constant(near if wanted.part == "value" else (exact - near).astype(np.float32))

    def run(self, value: Value, reference: bool = False) -> Array:
        self.draft.output(value, "answer")
        graph = helper.make_graph(
            self.draft.nodes, "test", self.draft.inputs, self.draft.outputs, self.draft.initializers
        )
        model = helper.make_model(
            graph, opset_imports=[helper.make_opsetid("", self.draft.opset)], ir_version=IR_VERSION
        )
        onnx.checker.check_model(model, full_check=True)
        if reference:
            return np.asarray(ReferenceEvaluator(model).run(None, dict(self._arrays))[0])  # type: ignore[index]
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.log_severity_level = 4
        session = onnxruntime.InferenceSession(model.SerializeToString(), options, ["CPUExecutionProvider"])
        return np.asarray(session.run(None, dict(self._arrays))[0])


def measured(array: Array, axes: Sequence[str], wanted: Statistic) -> Array:
    """The statistic in float64, by NumPy, with all axes kept."""
    over = tuple(at for at, axis in enumerate(axes) if axis not in wanted.keeps)
    wide = array.astype(np.float64)
    if wanted.kind == "percentile":
        return np.asarray(np.quantile(wide, wanted.percentile / 100, over, method=wanted.method, keepdims=True))
    return np.asarray((np.mean if wanted.kind == "mean" else np.std)(wide, axis=over, keepdims=True))


def ours(
    step: Step | Sequence[Step], array: Array, axes: Sequence[str] = AXES, on_host: bool = True,
    reference: bool = False, **others: Array,
) -> Array:  # fmt: skip
    """What the graph of the step (or of several) answers."""
    written = Written({"own": array, **others}, axes, on_host)
    value = written.inputs["own"]
    for each in [step] if isinstance(step, Step) else step:
        value = apply_step(written.draft, value, each, written.statistic)
    return written.run(value, reference)


def cores(step: Step | Sequence[Step], array: Array, axes: Sequence[str] = AXES, **others: Array) -> Array:
    """What bioimageio.core's operators answer, with all statistics of the tensors as they come."""
    arrays = {"own": array, **others}
    ids = [AxisId(axis) for axis in axes]
    members = {MemberId(name): Tensor(each, dims=ids) for name, each in arrays.items()}
    sample = Sample(members=members, stat={}, id="s")
    steps = [step] if isinstance(step, Step) else step
    described = v0_5.InputTensorDescr.model_construct(id=v0_5.TensorId("own"))
    operators: list[Any] = [get_proc(describe(each), described) for each in steps]
    needed = {measure for operator in operators for measure in operator.required_measures}
    sample.stat = compute_measures(needed, [sample])
    for operator in operators:
        operator(sample)
    return np.asarray(sample.members[MemberId("own")].data.to_numpy())


def describe(step: Step) -> Any:
    """The specification's own node of a step."""
    kwargs = {key: _listed(each) for key, each in step.arguments.items() if each is not None}
    return DESCRIBED[step.id](id=step.id, **({"kwargs": kwargs} if kwargs else {}))


def step(id: str, **arguments: Any) -> Step:
    return make_step(id, arguments)


def difference(found: Array, expected: Array) -> float:
    """Largest difference, as a fraction of the expected range."""
    expected = expected.astype(np.float64)
    span = float(expected.max() - expected.min()) or max(1.0, float(np.abs(expected).max()))
    return float(np.abs(found.astype(np.float64) - expected).max()) / span


def _listed(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value
