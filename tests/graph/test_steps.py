"""Every step as nodes against bioimageio.core's own operator on the same arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from onscope.runtime._errors import PackageError
from onscope.runtime.graph._draft import Draft, Value
from onscope.runtime.graph._fold import wanted
from onscope.runtime.graph._types import Statistic
from onscope.runtime.graph.steps import DECODERS, STEPS, apply_step, is_decoder, needs
from onscope.runtime.package import Axis, Step, TensorDescription, make_step
from tests.graph.steps import AXES, DESCRIBED, Written, cores, difference, ours, step

pytestmark = [
    pytest.mark.filterwarnings("ignore:Computed dataset percentiles"),
    pytest.mark.filterwarnings("ignore:overflow encountered"),
]

OWN_STEP = "inverse_scale_range"
"""Of config.onscope.denormalise; the format has no such step."""
AGREES = 1e-5
"""Largest difference from bioimageio.core, as a fraction of its answer's range."""
ROUNDED = 2.0**-22
"""Some roundings to float32, as a fraction of the number."""
NUMBERS = st.floats(-100, 100, allow_nan=False).map(lambda each: round(each, 3))
JOINTLY = st.sampled_from([None, ("y", "x"), ("channel", "y", "x"), ("batch", "y", "x"), ("x",)])
DTYPES = ["uint8", "uint16", "float32"]


@st.composite
def tensors(draw: st.DrawFn, dtypes: list[str] = DTYPES, channels: int | None = None) -> np.ndarray:
    """(batch, channel, y, x): full range, small spread on a large offset, or all alike."""
    generator = np.random.default_rng(draw(st.integers(0, 1 << 30)))
    shape = (1, channels or draw(st.integers(1, 3)), draw(st.integers(1, 12)), draw(st.integers(1, 12)))
    dtype = draw(st.sampled_from(dtypes))
    if dtype == "float32":  # in float32 itself bioimageio.core loses what a small spread needs
        low, spread = draw(st.sampled_from([(0.0, 1.0), (-3.0, 8.0), (100.0, 50.0), (0.5, 0.0)]))
        return (generator.random(shape) * spread + low).astype(np.float32)
    low, high = draw(st.sampled_from([(0, 255), (200, 210), (7, 7)]))
    if dtype == "uint16":
        low, high = draw(st.sampled_from([(0, 65535), (65520, 65535), (40000, 40002), (30000, 30000), (100, 4095)]))
    return generator.integers(low, high + 1, shape).astype(dtype)


@st.composite
def percentiles(draw: st.DrawFn) -> tuple[float, float]:
    low = draw(st.sampled_from([0.0, 0.1, 1.0, 5.0, 25.0]))
    high = draw(st.sampled_from([100.0, 99.99, 99.8, 95.0, 60.0]))
    return low, high


def alike(made: Step | list[Step], array: np.ndarray, **others: Any) -> None:
    """The graph agrees with bioimageio.core with statistics from the host and, where it has any, from the graph."""
    expected = cores(made, array, **others)
    for on_host in (True, False):
        found = ours(made, array, on_host=on_host, **others)
        assert found.shape == expected.shape
        assert np.all(np.isfinite(found))
        error = np.abs(found.astype(np.float64) - expected.astype(np.float64)).max()
        largest = np.abs(expected).max()
        span = float(expected.max()) - float(expected.min()) or largest
        # an answer is a float32, whose own steps may be larger: those of 65533 are 1 / 256
        assert error <= AGREES * span + ROUNDED * largest, (made, on_host)


@settings(max_examples=50, deadline=None)
@given(tensors(), percentiles(), JOINTLY)
def test_scale_range(array: np.ndarray, ends: tuple[float, float], axes: Any) -> None:
    alike(step("scale_range", min_percentile=ends[0], max_percentile=ends[1], axes=axes), array)


@settings(max_examples=50, deadline=None)
@given(tensors(), JOINTLY)
def test_zero_mean_unit_variance(array: np.ndarray, axes: Any) -> None:
    assume(array.dtype != np.float32 or np.ptp(array) > 0)  # bioimageio.core's float32 mean of equal numbers is another
    made = step("zero_mean_unit_variance", axes=axes)
    spreads = array.astype(np.float64).std(axis=None if axes is None else tuple(AXES.index(each) for each in axes))
    if array.dtype == np.float32 and np.min(spreads) == 0:
        assert np.all(np.isfinite(ours(made, array, on_host=False)))
        return
    alike(made, array)


@settings(max_examples=30, deadline=None)
@given(tensors(["uint16", "float32"], 2), tensors(["uint16", "float32"], 2), st.sampled_from([None, ("y", "x")]))
def test_scale_mean_variance(array: np.ndarray, reference: np.ndarray, axes: Any) -> None:
    assume(array.astype(np.float64).std(axis=(2, 3)).min() > 0)
    made = step("scale_mean_variance", reference_tensor="ref", axes=axes)
    alike(made, array, ref=reference)


@settings(max_examples=30, deadline=None)
@given(tensors(["uint16"], 2), tensors(["uint16", "float32"], 2), percentiles(), JOINTLY)
def test_scale_range_by_a_reference(array: np.ndarray, ref: np.ndarray, ends: tuple[float, float], axes: Any) -> None:
    assume(axes != ("x",) or ref.shape[2] == array.shape[2])
    assume(np.ptp(ref) > 0)
    made = step("scale_range", min_percentile=ends[0], max_percentile=ends[1], axes=axes, reference_tensor="ref")
    expected = cores(made, array, ref=ref)
    scale = max(float(np.ptp(expected)), 0.1 * float(np.abs(expected).max()))
    for on_host in (True, False):
        assert np.abs(ours(made, array, on_host=on_host, ref=ref) - expected).max() <= AGREES * scale


@settings(max_examples=50, deadline=None)
@given(tensors(), percentiles(), JOINTLY, st.booleans(), st.booleans())
def test_clip(array: np.ndarray, ends: tuple[float, float], axes: Any, low: bool, high: bool) -> None:
    numbers = np.quantile(array.astype(np.float64), [0.2, 0.7])
    arguments: dict[str, Any] = {"axes": axes}
    arguments |= {"min_percentile": ends[0]} if low else {"min": float(numbers[0])}
    arguments |= {"max_percentile": ends[1]} if high else {"max": float(numbers[1]) + 1.0}
    if not low and not high:
        arguments.pop("axes")
    made = step("clip", **arguments)
    expected = cores(made, array)
    for on_host in (True, False):  # the answer is a float32, whose steps at 65535 are 1 / 128
        assert np.allclose(ours(made, array, on_host=on_host), expected, rtol=1.2e-7, atol=1e-7)


@pytest.mark.parametrize("arguments", [{"min": 3.0}, {"max": 9.0}, {"max_percentile": 80.0}])
def test_clip_on_one_side(arguments: dict[str, float]) -> None:
    array = np.arange(24, dtype=np.uint16).reshape(1, 2, 3, 4)
    alike(step("clip", **arguments), array)


@settings(max_examples=30, deadline=None)
@given(tensors(channels=3), st.lists(st.tuples(NUMBERS, NUMBERS), min_size=3, max_size=3), st.booleans())
def test_scale_linear(array: np.ndarray, pairs: list[tuple[float, float]], along: bool) -> None:
    gain, offset = zip(*pairs, strict=True)
    assume(not all(pair == (1.0, 0.0) for pair in pairs))
    assume(pairs[0] != (1.0, 0.0))
    if along:
        alike(step("scale_linear", gain=gain, offset=offset, axis="channel"), array)
    else:
        alike(step("scale_linear", gain=gain[0], offset=offset[0]), array)


@pytest.mark.parametrize(("gain", "offset"), [(0.1, -4000.03), (1.0, -40000.3), (1e-3, -40.0), (255.0, 0.0)])
def test_scale_linear_keeps_the_digits_of_small_spreads(gain: float, offset: float) -> None:
    array = np.random.default_rng(0).integers(40000, 40010, (1, 1, 8, 8)).astype(np.uint16)
    alike(step("scale_linear", gain=gain, offset=offset), array)


@settings(max_examples=30, deadline=None)
@given(tensors(channels=2), st.lists(NUMBERS, min_size=2, max_size=2), st.booleans())
def test_fixed_zero_mean_unit_variance(array: np.ndarray, means: list[float], along: bool) -> None:
    stds = [0.01 + abs(mean) / 7 for mean in means]
    if along:
        alike(step("fixed_zero_mean_unit_variance", mean=tuple(means), std=tuple(stds), axis="channel"), array)
    else:
        alike(step("fixed_zero_mean_unit_variance", mean=means[0] + float(array.min()), std=stds[0]), array)


@settings(max_examples=30, deadline=None)
@given(tensors(), st.floats(0, 1))
def test_binarize(array: np.ndarray, quantile: float) -> None:
    made = step("binarize", threshold=float(np.quantile(array, quantile)))
    found = ours(made, array)
    assert found.dtype == np.bool_
    assert np.array_equal(found, cores(made, array))


def test_binarize_along_an_axis() -> None:
    array = np.random.default_rng(0).random((1, 3, 4, 3)).astype(np.float32)
    thresholds = (0.25, 0.5, 0.75)
    last = step("binarize", threshold=thresholds, axis="x")
    assert np.array_equal(ours(last, array), cores(last, array))
    # bioimageio.core takes the last axis whichever is named; the format means the named one.
    found = ours(step("binarize", threshold=thresholds, axis="channel"), array)
    assert np.array_equal(found, array > np.array(thresholds, np.float32).reshape(1, 3, 1, 1))


@settings(max_examples=30, deadline=None)
@given(tensors(["float32"], 3), st.floats(-30, 30))
def test_sigmoid_and_softmax(array: np.ndarray, gain: float) -> None:
    array = array * np.float32(gain)
    for made in (step("sigmoid"), step("softmax", axis="channel")):
        assert np.allclose(ours(made, array), cores(made, array), atol=1e-6)


def test_softmax_takes_any_axis_and_the_channel_by_itself() -> None:
    array = np.random.default_rng(0).normal(size=(1, 3, 4, 5)).astype(np.float32)
    assert np.allclose(ours(step("softmax", axis="x"), array).sum(axis=3), 1)
    assert np.allclose(ours(step("softmax"), array).sum(axis=1), 1)


WHOLE = ["uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "int64"]


@pytest.mark.parametrize("to", [*WHOLE, "float32", "float64", "bool"])
@pytest.mark.parametrize("own", [*WHOLE, "float16", "float32", "float64", "bool"])
def test_ensure_dtype_is_astype_within_the_range_and_saturates_outside(own: str, to: str) -> None:
    numbers = np.array([-3e9, -129.5, -1, -0.7, 0, 0.7, 1, 100, 127, 128.9, 255, 256, 40000, 70000, 2.0**31, 2.0**32])
    kind = np.dtype(own).kind
    limits = np.finfo(own) if kind == "f" else np.iinfo(own) if kind in "iu" else None
    held = numbers if limits is None else numbers[(numbers >= float(limits.min)) & (numbers <= float(limits.max))]
    array = held.astype(own).reshape(1, 1, 1, -1)
    found = ours(step("ensure_dtype", dtype=to), array)
    assert found.dtype == to
    if np.dtype(to).kind not in "iu":
        assert np.array_equal(found, cores(step("ensure_dtype", dtype=to), array))
        return
    low, high = np.iinfo(to).min, np.iinfo(to).max
    exact = [min(max(int(each), low), high) for each in array.ravel().tolist()]
    rounded = 2 ** max(0, np.dtype(to).itemsize * 8 - (24 if own != "float64" else 53)) if kind == "f" else 0
    assert all(abs(int(each) - want) <= rounded for each, want in zip(found.ravel().tolist(), exact, strict=True))
    inside = [low <= int(each) <= high for each in array.ravel().tolist()]
    expected = cores(step("ensure_dtype", dtype=to), array)
    assert np.array_equal(found.ravel()[inside], expected.ravel()[inside])


@given(st.lists(st.tuples(st.integers(-50, 350), st.integers(0, 200)), max_size=3), st.sampled_from(DTYPES))
@settings(max_examples=30, deadline=None)
def test_clips_before_a_cast_are_one_look_at_the_pixels(bounds: list[tuple[int, int]], dtype: str) -> None:
    array = np.linspace(-60 if dtype == "float32" else 0, 400 if dtype != "uint8" else 255, 48).astype(dtype)
    array = array.reshape(1, 1, 6, 8)
    clips = [step("clip", min=float(low), max=float(low + span)) for low, span in bounds]
    want = array.astype(np.float64)
    for low, span in bounds:
        want = np.clip(want, low, low + span)
    assert np.array_equal(ours([*clips, step("ensure_dtype", dtype="uint8")], array), want.clip(0, 255).astype("uint8"))


def test_statistics_are_those_of_the_tensor_as_it_comes() -> None:
    array = np.random.default_rng(0).integers(30000, 30400, (1, 2, 9, 11)).astype(np.uint16)
    alike(
        [
            step("clip", min_percentile=2.0, max_percentile=98.0, axes=("y", "x")),
            step("scale_range", min_percentile=1.0, max_percentile=99.8, axes=("channel", "y", "x")),
            step("zero_mean_unit_variance", axes=("y", "x")),
            step("ensure_dtype", dtype="float32"),
        ],
        array,
    )


@pytest.mark.parametrize("name", ["scale_range", "zero_mean_unit_variance", "scale_mean_variance"])
@pytest.mark.parametrize(
    "first", [(), (step("ensure_dtype", dtype="float32"),), (step("ensure_dtype", dtype="uint8"),)]
)
def test_whole_counts_are_shifted_and_scaled_in_one_pass(name: str, first: tuple[Step, ...]) -> None:
    # As uint8 they saturate; the statistics stay those of the tensor as it comes, beyond all that a uint8 holds.
    array = np.random.default_rng(0).integers(200, 60000, (1, 1, 9, 11)).astype(np.uint16)
    written = Written({"own": array, "ref": array // 2}, AXES, True)
    value = written.inputs["own"]
    arguments = {"reference_tensor": "ref"} if name == "scale_mean_variance" else {}
    for each in (*first, step(name, **arguments)):
        value = apply_step(written.draft, value, each, written.statistic)
    found = written.run(value)
    kinds = [node.op_type for node in wanted(written.draft.nodes, [value.name])]
    assert kinds.count("DequantizeLinear") == 1
    wide = array.astype(np.float64)
    low, high = (wide.mean(), wide.mean() + wide.std()) if name != "scale_range" else (wide.min(), wide.max())
    expected = (array.clip(0, 255) if first and first[0].arguments["dtype"] == "uint8" else wide) - low
    expected = expected / (high - low + 1e-6)
    if name == "scale_mean_variance":
        expected = expected * (array // 2).std() + (array // 2).mean()
    assert np.abs(found - expected).max() <= 1e-5 * np.ptp(wide - low) / (high - low) * max(1, np.abs(expected).max())


def test_older_opsets_scale_whole_counts_as_floats() -> None:
    array = np.random.default_rng(0).integers(40000, 40400, (1, 1, 9, 11)).astype(np.uint16)
    written = Written({"own": array}, AXES, True, opset=20)
    found = written.run(apply_step(written.draft, written.inputs["own"], step("scale_range"), written.statistic))
    assert not any(node.op_type == "DequantizeLinear" for node in written.draft.nodes)
    assert np.abs(found - cores(step("scale_range"), array)).max() <= AGREES


@pytest.mark.parametrize("dtype", ["uint16", "float32"])
@pytest.mark.parametrize("eps", [1e-6, 1e-3, 1e-40])
def test_the_packages_own_epsilon_is_taken(dtype: str, eps: float) -> None:
    array = np.random.default_rng(0).integers(100, 102, (1, 1, 8, 8)).astype(dtype)
    wide = array.astype(np.float64)
    found = ours(step("zero_mean_unit_variance", eps=eps), array)
    assert np.allclose(found, (wide - wide.mean()) / (wide.std() + eps), rtol=1e-5)
    found = ours(step("scale_range", eps=eps), array)
    assert np.allclose(found, (wide - wide.min()) / (np.ptp(wide) + eps), rtol=1e-5)
    for name in ("scale_range", "zero_mean_unit_variance"):  # a frame without any contrast
        assert not ours(step(name, eps=eps), np.full_like(array, 100), on_host=False).any()


@pytest.mark.parametrize("dtype", ["float64", "int64", "uint32"])
def test_tensors_of_more_digits_keep_them(dtype: str) -> None:
    array = (np.arange(24).reshape(1, 2, 3, 4) + 2**31).astype(dtype)
    for made in (
        step("scale_range"),
        step("zero_mean_unit_variance"),
        step("scale_linear", gain=2.0, offset=-(2.0**32)),
    ):
        found = ours(made, array)
        assert found.dtype == np.float64
        assert difference(found, cores(made, array)) <= AGREES


@pytest.mark.parametrize(
    "made",
    [
        step("scale_range", min_percentile=1.0, max_percentile=99.0),
        step("zero_mean_unit_variance", axes=("y", "x")),
        step("clip", min_percentile=1.0, max_percentile=99.0, axes=("y", "x")),
        step("clip", min=101.0, max_percentile=99.0),
        step("scale_linear", gain=0.3, offset=-20.0),
        step("binarize", threshold=120.5),
        step("ensure_dtype", dtype="int8"),
    ],
    ids=lambda made: made.id,
)
def test_the_reference_of_onnx_agrees(made: Step) -> None:
    array = np.random.default_rng(0).integers(100, 300, (1, 2, 7, 9)).astype(np.uint16)
    for on_host in (True, False):
        found = ours(made, array, on_host=on_host)
        assert np.allclose(found, ours(made, array, on_host=on_host, reference=True), rtol=1e-6, atol=1e-6)


def described(axes: tuple[str, ...] = AXES) -> TensorDescription:
    kinds: Any = {"batch": "batch", "channel": "channel"}
    return TensorDescription("t", "t", tuple(Axis(each, kinds.get(each, "space")) for each in axes), "float32")


@pytest.mark.parametrize(
    "made",
    [
        step("scale_range", min_percentile=1.0, max_percentile=99.0, axes=("y", "x")),
        step("scale_range", reference_tensor="own"),
        make_step(OWN_STEP, {"axes": ("y", "x"), "reference_tensor": "own", "kind": "values"}),
        make_step(OWN_STEP, {"axes": None, "reference_tensor": "own", "kind": "spread"}),
        step("zero_mean_unit_variance", axes=("batch", "x")),
        step("scale_mean_variance", reference_tensor="own", axes=("channel", "y", "x")),
        step("clip", min_percentile=1.0, max_percentile=99.0),
        step("clip", min=1.0, max_percentile=99.0, axes=("y", "x")),
        step("clip", min=1.0, max=2.0),
        step("sigmoid"),
    ],
    ids=lambda made: made.id,
)
def test_what_a_step_needs_is_known_before(made: Step) -> None:
    asked: list[Statistic] = []

    def statistic(wanted: Statistic) -> str:
        asked.append(wanted)
        return "somewhere"

    apply_step(Draft(), Value("in", "uint16", AXES, (1, 2, 8, 8)), made, statistic)
    assert sorted(map(str, asked)) == sorted(map(str, needs(made, described())))


def test_every_step_of_the_format_is_known() -> None:
    from bioimageio.spec.model import v0_5

    names = {
        str(vars(each)["implemented_id"])
        for each in vars(v0_5).values()
        if isinstance(each, type) and isinstance(vars(each).get("implemented_id"), str)
    }
    assert names == {*STEPS, *DECODERS, "custom"} - {OWN_STEP}
    assert set(STEPS) - {OWN_STEP} == set(DESCRIBED)


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (step("custom", callable="run", source="mine.py", kwargs={}), r"custom \(run of mine.py\).*runs no code"),
        (step("stardist_postprocessing", n_rays=32), "non-maximum suppression.*a decoder takes it over"),
        (step("cellpose_flow_dynamics"), "flows.*a decoder takes it over"),
        (step("whiten"), "found the step 'whiten', expected one of binarize"),
        (step("clip"), "clip without a bound"),
        (step("scale_range", axes=("z", "x")), "scale_range over z, expected axes among batch, channel, y, x"),
        (step("softmax", axis="time"), "softmax along the axis 'time'"),
        (step("binarize"), "without threshold"),
        (step("binarize", threshold=(1.0, 2.0)), "no axis for them"),
        (step("scale_linear", gain=(1.0, 2.0, 3.0), axis="channel"), "found 3 values of gain.*expected 2"),
        (step("fixed_zero_mean_unit_variance", mean=1.0, std=-2.0), "standard deviation of -2"),
    ],
)
def test_what_no_graph_can_hold_is_refused(made: Step, said: str) -> None:
    with pytest.raises(PackageError, match=said):
        apply_step(Draft(), Value("in", "float32", AXES, (1, 2, 8, 8)), made, lambda wanted: "somewhere")
    assert is_decoder(made) == (made.id in DECODERS)
