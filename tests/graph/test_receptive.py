"""The receptive field that is computed is the one that the network has: pixels are changed, and answers looked at."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import ModelProto, TensorProto, helper

from onscope.runtime.graph.field._reach import Reach
from onscope.runtime.graph.field._receptive import receptive_field, trace_of

from . import nets
from .nets import Net, net

AXES = {"y": 2, "x": 3}


def touched(model: ModelProto, height: int, width: int = 8) -> npt.NDArray[np.bool_]:
    """(rows in, rows out): whether making a row of the frame brighter changes a row of the answer, in ONNX Runtime."""
    channels = model.graph.input[0].type.tensor_type.shape.dim[1].dim_value
    session = nets.session(model)
    frame = np.random.default_rng(1).uniform(1, 2, (1, channels, height, width)).astype(np.float32)
    plain = session.run(None, {"x": frame})[0]
    found = np.zeros((height, plain.shape[2]), np.bool_)
    for row in range(height):
        brighter = frame.copy()
        brighter[:, :, row] += 1000 + 10 * np.arange(width)
        changed = session.run(None, {"x": brighter})[0] != plain
        found[row] = changed.any((0, 1, 3))
    return found


def assert_as_found(model: ModelProto, height: int, width: int = 8) -> Reach:
    channels = model.graph.input[0].type.tensor_type.shape.dim[1].dim_value
    trace = trace_of(model, {"x": (1, channels, height, width)}, {"x": AXES}, ["y"])
    assert trace.reasons == []
    found, reach = touched(model, height, width), trace.reaches["y"]["y"]
    assert found.shape[1] == reach.size
    for index in range(reach.size):
        rows = np.flatnonzero(found[:, index])
        if rows.size:
            assert (rows[0], rows[-1]) == (reach.low[index], reach.high[index]), f"row {index} of {reach.size}"
        else:
            assert reach.high[index] < 0
    return reach


def strided(n: Net, x: str) -> str:
    return n.conv(n.conv(x, 1, 2, 3, strides=[2, 2]), 2, 1, 5, strides=[3, 3])


def deconvolved(n: Net, x: str) -> str:
    x = n.conv(x, 1, 2, 3, strides=[2, 2])
    return str(n.node("ConvTranspose", [x, n.weights(2, 1, 4, 4)], strides=[2, 2], pads=[1, 1, 1, 1]))


def gaps(n: Net, x: str) -> str:
    """A stride larger than the kernel: rows that read nothing."""
    return str(n.node("ConvTranspose", [x, n.weights(1, 1, 2, 2)], strides=[3, 3], output_padding=[1, 1]))


def shuffled(n: Net, x: str) -> str:
    return n.conv(str(n.node("DepthToSpace", [n.conv(x, 1, 9), ], blocksize=3, mode="CRD")), 1, 1)  # fmt: skip


def shuffled_by_hand(n: Net, x: str) -> str:
    """The pixel shuffle as it is exported where the operator is not known: reshape, transpose, reshape."""
    x = n.conv(x, 1, 4)
    shape = n.node("Shape", [x])
    height = n.node("Slice", [shape, n.constant([2]), n.constant([3])])
    width = n.node("Slice", [shape, n.constant([3]), n.constant([4])])
    two = n.constant([2])
    six = n.node("Concat", [n.constant([1, 1, 2, 2]), height, width], axis=0)
    x = n.node("Transpose", [n.node("Reshape", [x, six])], perm=[0, 1, 4, 2, 5, 3])
    four = n.node("Concat", [n.constant([1, 1]), n.node("Mul", [height, two]), n.node("Mul", [width, two])], axis=0)
    return n.conv(str(n.node("Reshape", [x, four])), 1, 1)


def to_depth(n: Net, x: str) -> str:
    x = n.conv(str(n.node("SpaceToDepth", [x], blocksize=2)), 4, 4)
    return str(n.node("DepthToSpace", [x], blocksize=2))


def reflected(n: Net, x: str) -> str:
    x = n.node("Pad", [x, n.constant([0, 0, 3, 3, 0, 0, 2, 2])], mode="reflect")
    return n.conv(x, 1, 1, 5, pad=0)


def mirrored(n: Net, x: str) -> str:
    """Padding by copies of rows, for the dtypes that Pad does not take."""
    before = n.node("Gather", [x, n.constant([2, 1, 0])], axis=2)
    after = n.node("Gather", [x, n.constant([-2])], axis=2)
    return n.conv(str(n.node("Concat", [before, x, after], axis=2)), 1, 1, 5)


def cropped(n: Net, x: str) -> str:
    x = n.conv(n.conv(x, 1, 2, 5, pad=0), 2, 1, 3, pad=0)
    return str(n.node("Slice", [x, n.constant([1]), n.constant([-2]), n.constant([2])]))


def residual(n: Net, x: str) -> str:
    wide, near = n.conv(x, 1, 2, 7), n.conv(x, 1, 2, 1)
    return n.conv(str(n.node("Add", [wide, near])), 2, 1, 1)


def dilated(n: Net, x: str) -> str:
    for dilation in (1, 2, 4):
        x = n.conv(x, 1, 1, 3, dilations=[dilation, dilation])
    return x


def channels_last(n: Net, x: str) -> str:
    x = n.node("Transpose", [n.conv(x, 1, 3)], perm=[0, 2, 3, 1])
    x = n.node("Softmax", [n.node("MatMul", [x, n.weights(3, 4)])], axis=-1)
    x = n.node("Transpose", [x], perm=[0, 3, 1, 2])
    return n.conv(x, 4, 1)


def with_windows(n: Net, x: str) -> str:
    """Blocks of 4 x 4 pixels that are mixed among themselves, as attention in windows does."""
    x = n.node("Reshape", [x, n.constant([1, -1, 4, 4, 4])])  # a width of 16: 4 windows of 4
    x = n.node("Reshape", [n.node("Transpose", [x], perm=[0, 1, 3, 2, 4]), n.constant([-1, 16, 1])])
    x = n.node("MatMul", [n.weights(16, 16), x])
    x = n.node("Transpose", [n.node("Reshape", [x, n.constant([1, -1, 4, 4, 4])])], perm=[0, 1, 3, 2, 4])
    return str(n.node("Reshape", [x, n.constant([1, 1, -1, 16])]))


def pooled_up(n: Net, x: str) -> str:
    x = n.node("AveragePool", [x], kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1], ceil_mode=1)
    return n.scaled(str(x), 2, "linear")


BODIES: dict[str, Any] = {
    function.__name__: function
    for function in (
        channels_last, cropped, deconvolved, dilated, gaps, mirrored, pooled_up, reflected, residual, shuffled,
        shuffled_by_hand, strided, to_depth,
    )
}  # fmt: skip


@pytest.mark.parametrize("height", [16, 17, 23])
@pytest.mark.parametrize("name", BODIES)
def test_rows_that_are_read_are_rows_that_change_the_answer(name: str, height: int) -> None:
    height -= height % 2 if name == "to_depth" else 0
    assert_as_found(net(BODIES[name]), height, 12)


def test_windows_that_are_mixed_among_themselves() -> None:
    reach = assert_as_found(net(with_windows), 24, 16)
    assert reach.period == 4
    assert reach.margins == (0, 0)


@pytest.mark.parametrize("scale", [2, 3, 0.5])
@pytest.mark.parametrize("nearest", ["floor", "ceil", "round_prefer_floor", "round_prefer_ceil"])
@pytest.mark.parametrize("coordinates", ["half_pixel", "asymmetric", "pytorch_half_pixel", "half_pixel_symmetric"])
def test_nearest_resizing(coordinates: str, nearest: str, scale: float) -> None:
    model = net(lambda n, x: n.scaled(n.conv(x, 1, 1), scale, "nearest", coordinates, nearest_mode=nearest))
    assert_as_found(model, 13)


@pytest.mark.parametrize("antialias", [0, 1])
@pytest.mark.parametrize("scale", [2, 4, 0.5, 0.25])
@pytest.mark.parametrize("mode", ["linear", "cubic"])
def test_interpolation(mode: str, scale: float, antialias: int) -> None:
    if antialias and scale > 1:
        antialias = 0  # the operator then does the same
    model = net(lambda n, x: n.scaled(x, scale, mode, antialias=antialias))
    assert_as_found(model, 24)


@pytest.mark.parametrize(("levels", "halo"), [(1, 8), (2, 24), (3, 48)])
def test_unets(levels: int, halo: int) -> None:
    """Two 3x3 convolutions a level, on the way down and up: 2, 8, 22 and 46 pixels, in whole steps of the coarsest."""
    model = net(lambda n, x: nets.unet(n, x, levels))
    field = receptive_field(model, "y", "x", AXES)
    assert field is not None
    assert field.bounded
    axis = field.axes["y"]
    assert (axis.period, axis.scale, axis.cropped) == (2**levels, Fraction(1), 0)
    assert axis.halo == halo
    if levels < 3:
        assert_as_found(model, 4 * axis.halo)


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_chains_of_windows(data: st.DataObject) -> None:
    """Convolutions, transposed ones and pooling of any kernel, stride, dilation and padding, one after the other."""
    written = Net(seed=data.draw(st.integers(0, 9)))
    x, height = "x", data.draw(st.integers(30, 41))
    size = height
    for _ in range(data.draw(st.integers(1, 3))):
        if size < 12:
            break
        kind = data.draw(st.sampled_from(["Conv", "ConvTranspose", "MaxPool", "AveragePool"]))
        kernel, stride = data.draw(st.integers(1, 5)), data.draw(st.integers(1, 3))
        pad = data.draw(st.integers(0, kernel - 1))
        more: dict[str, Any] = {"strides": [stride, stride]}
        if kind.startswith("Conv"):
            dilation = data.draw(st.integers(1, 2))
            more |= {"dilations": [dilation, dilation]}
            if kind == "Conv" and dilation == 1 and data.draw(st.booleans()):
                more |= {"auto_pad": data.draw(st.sampled_from(["SAME_UPPER", "SAME_LOWER", "VALID"]))}
            else:
                more |= {"pads": [pad, pad, 0, 0]}
            x = written.node(kind, [x, written.weights(1, 1, kernel, kernel)], **more)
        else:
            ceil = data.draw(st.integers(0, 1))
            x = written.node(
                kind, [x], kernel_shape=[kernel] * 2, pads=[min(pad, kernel - 1)] * 4, ceil_mode=ceil, **more
            )
        size = size * stride if kind == "ConvTranspose" else size // stride - kernel
    assert_as_found(written.model(x), height, height)


def test_margins_are_what_more_frame_would_change() -> None:
    """The same pixels inside a larger frame: only rows in the margin come out differently."""
    model = net(lambda n, x: nets.unet(n, x, 2))
    frame = np.random.default_rng(3).uniform(0, 1, (1, 1, 128, 64)).astype(np.float32)
    axis = receptive_field(model, "y", "x", AXES, frame.shape).axes["y"]  # type: ignore[union-attr]
    top = nets.answer(model, frame[:, :, :96])[0, 0]
    whole = nets.answer(model, frame)[0, 0]
    rows = np.flatnonzero((top != whole[:96]).any(1))
    assert 0 < 96 - rows[0] <= axis.margins[1] <= axis.halo


def test_frames_that_are_not_a_multiple_of_the_stride() -> None:
    """Floor pooling, then up again: an odd frame comes out smaller, and every row still reads what it is said to."""
    model = net(lambda n, x: n.scaled(n.node("MaxPool", [x], kernel_shape=[2, 2], strides=[2, 2]), 2))
    reach = assert_as_found(model, 21, 8)
    assert reach.size == 20


def field(body: nets.Body, **more: Any) -> Any:
    return receptive_field(net(body, **more), "y", "x", AXES, (1, 1, 32, 32))


GLOBAL: dict[str, tuple[nets.Body, str]] = {
    "pooling": (lambda n, x: n.node("Mul", [x, n.node("GlobalAveragePool", [x])]), "GlobalAveragePool"),
    "instance norm": (
        lambda n, x: n.node("InstanceNormalization", [x, n.constant([1.0], "float32"), n.constant([0.0], "float32")]),
        "InstanceNormalization",
    ),
    "mean": (lambda n, x: n.node("Sub", [x, n.node("ReduceMean", [x, n.constant([2, 3])])]), "ReduceMean"),
    "softmax over space": (lambda n, x: n.node("Softmax", [x], axis=3), "Softmax"),
    "layer norm": (
        lambda n, x: n.node("LayerNormalization", [x, n.constant(np.ones(32), "float32")], axis=-1),
        "LayerNormalization",
    ),
    "attention": (
        lambda n, x: n.node("MatMul", [n.node("MatMul", [x, n.node("Transpose", [x], perm=[0, 1, 3, 2])]), x]),
        "MatMul",
    ),
    "position": (lambda n, x: n.node("Add", [x, n.constant(np.arange(32.0).reshape(32, 1), "float32")]), "Add"),
    "coordinates": (
        lambda n, x: n.conv(
            n.node("Concat", [x, n.constant(np.arange(1024.0).reshape(1, 1, 32, 32), "float32")], axis=1), 2, 1
        ),
        "Concat",
    ),
    "corners": (lambda n, x: n.scaled(x, 2, "linear", "align_corners"), "Resize"),
    "flipped": (
        lambda n, x: n.node("Slice", [x, n.constant([-1]), n.constant([-99]), n.constant([2]), n.constant([-1])]),
        "Slice",
    ),
    "rolled": (
        lambda n, x: n.node(
            "Concat",
            [
                n.node("Slice", [x, n.constant([4]), n.constant([32]), n.constant([2])]),
                n.node("Slice", [x, n.constant([0]), n.constant([4]), n.constant([2])]),
            ],
            axis=2,
        ),
        "Concat",
    ),
    "wrapped": (
        lambda n, x: n.node("Pad", [x, n.constant([0, 0, 2, 2, 0, 0, 2, 2])], mode="wrap"),
        "Pad",
    ),
    "running sum": (lambda n, x: n.node("CumSum", [x, n.constant(2)]), "CumSum"),
    "Hann": (lambda n, x: n.node("Mul", [x, n.constant(np.hanning(32), "float32")]), "Mul"),
    "not known": (lambda n, x: n.node("Det", [x]), "Det"),
    "noise": (lambda n, x: n.node("Add", [x, n.node("RandomNormalLike", [x])]), "RandomNormalLike"),
}


@pytest.mark.parametrize("name", GLOBAL)
def test_what_needs_the_whole_frame_is_named(name: str) -> None:
    body, operator = GLOBAL[name]
    model = Net()
    written = model.model(body(model, "x"), shape=[1, 1, 32, 32])
    trace = trace_of(written, {"x": (1, 1, 32, 32)}, {"x": AXES}, ["y"])
    assert trace.reasons, "taken for a bounded piece of the frame"
    assert trace.reasons[0].startswith(operator)
    found = receptive_field(written, "y", "x", AXES, (1, 1, 32, 32))
    assert found is None or (not found.bounded and found.why.startswith(operator))


def test_a_reason_off_the_way_does_not_count() -> None:
    def body(n: Net, x: str) -> str:
        n.node("GlobalAveragePool", [x])
        return n.conv(x, 1, 1)

    assert field(body).bounded


def test_constants_that_are_the_same_everywhere_are_no_reason() -> None:
    assert field(lambda n, x: n.node("Add", [x, n.constant(np.full((32, 32), 3.0), "float32")])).bounded


def test_a_scale_that_comes_from_the_frame_is_followed_and_a_fixed_size_is_not() -> None:
    def to_skip(n: Net, x: str) -> str:
        small = n.node("MaxPool", [x], kernel_shape=[2, 2], strides=[2, 2])
        return str(n.node("Resize", [small, "", "", n.node("Shape", [x])], mode="nearest"))

    def to_256(n: Net, x: str) -> str:
        return str(n.node("Resize", [x, "", "", n.constant([1, 1, 512, 512])], mode="nearest"))

    followed = receptive_field(net(to_skip), "y", "x", AXES)
    assert followed is not None
    assert followed.bounded
    fixed = receptive_field(net(to_256), "y", "x", AXES)
    assert fixed is not None
    assert "in a frame of another size" in fixed.why


def test_interpolation_by_three_is_rounded_from_place_to_place() -> None:
    found = field(lambda n, x: n.scaled(x, 3, "linear"))
    assert "rounded differently" in found.why
    assert found.axes["y"].halo <= 2


def test_branches_that_read_the_frame_are_named() -> None:
    written = Net()
    body = helper.make_graph(
        [helper.make_node("GlobalMaxPool", ["x"], ["most"])],
        "body",
        [],
        [helper.make_tensor_value_info("most", TensorProto.FLOAT, [1, 1, 1, 1])],
    )
    most = written.node("If", [written.constant(True)], then_branch=body, else_branch=body)
    model = written.model(written.node("Sub", ["x", most]))
    trace = trace_of(model, {"x": (1, 1, 32, 32)}, {"x": AXES}, ["y"])
    assert "has a body that reads the frame" in trace.reasons[0]


def test_a_reshape_for_another_size_is_named() -> None:
    """Exporters write sizes as constants where they could not follow them; shape inference does not mind."""
    model = net(lambda n, x: n.node("Reshape", [x, n.constant([1, 1, 16, 16])]))
    trace = trace_of(model, {"x": (1, 1, 32, 32)}, {"x": AXES}, ["y"])
    assert "is written for another size" in trace.reasons[0]


def test_an_output_without_the_axes_has_no_field() -> None:
    assert field(lambda n, x: n.node("GlobalMaxPool", [x])) is None


def test_softmax_of_old_opsets_runs_over_everything_from_its_axis_on() -> None:
    assert not field(lambda n, x: n.node("Softmax", [x], axis=1), opset=11).bounded
    assert field(lambda n, x: n.node("Softmax", [x], axis=1), opset=13).bounded
