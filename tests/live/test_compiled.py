"""Packages with steps beside their graphs in a whole runtime: what bioimageio.core or NumPy say is what comes."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from onnx import helper
from ruamel.yaml import YAML

from onscope.runtime import Event, Frame, FrameId, FrameSpec, Pipeline, PipelineError, Result, Runtime, Stage, block
from onscope.runtime.graph import Raw
from onscope.runtime.record import open_recording
from onscope.runtime.worker._fit import compile_fitting
from tests import models
from tests.graph import oracle
from tests.graph.generated import Recipe, write
from tests.graph.rules import compare
from tests.graph.written import stage as hand_written

Make = Callable[..., Runtime]
Array = npt.NDArray[Any]
SPEC = FrameSpec((24, 32), "uint16", camera="cam", pixel_size_um=0.1)
RANGE = ("scale_range", {"axes": ["channel", "y", "x"], "min_percentile": 1.0, "max_percentile": 99.8})
UNIT = ("zero_mean_unit_variance", {"axes": ["channel", "y", "x"]})
EPS = 1e-6


def frames(count: int, seed: int = 0, spec: FrameSpec = SPEC) -> list[Array]:
    """Noise whose level rises from frame to frame."""
    random = np.random.default_rng(seed)
    return [(random.integers(100, 400, spec.shape) * (1 + n)).astype(spec.dtype) for n in range(count)]


def run(it: Runtime, pixels: Sequence[Array], spec: FrameSpec = SPEC, **more: Sequence[Any]) -> list[Result]:
    """Submit them all, one window after the other; `more` are values of Frame, one per frame."""
    results = it.subscribe(block(len(pixels) + 1))
    for seq, array in enumerate(pixels):
        it.submit(Frame(FrameId("run", spec.camera, 0, seq), array, **{key: each[seq] for key, each in more.items()}))
    assert it.drain(30)
    it.close()
    return list(results)


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Recipe], Path]:
    """Folders of generated packages, each written once."""
    root = tmp_path_factory.mktemp("generated")
    made: dict[Path, Recipe] = {}

    def of(recipe: Recipe) -> Path:
        known = next((folder for folder, each in made.items() if each == recipe), None)
        if known is not None:
            return known
        folder = write(root / f"package{len(made)}", recipe)
        made[folder] = recipe
        return folder

    return of


def scaled(folder: Path, *steps: tuple[str, dict[str, Any]]) -> Path:
    """A package that adds 1 to a float32 frame, after these steps."""
    models.plus_one(folder, "float32")
    return models.beside(folder, "inputs", [{"id": id, "kwargs": arguments} for id, arguments in steps])


def in_range(array: Array, low: float, high: float) -> Array:
    """What scale_range makes of it."""
    return (array.astype(np.float64) - low) / (high - low + EPS)


@pytest.mark.parametrize("worker", ["process", "thread"])
def test_steps_before_and_after_the_network_agree_with_bioimageio_core(
    runtime: Make, generated: Callable[[Recipe], Path], worker: str
) -> None:
    recipe = Recipe(described="uint16", pre=(RANGE,), post=(("sigmoid", {}),))
    folder = generated(recipe)
    pixels = frames(3)
    results = run(runtime(Pipeline([Stage("net", folder)]), SPEC, worker=worker, admission=block(2)), pixels)
    assert len(results) == 3
    for result, array in zip(results, pixels, strict=True):
        expected = oracle.core_prediction(folder, {"frame": array[None, None]})["image"][0, 0]
        assert not compare(result["net"], expected)


def test_sizes_the_network_does_not_take_are_padded_and_cropped(
    runtime: Make, generated: Callable[[Recipe], Path]
) -> None:
    recipe = Recipe(network="unet", described="uint16", pre=(UNIT,))
    folder, spec = generated(recipe), replace(SPEC, shape=(25, 35))
    (array,) = frames(1, spec=spec)
    it = runtime(Pipeline([Stage("net", folder)]), spec, admission=block(2))
    report = it.report
    (result,) = run(it, [array], spec)
    expected = oracle.staged(folder, {"frame": array[None, None]}, recipe.pads((25, 35)))["image"][0, 0]
    assert not compare(result["net"], expected)
    assert any(line.startswith("net: padded y 25 -> 28, x 35 -> 36") for line in report), report


def chain(folder: Path, merge: bool, **more: Any) -> Pipeline:
    """Three stages with steps of their own: two in a row, and a table of the first one's image."""
    return Pipeline(
        [
            Stage("first", scaled(folder / "first", RANGE)),
            Stage("second", scaled(folder / "second", UNIT), reads="first", **more),
            Stage("points", models.top_of_floats(folder / "points"), reads="first", settings={"threshold": -1.0}),
        ],
        merge=merge,
    )


def test_merged_stages_answer_what_separate_ones_do(runtime: Make, tmp_path: Path) -> None:
    pixels = frames(3)
    merged, apart = (run(runtime(chain(tmp_path, merge), SPEC, admission=block(2)), pixels) for merge in (True, False))
    assert len(merged) == len(apart) == 3
    for one, other, array in zip(merged, apart, pixels, strict=True):
        low, high = np.percentile(array, (1.0, 99.8))
        first = in_range(array, low, high) + 1
        np.testing.assert_allclose(one["first"], first, atol=1e-5)
        np.testing.assert_allclose(one["second"], (first - first.mean()) / (first.std() + EPS) + 1, atol=2e-4)
        for name in one:
            assert one[name].dtype == other[name].dtype
        for name in ("first", "second"):
            np.testing.assert_allclose(one[name], other[name], atol=2e-5)
        np.testing.assert_allclose(one["points"]["score"], other["points"]["score"], atol=1e-5)
    spans = [set(result.stamps.stages.values()) for result in (merged[0], apart[0])]
    assert [len(each) for each in spans] == [1, 3]
    graphs = [{where.graph_sha256 for where in result.provenance.values()} for result in (merged[0], apart[0])]
    assert [len(each) for each in graphs] == [1, 3]
    assert "stage first+second+points" in merged[0].stamps.steps_ms()
    for result in (*merged, *apart):
        assert sum(result.stamps.steps_ms().values()) == pytest.approx(result.latency_ms)


def test_the_raw_frames_statistics_can_be_shared_down_the_chain(runtime: Make, tmp_path: Path) -> None:
    first = Stage("first", scaled(tmp_path / "first", ("scale_linear", {"gain": 2.0, "offset": 3.0})))
    second = Stage("second", scaled(tmp_path / "second", RANGE), reads="first", normalise="shared")
    (array,) = frames(1)
    (result,) = run(runtime(Pipeline([first, second]), SPEC, admission=block(2)), [array])
    low, high = np.percentile(array, (1.0, 99.8))
    expected = in_range(array * 2.0 + 4, low, high) + 1
    np.testing.assert_allclose(result["second"], expected, rtol=1e-5)
    with pytest.raises(PipelineError, match="normalise 'shared' for second, which cannot be in the graph of 'first'"):
        runtime(Pipeline([first, second], merge=False), SPEC)


@pytest.mark.parametrize("normalise", ["per_frame", "frozen", "running"])
def test_whose_statistics_normalise_is_as_the_stage_says(runtime: Make, tmp_path: Path, normalise: Any) -> None:
    package = scaled(tmp_path / "net", RANGE)
    pixels = frames(5)
    pipeline = Pipeline([Stage("net", package, normalise=normalise, frozen_frames=2)])
    results = run(runtime(pipeline, SPEC, admission=block(2)), pixels)
    own = np.array([np.percentile(array, (1.0, 99.8)) for array in pixels])
    used = own.copy()
    if normalise == "frozen":
        used[1:] = own[:2].mean(axis=0)
    if normalise == "running":
        used[1] = own[:2].mean(axis=0)
        used[2:] = used[1] + (own[2] - used[1]) * (1 - 0.5**4)  # then every fourth, which weighs as much as four
    for result, array, (low, high) in zip(results, pixels, used, strict=True):
        np.testing.assert_allclose(result["net"], in_range(array, low, high) + 1, atol=1e-4)


def test_what_is_frozen_of_one_channel_says_nothing_of_another(runtime: Make, tmp_path: Path) -> None:
    dim, bright = frames(1, 1)[0], frames(1, 2)[0] * 20
    pipeline = Pipeline([Stage("net", scaled(tmp_path / "net", RANGE), normalise="frozen", frozen_frames=1)])
    index = [{"c": n % 2} for n in range(4)]
    results = run(runtime(pipeline, SPEC, admission=block(2)), [dim, bright, dim * 2, bright * 2], index=index)
    for result, array, known in zip(results, [dim, bright, dim * 2, bright * 2], [dim, bright] * 2, strict=True):
        expected = in_range(array, *np.percentile(known, (1.0, 99.8))) + 1
        np.testing.assert_allclose(result["net"], expected, atol=1e-4)


def test_of_several_outputs_the_first_is_the_answer(runtime: Make, generated: Callable[[Recipe], Path]) -> None:
    recipe = Recipe(network="two_outputs", described="uint16", pre=(UNIT,))
    folder = generated(recipe)
    pipeline = Pipeline([Stage("net", folder), Stage("after", folder, reads="net")])
    (array,) = frames(1)
    it = runtime(pipeline, SPEC, admission=block(2))
    report = it.report
    (result,) = run(it, [array])
    assert list(result) == ["net", "after"]
    net = oracle.staged(folder, {"frame": array[None, None]})["image"]
    assert not compare(result["net"], net[0, 0])
    assert any(line.startswith("net: outside extra") for line in report), report


def test_a_recurrent_network_remembers_each_place(runtime: Make, generated: Callable[[Recipe], Path]) -> None:
    folder = generated(Recipe(recurrent=True, described="uint16", pre=(UNIT,)))
    pixels = frames(6)
    places = [0, 1, 0, 1, 0, 1]
    results = run(
        runtime(Pipeline([Stage("net", folder)]), SPEC, admission=block(2)), pixels, index=[{"p": p} for p in places]
    )
    assert len(results) == 6
    memories = {place: np.zeros((1, 3, *SPEC.shape), np.float32) for place in (0, 1)}
    for result, array, place in zip(results, pixels, places, strict=True):
        made = oracle.staged(folder, {"frame": array[None, None], "hidden": memories[place]})
        memories[place] = made["hidden_out"].astype(np.float32)
        assert not compare(result["net"], made["image"][0, 0], tolerance=1e-4)
    assert [result.state_reset for result in results] == [True, True, False, False, False, False]


def test_stages_that_choose_differently_are_graphs_of_their_own(runtime: Make, tmp_path: Path) -> None:
    package = scaled(tmp_path / "net", RANGE)
    pipeline = Pipeline(
        [
            Stage("all", package),
            Stage("some", package, channel=1),
            Stage("more", package, reads="some"),
            Stage("after", package, reads="all"),
        ]
    )
    pixels = frames(4)
    index = [{"c": n % 2} for n in range(4)]
    results = run(runtime(pipeline, SPEC, admission=block(2)), pixels, index=index)
    assert [list(result) for result in results] == [["all", "after"], ["all", "some", "more", "after"]] * 2
    for result, array in zip(results, pixels, strict=True):
        expected = in_range(array, *np.percentile(array, (1.0, 99.8))) + 1
        for name in {"all", "some"} & set(result):
            np.testing.assert_allclose(result[name], expected, atol=1e-5)
        if "more" in result:
            np.testing.assert_allclose(result["more"], result["after"], atol=1e-5)
    of = {name: where.graph_sha256 for name, where in results[1].provenance.items()}
    assert of["all"] == of["after"] != of["some"] == of["more"]


def test_a_calibrated_camera_is_normalised_in_electrons(runtime: Make, tmp_path: Path) -> None:
    np.save(tmp_path / "dark.npy", np.full(SPEC.shape, 90.0, np.float32))
    (tmp_path / "calibration.yaml").write_text("schema: 1\ndark: dark.npy\nelectrons_per_count: 0.5\n")
    linear = ("scale_linear", {"gain": 0.25, "offset": 0.0})
    stage = Stage("net", scaled(tmp_path / "net", linear))
    (array,) = frames(1)
    for calibration in ("calibration.yaml", {"cam": "calibration.yaml"}, {"other": "calibration.yaml"}):
        of = (
            {camera: tmp_path / file for camera, file in calibration.items()}
            if isinstance(calibration, dict)
            else (tmp_path / calibration)
        )
        (result,) = run(runtime(Pipeline([stage], calibration=of), SPEC, admission=block(2)), [array])
        counts = array.astype(np.float64)
        calibrated = counts if of == {"other": tmp_path / "calibration.yaml"} else (counts - 90) * 0.5
        np.testing.assert_allclose(result["net"], calibrated * 0.25 + 1, rtol=1e-6)


def test_what_ruins_a_normalisation_is_told_once(runtime: Make, tmp_path: Path, events: list[Event]) -> None:
    steps = ("scale_range", {"axes": ["channel", "y", "x"], "min_percentile": 0.0, "max_percentile": 100.0})
    pixels = frames(3)
    for array in pixels:
        array[3, 4] = 60000
    it = runtime(Pipeline([Stage("net", scaled(tmp_path / "net", steps))]), SPEC, admission=block(2))
    run(it, pixels)
    told = [event.message for event in events if event.kind == "warning"]
    assert len([text for text in told if "hot pixels" in text]) == 1
    assert all(event.bad for event in events if event.kind == "warning")


def test_a_graph_is_compiled_once_and_then_comes_from_the_cache(
    runtime: Make, tmp_path: Path, events: list[Event], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ONSCOPE_CACHE", str(tmp_path / "cache"))
    pipeline = chain(tmp_path, True)
    for _ in range(2):
        runtime(pipeline, SPEC).close()
    told = [event.message for event in events if event.kind == "preparing" and "for 24x32 uint16" in event.message]
    assert told == [
        "compiling first+second+points for 24x32 uint16",
        "first+second+points for 24x32 uint16 from the cache",
    ]


def test_a_worker_with_warm_caches_needs_neither_onnx_nor_bioimageio(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ONSCOPE_CACHE", str(tmp_path / "cache"))
    code = """
import json, sys
from onscope.runtime.worker import Chain
import numpy as np
chain = Chain(json.loads(sys.stdin.read()))
(answer,), _ = chain.run([np.full((24, 32), 7, np.uint16)])
print([name for name in ("onnx", "bioimageio", "pydantic") if name in sys.modules], float(answer[0, 0]))
"""
    pipeline = Pipeline([Stage("net", scaled(tmp_path / "net", ("scale_linear", {"gain": 2.0, "offset": 0.0})))])
    message = pipeline.opening(SPEC, "cpu", 1)
    said = [
        subprocess.run(
            [sys.executable, "-c", code], input=json.dumps(message), capture_output=True, text=True, check=True
        ).stdout
        for _ in range(2)
    ]
    assert said[0].endswith("15.0\n")
    assert said[1] == "[] 15.0\n"


@pytest.mark.parametrize("provider", ["oracle", "null:1", "scripted:slow=1@*/net"])
def test_other_engines_run_compiled_graphs_too(runtime: Make, tmp_path: Path, provider: str) -> None:
    pixels = frames(2)
    pipeline = Pipeline([Stage("net", scaled(tmp_path / "net", RANGE))])
    results = run(runtime(pipeline, SPEC, provider=provider, admission=block(2)), pixels)
    assert [result.provenance["net"].provider for result in results] == [provider] * 2
    if not provider.startswith("null"):
        for result, array in zip(results, pixels, strict=True):
            expected = in_range(array, *np.percentile(array, (1.0, 99.8))) + 1
            np.testing.assert_allclose(result["net"], expected, atol=1e-5)


def test_a_stage_that_fails_forgets_what_it_remembered(runtime: Make, generated: Callable[[Recipe], Path]) -> None:
    folder = generated(Recipe(recurrent=True, described="uint16", pre=(UNIT,)))
    pixels = frames(4)
    it = runtime(Pipeline([Stage("net", folder)]), SPEC, provider="scripted:nan@1", admission=block(2))
    taken = it.subscribe(block(4))
    for seq, array in enumerate(pixels):
        it.submit(Frame(FrameId("run", "cam", 0, seq), array))
        assert it.drain(30)
    it.close()
    results = list(taken)
    assert [result.frame.id.seq for result in results] == [0, 2, 3]
    zeros = np.zeros((1, 3, *SPEC.shape), np.float32)
    anew = oracle.staged(folder, {"frame": pixels[2][None, None], "hidden": zeros})["image"][0, 0]
    assert not compare(results[1]["net"], anew, tolerance=1e-4)
    assert [result.state_reset for result in results] == [True, True, False]


def stated(folder: Path, scale: float) -> Path:
    """A package that adds 1, trained at `scale` micrometres per pixel."""
    models.plus_one(folder, "float32")
    rdf = folder / "rdf.yaml"
    content = YAML(typ="safe", pure=True).load(rdf.read_text())
    for side in ("inputs", "outputs"):
        for axis in content[side][0]["axes"]:
            if axis["type"] == "space":
                axis |= {"scale": scale, "unit": "micrometer"}
    with rdf.open("w") as file:
        YAML(typ="safe", pure=True).dump(content, file)
    return folder


def test_another_pixel_size_is_told_and_brought_right_on_request(
    runtime: Make, tmp_path: Path, events: list[Event]
) -> None:
    package = stated(tmp_path / "net", 0.2)
    flat = [np.full(SPEC.shape, 7, np.uint16), np.full(SPEC.shape, 9, np.uint16)]
    (result, _) = run(runtime(Pipeline([Stage("net", package)]), SPEC, admission=block(2)), flat)
    assert (result["net"] == 8).all()
    told = [event.message for event in events if event.kind == "warning"]
    assert len(told) == 1
    assert "0.1 um per pixel, trained at 0.2" in told[0]
    it = runtime(Pipeline([Stage("net", package, rescale=True)]), SPEC, admission=block(2))
    assert any("rescaled 24 x 32 -> 12 x 16" in line for line in it.report), it.report
    # Another objective: the same camera, shape and type of frames, and a graph of its own.
    it.prepare(replace(SPEC, pixel_size_um=0.4))
    assert any("rescaled 24 x 32 -> 48 x 64" in line for line in it.report), it.report
    results = run(it, flat, pixel_size_um=[0.1, 0.1])
    assert [result["net"].shape for result in results] == [SPEC.shape] * 2
    assert all((result["net"] == value).all() for result, value in zip(results, (8, 10), strict=True))


def test_tiles_answer_what_the_full_frame_does(runtime: Make, generated: Callable[[Recipe], Path]) -> None:
    folder, spec = generated(Recipe(described="uint16", pre=(RANGE,))), replace(SPEC, shape=(70, 64))
    pixels = frames(2, spec=spec)
    whole, tiled = (
        run(runtime(Pipeline([Stage("net", folder, tile=tile)]), spec, admission=block(2)), pixels, spec)
        for tile in (None, 32)
    )
    for one, other in zip(whole, tiled, strict=True):
        assert not compare(other["net"], one["net"])
    assert whole[0].provenance["net"].graph_sha256 != tiled[0].provenance["net"].graph_sha256


def test_what_does_not_fit_into_memory_is_run_in_tiles(tmp_path: Path, generated: Callable[[Recipe], Path]) -> None:
    stage = Stage("net", generated(Recipe(described="uint16", pre=(RANGE,)))).request
    raw = Raw((256, 256), "uint16")
    whole, told = compile_fitting([stage], raw, None, free_mb=1000)
    assert whole.tiling is None
    assert told == []
    tiled, (line,) = compile_fitting([stage], raw, None, free_mb=whole.memory_mb)
    assert tiled.tiling is not None
    assert tiled.tiling.exact
    assert tiled.memory_mb <= whole.memory_mb / 2
    assert "run in tiles of" in line
    points = Stage("points", models.top_of_floats(tmp_path / "points")).request
    alone, (line,) = compile_fitting([points], replace(raw, dtype="float32"), None, free_mb=0.5)
    assert alone.tiling is None
    assert "tiles are not possible" in line


@pytest.mark.parametrize("opset", [20, 21])
def test_what_no_machine_holds_is_refused(tmp_path: Path, opset: int) -> None:
    grown = [helper.make_node("Resize", [a, "", "s"], [b], mode="nearest") for a, b in (("image", "a"), ("a", "b"))]
    nodes = [
        *grown,
        helper.make_node("ReduceMax", ["b"], ["c"], keepdims=1),
        helper.make_node("Add", ["image", "c"], ["answer"]),
    ]
    stage = hand_written(tmp_path / "large", nodes, {"s": np.array([1, 1, 64, 64], np.float32)}, opset=opset, ir=10)
    with pytest.raises(PipelineError, match=r"MB for the full frame, .* expected what this machine can hold"):
        compile_fitting([stage], Raw((512, 512), "uint16"), None)


@pytest.mark.parametrize("normalise", ["frozen", "running"])
def test_a_worker_that_comes_back_goes_on_with_what_was_frozen(
    runtime: Make, tmp_path: Path, events: list[Event], normalise: Any
) -> None:
    pipeline = Pipeline([Stage("net", scaled(tmp_path / "net", RANGE), normalise=normalise, frozen_frames=1)])
    pixels = frames(4)
    it = runtime(
        pipeline, SPEC, worker="process", admission=block(2), provider="scripted:die@2", record=tmp_path / "run"
    )
    taken = it.subscribe(block(4))
    for seq, array in enumerate(pixels):
        it.submit(Frame(FrameId("run", "cam", 0, seq), array))
        assert it.drain(60)
    it.close()
    results = {result.frame.id.seq: result for result in taken}
    assert sorted(results) == [0, 1, 3]
    for seq, known in ((0, 0), (1, 0), (3, 0)) if normalise == "frozen" else ((0, 0), (1, 1), (3, 3)):
        expected = in_range(pixels[seq], *np.percentile(pixels[known], (1.0, 99.8))) + 1
        np.testing.assert_allclose(results[seq]["net"], expected, atol=1e-4)
    told = [event.message for event in events if event.kind == "warning"]
    anew = [text for text in told if "statistics of net began anew with the worker" in text]
    assert len(anew) == (normalise == "running")
    low, high = np.percentile(pixels[0], (1.0, 99.8))
    kept = {"net percentile 1": low, "net percentile 99.8": high}
    at_last = [{"camera": "cam", "shape": [24, 32], "channel": None, "frozen": kept}]
    assert it.statistics == (at_last if normalise == "frozen" else [])
    assert open_recording(tmp_path / "run").manifest["statistics"] == it.statistics
