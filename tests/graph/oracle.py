"""What bioimageio.core predicts: the oracle of compiled graphs.

Where bioimageio.core 0.11 itself is not what its format says, or refuses (kept here so that nobody has to find out
again; `staged` does what is meant, with core's own operators):

- scale_range and zero_mean_unit_variance ignore the `eps` of the description and take 1e-6.
- Without `axes` a statistic is one of the "data set": a running mean over all samples that a pipeline has seen. A
  pipeline is made anew for every prediction here, so that it is the sample's own; but clip's percentiles are then
  `linear` instead of `inverted_cdf`, as with `axes` that hold "batch".
- Statistics of outputs are looked for before the network has run: scale_range, clip by percentile,
  zero_mean_unit_variance and scale_mean_variance after the network raise a KeyError (unless they all refer to inputs).
- binarize along an axis compares with a plain list, which broadcasts against the last axis, whatever `axis` says.
- ensure_dtype is NumPy's astype: floats out of an integer's range are whatever the compiler makes of them.
- Statistics of float32 tensors are float32 (those of integers float64): off by 1e-5 of the range of images that lie
  high above zero. They are handed over as float64 here, which the first step makes float32 again.
- Format 0.4: an output is cast to the described dtype before its postprocessing and to float32 after it; the converter
  to 0.5 drops `reference_tensor` and the mode per_dataset of scale_range.
- The halo is padded before the statistics are taken (symmetric), so that they are not the frame's own, and cropped
  after the postprocessing.
- Sizes that the description does not allow are not refused: they reach the network as they are. Only blockwise
  prediction pads, to whole blocks.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from bioimageio.core import Sample

Array = npt.NDArray[Any]
Pads = Mapping[str, tuple[int, int]]
"""By axis id: pixels of halo on either side (the edge pixel twice, as core pads it), and pixels of reflection at the
end that fill up to a size that the network takes."""


def core_prediction(folder: Path, inputs: Mapping[str, Array], *, halo: bool = False) -> dict[str, Array]:
    """bioimageio.core's prediction of a whole sample; arrays by tensor id, in the axes of the description.

    `halo` pads the inputs by what the outputs' halos say and crops the outputs, as core does unless told otherwise.
    """
    model = _model(folder)
    with _quiet():  # not `with` the pipeline: leaving it collects garbage, a quarter of a second each time
        predicted = _pipeline(model).predict_sample_without_blocking(
            _sample(model, inputs), skip_input_padding=not halo, skip_output_cropping=not halo
        )
    return _arrays(predicted)


def staged(
    folder: Path,
    inputs: Mapping[str, Array],
    pads: Pads | None = None,
    *,
    measured: Mapping[str, Array] | None = None,
    threshold: Literal["", "before", "after"] = "",
    nudged: bool = False,
) -> dict[str, Array]:
    """The same stage by stage, with core's operators: statistics of the inputs as they come, preprocessing, padding,
    the network by ONNX Runtime, the crop, statistics of the outputs as they come, postprocessing.

    Takes sizes that the network does not, and statistics of outputs. `measured` are other tensors that the statistics
    of the inputs are taken of. `threshold` asks for what there is just before the first threshold of the steps "before"
    or "after" the network. `nudged`: every float that the network is fed with is the next one, above or below.
    """
    from bioimageio.core.proc_ops import Binarize, UpdateStats
    from bioimageio.core.proc_setup import setup_pre_and_postprocessing

    model = _model(folder)
    with _quiet():
        sample = _sample(model, inputs)
        before, after = setup_pre_and_postprocessing(model, ())
        operators = [_along_axis(op) for op in before if not isinstance(op, UpdateStats)]
        after = [_along_axis(op) for op in after]
        measures = {measure for op in (*operators, *after) for measure in op.required_measures}
        _measure(sample, measures)
        if measured is not None:
            other = _sample(model, measured)
            _measure(other, measures)
            sample.stat.update(other.stat)
        for op in operators:
            if threshold == "before" and isinstance(op, Binarize):
                return _arrays(sample)
            op(sample)
        made = _forward(model, folder, sample, pads or {}, nudged)
        made.stat.update(sample.stat)
        _measure(made, measures)
        for op in after:
            if threshold == "after" and isinstance(op, Binarize):
                break
            op(made)
    return _arrays(made)


def _arrays(sample: Sample) -> dict[str, Array]:
    return {str(name): tensor.to_numpy() for name, tensor in sample.members.items()}


def _forward(model: Any, folder: Path, sample: Sample, pads: Pads, nudged: bool) -> Sample:
    """The raw network, fed padded inputs; its outputs without what was padded."""
    from bioimageio.core import Sample, Tensor
    from bioimageio.core.digest_spec import get_axes_infos, get_member_ids

    fed: list[Array] = []
    sizes: dict[str, int] = {}
    for name, description in zip(get_member_ids(model.inputs), model.inputs, strict=True):
        axes = [str(info.id) for info in get_axes_infos(description)]
        array = sample.members[name].to_numpy()
        sizes.update(zip(axes, array.shape, strict=True))
        array = np.pad(array, [(pads.get(axis, (0, 0))[0],) * 2 for axis in axes], mode="symmetric")
        fed.append(np.pad(array, [(0, pads.get(axis, (0, 0))[1]) for axis in axes], mode="reflect"))
    if nudged:
        fed = [_nudged(each) if each.dtype.kind == "f" else each for each in fed]
    weights = folder / str(model.weights.onnx.source.path)
    session = _session(weights, weights.stat().st_mtime_ns)
    ports = [port.name for port in session.get_inputs()]
    outputs = session.run(None, dict(zip(ports, fed, strict=True)))
    members = {}
    for name, description, array in zip(get_member_ids(model.outputs), model.outputs, outputs, strict=True):
        axes = [str(info.id) for info in get_axes_infos(description)]
        cut = [slice(None)] * len(axes)
        for at, axis in enumerate(axes):
            halo, fill = pads.get(axis, (0, 0))
            if halo or fill:
                described = None if isinstance(description.axes, str) else description.axes[at]  # format 0.4
                factor, offset = _factor(described, array.shape[at], sizes[axis] + 2 * halo + fill)
                cut[at] = slice(round(halo * factor), round(halo * factor) + int(sizes[axis] * factor) + offset)
        members[name] = Tensor(array[tuple(cut)], dims=axes)
    return Sample(members=members, stat={}, id=sample.id)


def _nudged(array: Array) -> Array:
    """Each number's neighbour, above or below."""
    ends = np.random.default_rng(0).choice([-np.inf, np.inf], array.shape).astype(array.dtype)
    return np.asarray(np.nextafter(array, ends))


def _factor(described: Any, out: int, size: int) -> tuple[float, int]:
    """Output pixels per input pixel, and how many there are beside these.

    As described where the size follows another axis; else the power of two that is nearest, and 1 for what has lost
    less than half of its pixels.
    """
    if hasattr(getattr(described, "size", None), "axis_id"):
        factor = 1 / float(described.scale)
    else:
        factor = 1.0 if 0.5 < out / size < 2 else float(2.0 ** round(np.log2(out / size)))
    return factor, out - int(size * factor)


def _along_axis(op: Any) -> Any:
    """binarize with thresholds along the axis that it states, which core leaves to broadcasting."""
    import dataclasses

    import xarray
    from bioimageio.core.proc_ops import Binarize

    if isinstance(op, Binarize) and op.axis is not None:
        along: Any = xarray.DataArray(op.threshold, dims=[op.axis])
        return dataclasses.replace(op, threshold=along)
    return op


def _measure(sample: Sample, measures: Any) -> None:
    """Add the statistics of those tensors that the sample has."""
    from bioimageio.core.stat_calculators import StatsCalculator

    own = {measure for measure in measures if measure.member_id in sample.members}
    if own:
        sample.stat.update(StatsCalculator(own).update_and_get_all(sample))


def _model(folder: Path) -> Any:
    rdf = folder / "rdf.yaml"
    return _loaded(rdf, rdf.stat().st_mtime_ns)


@lru_cache(maxsize=8)
def _loaded(rdf: Path, _changed: int) -> Any:
    from bioimageio.spec import InvalidDescr, load_description

    with _quiet():
        model = load_description(rdf, perform_io_checks=False)
    if isinstance(model, InvalidDescr):
        raise ValueError(f"{rdf} is no package: {model.validation_summary.format()}")
    return model


def _pipeline(model: Any) -> Any:
    from bioimageio.core import create_prediction_pipeline

    return create_prediction_pipeline(model, weights_format="onnx", devices=["CPUExecutionProvider"])


def _sample(model: Any, inputs: Mapping[str, Array]) -> Sample:
    from bioimageio.core import Sample, Tensor
    from bioimageio.core.digest_spec import get_axes_infos, get_member_id

    members = {}
    for one in model.inputs:
        array = inputs[str(get_member_id(one))]
        exact = array.astype(np.float64) if array.dtype == np.float32 else array
        members[get_member_id(one)] = Tensor(exact, dims=[info.id for info in get_axes_infos(one)])
    return Sample(members=members, stat={}, id="sample")


@lru_cache(maxsize=8)
def _session(path: Path, _changed: int) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def _quiet() -> warnings.catch_warnings[None]:
    from loguru import logger

    logger.disable("bioimageio.core")
    logger.disable("bioimageio.spec")
    return warnings.catch_warnings(action="ignore")
