"""Tiles against the full frame: bit-exact where the halo covers the receptive field, told where it does not."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper

from onscope.runtime import Package, PipelineError
from onscope.runtime.engines import Session, open_session
from onscope.runtime.graph import Answer, Compiled, HostScalars, Raw, compile_group
from onscope.runtime.graph.calibration._calibration import Calibration
from onscope.runtime.graph.field._receptive import AxisField, Field, field_of, trace_of
from onscope.runtime.graph.tiles._blend import Joined, cuts, ramps, seam_error
from onscope.runtime.graph.tiles._tiled import Tiled
from onscope.runtime.graph.tiles._tiles import fits, plan_tiles, side_that_fits, starts, starts_of

from . import nets
from .generated import Recipe, write
from .nets import Net
from .run import request

Array = npt.NDArray[Any]
AXES = {"y": 0, "x": 1}


class Cut:
    """A network on frames (y, x), opened once, and run on whole frames and on tiles of them."""

    def __init__(self, folder: Path, body: nets.Body, seed: int = 0, whole: bool = False, batch: bool = False) -> None:
        written = Net(seed, whole)
        x = written.node("Unsqueeze", ["frame", written.constant([1] if batch else [0, 1])])
        y = body(written, x)
        shape: list[Any] = ["n", "h", "w"] if batch else ["h", "w"]
        written.inputs.append(helper.make_tensor_value_info("frame", TensorProto.FLOAT, shape))
        written.outputs.append(helper.make_tensor_value_info("answer", TensorProto.FLOAT, None))
        written.nodes.append(helper.make_node("Identity", [y], ["answer"]))
        graph = helper.make_graph(written.nodes, "net", written.inputs, written.outputs, written.initializers)
        self.model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)
        self.path = nets.saved(self.model, folder / "net.onnx")
        self.batch = batch
        self.session: Session = open_session(self.path, "cpu", 1)

    def field(self, shape: tuple[int, ...]) -> Field:
        given = (1, *shape) if self.batch else shape
        axes = {axis: dim + self.batch for axis, dim in AXES.items()}
        found = field_of(trace_of(self.model, {"frame": given}, {"frame": axes}, ["answer"]), ["answer"], sizes(shape))
        assert found is not None
        return found

    def whole(self, frame: Array) -> Array:
        return self.session.run([frame[np.newaxis] if self.batch else frame])[0].copy()

    def tiled(self, shape: tuple[int, ...], tile: int, **more: Any) -> Tiled:
        field = self.field(shape)
        tiling = plan_tiles(shape, field, tile, **more)
        scale = tuple(float(field.axes[axis].scale) for axis in "yx")
        tiling = replace(tiling, scales=((scale[0], scale[1]),))
        answer = Answer(
            "stage",
            "image",
            "answer",
            ("channel", "y", "x") if self.batch else ("b", "c", "y", "x"),
            "float32",
            (None,) * 4,
        )
        compiled = Compiled(self.path, "", ("stage",), 1, answers=(answer,), tiling=tiling)
        return Tiled(self.session, compiled, Raw(shape, "float32"))


def sizes(shape: tuple[int, ...]) -> dict[str, int]:
    return {"y": shape[0], "x": shape[1]}


def picture(shape: tuple[int, ...], whole: bool = False, seed: int = 0) -> Array:
    random = np.random.default_rng(seed)
    values = random.integers(0, 4, shape) if whole else random.uniform(0, 1, shape)
    return values.astype(np.float32)


def conv3(n: Net, x: str) -> str:
    return n.conv(str(n.node("Relu", [n.conv(x, 1, 4, 5)])), 4, 2, 3)


def valid(n: Net, x: str) -> str:
    return n.conv(n.conv(x, 1, 2, 5, pad=0), 2, 1, 3, pad=0)


def doubled(n: Net, x: str) -> str:
    x = n.node("DepthToSpace", [n.conv(x, 1, 8), ], blocksize=2)  # fmt: skip
    return n.conv(x, 2, 1)


def halved(n: Net, x: str) -> str:
    return n.conv(n.conv(x, 1, 2, 3, strides=[2, 2]), 2, 2, 3)


def deconvolved(n: Net, x: str) -> str:
    x = n.conv(x, 1, 2, 3, strides=[2, 2])
    return str(n.node("ConvTranspose", [x, n.weights(2, 1, 4, 4)], strides=[2, 2], pads=[1, 1, 1, 1]))


def mirrored(n: Net, x: str) -> str:
    x = n.node("Pad", [x, n.constant([0, 0, 2, 3, 0, 0, 2, 3])], mode="reflect")
    return n.conv(x, 1, 1, 5, pad=0)


def same(n: Net, x: str) -> str:
    x = n.conv(x, 1, 2, 4, strides=[2, 2], auto_pad="SAME_UPPER")
    return n.conv(x, 2, 1, 3, strides=[3, 3], auto_pad="SAME_LOWER")


def pooled(n: Net, x: str) -> str:
    x = n.node("AveragePool", [n.conv(x, 1, 2)], kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1], ceil_mode=1)
    return n.scaled(str(x), 2, "linear")


def small_unet(n: Net, x: str) -> str:
    return nets.unet(n, x, 2, 3, 1)


BODIES = (conv3, valid, doubled, halved, deconvolved, mirrored, same, pooled, small_unet)


@settings(max_examples=200, deadline=None)
@given(st.integers(1, 300), st.integers(1, 120), st.integers(0, 20), st.integers(1, 9))
def test_tiles_cover_the_frame_and_overlap_by_twice_the_halo(size: int, tile: int, halo: int, period: int) -> None:
    halo = -(-halo // period) * period
    tile = tile - (tile - size) % period
    if tile < 2 * halo + period:
        return
    begins = starts(size, tile, halo, period)
    assert begins[0] == 0
    assert size <= tile or begins[-1] + tile == size
    assert all(begin % period == 0 for begin in begins)
    assert all(second > first and first + tile - second >= 2 * halo for first, second in pairwise(begins))
    parts = cuts(begins, min(tile, size))
    assert [first for first, _ in parts[1:]] == [last for _, last in parts[:-1]]
    assert (parts[0][0], parts[-1][1]) == (0, size)
    for begin, (first, last) in zip(begins, parts, strict=True):
        assert begin == 0 or first - begin >= halo
        assert begin + tile >= size or begin + tile - last >= halo
    total = np.zeros(size)
    for begin, weights in zip(begins, ramps(begins, min(tile, size)), strict=True):
        assert np.all(weights > 0)
        total[begin : begin + tile] += weights
    np.testing.assert_allclose(total, 1, atol=1e-6)


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_tiles_of_whole_numbers_are_exact(data: st.DataObject, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Where sums of floats are exact whatever their order, not one answer may differ."""
    body = data.draw(st.sampled_from(BODIES))
    cut = Cut(tmp_path_factory.mktemp("net"), body, data.draw(st.integers(0, 99)), whole=True)
    step = 4 if body is small_unet else 1
    shape = tuple(data.draw(st.integers(40 // step, 90 // step), label="side") * step for _ in AXES)
    tiled = cut.tiled(shape, data.draw(st.integers(36, 60)))
    assert tiled.tiling.exact
    frame = picture(shape, whole=True)
    np.testing.assert_array_equal(tiled.run([frame])[0], cut.whole(frame))


@pytest.mark.parametrize("shape", [(96, 128), (101, 75)])
@pytest.mark.parametrize("body", BODIES, ids=lambda body: body.__name__)
def test_tiles_of_real_numbers(tmp_path: Path, body: nets.Body, shape: tuple[int, int]) -> None:
    """Convolutions and pooling of ONNX Runtime's CPU provider sum up in the same order wherever a pixel lies."""
    if body is small_unet:
        shape = (shape[0] // 4 * 4, shape[1] // 4 * 4)
    cut = Cut(tmp_path, body)
    tiled = cut.tiled(shape, 48)
    frame = picture(shape)
    whole, found = cut.whole(frame), tiled.run([frame])[0]
    assert tiled.tiling.exact
    assert tiled.runs > 1
    np.testing.assert_array_equal(found, whole)
    assert tiled.seam_errors([whole], [found]) == [0.0]


@pytest.mark.parametrize("features", [2, 8, 16])
def test_a_unet_of_three_levels(tmp_path: Path, features: int) -> None:
    """Exact with its halo, which the receptive field says; with half of it, the seams show."""
    cut = Cut(tmp_path, lambda n, x: nets.unet(n, x, 3, features))
    shape = (256, 192)
    frame = picture(shape)
    whole = cut.whole(frame)
    tiled = cut.tiled(shape, 144)
    assert (tiled.tiling.halo, tiled.tiling.exact) == ((48, 48), True)
    np.testing.assert_array_equal(tiled.run([frame])[0], whole)
    bare = cut.tiled(shape, 144, halo=0)
    assert not bare.tiling.exact
    assert "asks for a halo of 48 pixels, and 0 are there" in bare.tiling.why
    assert bare.seam_errors([whole], bare.run([frame]))[0] > 1e-3


def test_a_larger_halo_makes_smaller_seams(tmp_path: Path) -> None:
    cut = Cut(tmp_path, lambda n, x: nets.unet(n, x, 2, 4))
    frame = picture((160, 96))
    whole = cut.whole(frame)
    errors = []
    for halo in (0, 8, 16, 24):
        tiled = cut.tiled(frame.shape, 96, halo=halo)
        errors += tiled.seam_errors([whole], tiled.run([frame]))
    assert errors[0] > errors[1] > errors[2] > errors[3] == 0


def test_what_needs_the_whole_frame_is_blended_and_told(tmp_path: Path) -> None:
    def normalised(n: Net, x: str) -> str:
        return n.conv(str(n.node("Sub", [x, n.node("ReduceMean", [x, n.constant([2, 3])])])), 1, 1)

    cut = Cut(tmp_path, normalised)
    tiled = cut.tiled((96, 64), 48)
    assert not tiled.tiling.exact
    assert "ReduceMean" in tiled.tiling.why
    frame = picture((96, 64)) + np.linspace(0, 3, 96, dtype=np.float32)[:, None]
    whole, found = cut.whole(frame), tiled.run([frame])[0]
    assert 1e-3 < tiled.seam_errors([whole], [found])[0] < 1
    # A ramp from one mean to the next: no step as large as the difference between two tiles' means.
    assert np.abs(np.diff(found - whole, axis=2)).max() < 0.3


def test_many_tiles_at_a_time(tmp_path: Path) -> None:
    """The last batch is not full: what is left over of it changes nothing."""
    cut = Cut(tmp_path, conv3, batch=True)
    frame = picture((90, 110))
    tiled = cut.tiled(frame.shape, 40, batch=5)
    assert tiled.runs == 3
    np.testing.assert_array_equal(tiled.run([frame])[0], cut.whole(frame)[0])
    other = picture((90, 110), seed=1)
    np.testing.assert_array_equal(tiled.run([other])[0], cut.whole(other)[0])


@settings(max_examples=60, deadline=None)
@given(
    st.integers(1, 400),
    st.integers(1, 400),
    st.integers(8, 200),
    st.integers(0, 30),
    st.sampled_from([1, 2, 3, 4, 8]),
    st.sampled_from([1, 2, 6, 16]),
)
def test_plans(height: int, width: int, tile: int, margin: int, period: int, align: int) -> None:
    axis = AxisField(margin, margin, Fraction(1), period, (margin, margin), 0, True)
    if tile < 2 * period * align:
        return  # it may be refused
    tiling = plan_tiles((height, width), Field({"y": axis, "x": axis}), tile, align=align)
    for size, side, halo, step in zip((height, width), tiling.tile, tiling.halo, tiling.period, strict=True):
        assert side <= min(tile, size)
        assert (size - side) % step == 0
        if tiling.exact and side < size:
            assert halo >= margin
            assert step % period == step % align == 0
        begins = starts(size, side, halo, step)
        assert all(before + side - after >= 2 * halo for before, after in pairwise(begins))


def test_tiles_too_small_for_the_network() -> None:
    axis = AxisField(3, 3, Fraction(1), 16, (3, 3), 0, True)
    with pytest.raises(PipelineError, match="works in steps of 16 pixels"):
        plan_tiles((64, 70), Field({"y": axis, "x": axis}), 16, align=16)


def test_memory() -> None:
    assert fits(100.0, 100.0)
    assert not fits(100.1, 100.0)
    assert side_that_fits(400.0, (2048, 2048), 100.0) == 1024


def test_seams() -> None:
    joined = Joined(np.zeros((4, 10)), (0, 1), ([0], [0, 6, 12]), blended=False)
    assert joined.seams() == [(1, 8), (1, 14)]
    whole = np.zeros((4, 22))
    whole[0, 0] = 2.0
    tiled = whole.copy()
    tiled[:, 1] = 7  # far from both
    tiled[2, 12] = 0.5
    assert seam_error(whole, tiled, joined.seams(), near=3) == 0.25
    tiled[2, 12] = np.nan
    assert seam_error(whole, tiled, joined.seams(), near=3) == 1.0
    assert seam_error(whole, tiled, []) == 0.0


# Packages, compiled as they are for a worker


def compiled_both(
    folder: Path, recipe: Recipe, window: list[Array], tile: int, letter: Any = "t", **more: Any
) -> tuple[list[Array], list[Array], Compiled]:
    """Answers of whole frames, those of tiles, and what was compiled for tiles."""
    package = Package.load(write(folder / "package", recipe))
    frame = window[0]
    raw = Raw(frame.shape, frame.dtype.name, "yx" if frame.ndim == 2 else "yxs", len(window), letter)
    whole = compile_group((request(package, **more),), raw, cache=folder)
    cut = compile_group((request(package, tile=tile, **more),), raw, cache=folder)
    scalars = HostScalars(whole.scalars, raw).values(window)
    found = []
    # Where an engine works beside Python the next tile goes there while this one is computed: the same bits.
    for compiled, provider in ((whole, "cpu"), (cut, "cpu"), (cut, "staged")):
        session: Session = open_session(compiled.path, provider, 1)
        if compiled.tiling is not None:
            session = Tiled(session, compiled, raw)
        states = [np.zeros(state.shape, state.dtype) for state in compiled.states]
        outputs = session.run([*window, *scalars, *states])
        for spec, output in zip(session.outputs, outputs, strict=True):
            assert spec.shape == output.shape
        for _ in states:  # a second window goes on with the first one's memory
            states = [state.copy() for state in outputs[len(compiled.answers) :]]
            outputs = session.run([*window, *scalars, *states])
        found.append([output.copy() for output in outputs[: len(compiled.answers)]])
    for one, other in zip(found[1], found[2], strict=True):
        assert one.tobytes() == other.tobytes()
    return found[0], found[1], cut


def counts(shape: tuple[int, ...], seed: int = 0) -> Array:
    random = np.random.default_rng(seed)
    return (100 + random.gamma(2.0, 300.0, shape)).clip(0, 65535).astype(np.uint16)


NORMALISED = (("scale_range", {"axes": ["y", "x"], "min_percentile": 1.0, "max_percentile": 99.0}),)


@pytest.mark.parametrize("shape", [(96, 112), (97, 83)])
@pytest.mark.parametrize("network", ["pointwise", "conv", "unet", "upsample", "downsample", "valid"])
def test_packages(tmp_path: Path, network: str, shape: tuple[int, int]) -> None:
    """Percentiles are those of the whole frame, odd sizes are padded in tiles as in frames."""
    recipe = Recipe(network, pre=NORMALISED, channels=1)
    whole, tiled, compiled = compiled_both(tmp_path, recipe, [counts(shape)], 56)
    assert compiled.tiling is not None
    assert (compiled.tiling.exact, compiled.tiling.why) == (True, "")
    assert [note.why for note in compiled.notes if note.kind == "tiled"] == ["exact"]
    for answer, one, other in zip(compiled.answers, whole, tiled, strict=True):
        assert answer.shape == one.shape
        np.testing.assert_array_equal(other, one)


def test_a_package_whose_network_needs_the_whole_frame(tmp_path: Path) -> None:
    whole, tiled, compiled = compiled_both(tmp_path, Recipe("instance_norm"), [counts((96, 80))], 56)
    assert compiled.tiling is not None
    assert not compiled.tiling.exact
    note = next(note for note in compiled.notes if note.kind == "tiled")
    assert note.why.startswith("not exact: ")
    assert whole[0].shape == tiled[0].shape


@pytest.mark.parametrize("layout", ["bctyx", "bczyx", "biyx"])
def test_windows(tmp_path: Path, layout: str) -> None:
    letter = next(each for each in layout if each in "tzi")
    window = [counts((90, 70), seed) for seed in range(3)]
    recipe = Recipe("conv", layout, pre=NORMALISED)
    whole, tiled, compiled = compiled_both(tmp_path, recipe, window, 48, letter)
    assert compiled.tiling is not None
    assert compiled.tiling.exact, compiled.tiling.why
    np.testing.assert_array_equal(tiled[0], whole[0])


@pytest.mark.parametrize("layout", ["bcyx", "byxc"])
def test_colour(tmp_path: Path, layout: str) -> None:
    frame = (counts((90, 70, 3)) >> 4).clip(0, 255).astype(np.uint8)
    whole, tiled, compiled = compiled_both(tmp_path, Recipe("unet", layout, 3, 2, pre=NORMALISED), [frame], 48)
    assert compiled.tiling is not None
    assert compiled.tiling.exact, compiled.tiling.why
    np.testing.assert_array_equal(tiled[0], whole[0])


def test_two_answers(tmp_path: Path) -> None:
    whole, tiled, _ = compiled_both(tmp_path, Recipe("two_outputs"), [counts((90, 70))], 48)
    assert len(whole) == 2
    for one, other in zip(whole, tiled, strict=True):
        np.testing.assert_array_equal(other, one)


def test_every_tile_has_a_memory_of_its_own(tmp_path: Path) -> None:
    """What a memory holds comes from further away with every window: told, since no halo covers it for ever."""
    recipe = Recipe("conv", recurrent=True)
    whole, tiled, compiled = compiled_both(tmp_path, recipe, [counts((90, 70))], 48)
    assert compiled.tiling is not None
    assert not compiled.tiling.exact
    assert "puts a value of its own to every place" in compiled.tiling.why
    rows, columns = starts_of(compiled.tiling, (90, 70))
    assert [state.shape[0] for state in compiled.states] == [len(rows) * len(columns)]
    inner = (slice(None), slice(None), slice(4, 8), slice(4, 8))
    np.testing.assert_allclose(tiled[0][inner], whole[0][inner], rtol=1e-5)


def test_a_statistic_that_is_taken_in_the_graph_is_told(tmp_path: Path) -> None:
    """Of the whole frame it is not: the package's output is normalised with statistics of its own."""
    post = (("zero_mean_unit_variance", {"axes": ["channel", "y", "x"]}),)
    _, _, compiled = compiled_both(tmp_path, Recipe("conv", post=post), [counts((90, 70))], 48)
    assert compiled.tiling is not None
    assert "ReduceMean" in compiled.tiling.why
    assert "together" in compiled.tiling.why


def test_maps_of_a_camera_are_not_cut(tmp_path: Path) -> None:
    package = Package.load(write(tmp_path / "package", Recipe()))
    maps = Calibration(dark=np.full((90, 70), 100, np.float32))
    raw = Raw((90, 70), "uint16")
    with pytest.raises(PipelineError, match="a calibration with maps"):
        compile_group((request(package, tile=48),), raw, maps, cache=tmp_path)
    plain = compile_group((request(package, tile=48),), raw, Calibration(offset=100.0), cache=tmp_path)
    assert plain.tiling is not None
    assert plain.tiling.exact


def test_a_frame_that_fits_is_not_cut(tmp_path: Path) -> None:
    package = Package.load(write(tmp_path / "package", Recipe()))
    compiled = compile_group((request(package, tile=64),), Raw((48, 64), "uint16"), cache=tmp_path)
    assert compiled.tiling is None


def test_a_tiled_graph_comes_from_the_cache_as_it_was(tmp_path: Path) -> None:
    package = Package.load(write(tmp_path / "package", Recipe("unet")))
    stages, raw = (request(package, tile=64),), Raw((120, 104), "uint16")
    assert compile_group(stages, raw, cache=tmp_path) == compile_group(stages, raw, cache=tmp_path)


def test_a_network_of_a_fixed_size_runs_on_larger_frames(tmp_path: Path) -> None:
    recipe = Recipe("conv", sizes="fixed", side=(32, 40))
    package = Package.load(write(tmp_path / "package", recipe))
    raw, frame = Raw((70, 90), "uint16"), counts((70, 90))
    compiled = compile_group((request(package, tile=40),), raw, cache=tmp_path)
    assert compiled.tiling is not None
    assert "takes no frame of this size" in compiled.tiling.why
    tiled = Tiled(open_session(compiled.path, "cpu", 1), compiled, raw)
    found = tiled.run([frame])[0]
    assert found.shape[-2:] == frame.shape
    model = onnx.load(package.weights)
    for dims in (model.graph.input[0].type.tensor_type.shape.dim, model.graph.output[0].type.tensor_type.shape.dim):
        dims[2].dim_param, dims[3].dim_param = "h", "w"
    whole = nets.session(model).run(None, {model.graph.input[0].name: frame[None, None].astype(np.float32)})[0]
    assert (compiled.tiling.tile, compiled.tiling.halo) == ((32, 40), (2, 2))
    assert np.abs(found - whole).max() < 1e-5 * np.ptp(whole)
