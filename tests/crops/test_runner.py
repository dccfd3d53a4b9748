"""A network on crops: a row per object, whatever their number, and what was cut is what was meant."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import helper

from onscope.runtime import PipelineError, ProviderError
from onscope.runtime.crops import CropSettings, CropsRunner, cut, plan_crops
from onscope.runtime.graph import Raw
from onscope.runtime.graph.calibration._calibration import Calibration
from onscope.runtime.package import AxisSize

from .networks import NUMBERS, numbers, objects, request, save

ENGINE = ("cpu", 1)
FRAME = np.random.default_rng(0).integers(100, 4000, (60, 90)).astype(np.float32)
RAW = Raw((60, 90), "float32")
RANDOM = np.random.default_rng(1)
Array = np.ndarray[Any, Any]


@pytest.fixture(scope="module")
def runner(tmp_path_factory: pytest.TempPathFactory) -> CropsRunner:
    return CropsRunner(numbers(tmp_path_factory.mktemp("numbers")), CropSettings(), RAW, ENGINE)


def expected(frame: Array, places: Array, side: int = 8, **more: Any) -> Array:
    crops = cut(frame, places, side, **more).astype(np.float64)
    middle = crops[:, side // 2, side // 2]
    return np.stack([crops.mean(axis=(1, 2)), crops.max(axis=(1, 2)), middle], axis=1)


def found(table: Array) -> Array:
    return np.stack([table[name] for name in NUMBERS], axis=1)


def anywhere(count: int, shape: tuple[int, ...] = RAW.shape) -> Array:
    return RANDOM.uniform((0, 0), (shape[0] - 1, shape[1] - 1), (count, 2)).astype(np.float32)


@pytest.mark.parametrize("count", [0, 1, 2, 3, 5, 63, 64, 65, 500, 5000])
def test_there_is_a_row_for_each_object(runner: CropsRunner, count: int) -> None:
    places = anywhere(count)
    table = runner.run([FRAME], objects(places))
    assert table.dtype.names == ("row", *NUMBERS)
    assert table["row"].tolist() == list(range(count))
    assert found(table) == pytest.approx(expected(FRAME, places), rel=1e-5)


@settings(deadline=None, max_examples=40)
@given(places=st.lists(st.tuples(st.floats(0, 59, width=32), st.floats(0, 89, width=32)), max_size=20))
def test_objects_anywhere_also_at_the_border(runner: CropsRunner, places: list[tuple[float, float]]) -> None:
    table = runner.run([FRAME], objects(places))
    assert found(table) == pytest.approx(expected(FRAME, np.array(places).reshape(-1, 2)), rel=1e-5)


def test_the_same_object_gets_the_same_answer_in_any_company(runner: CropsRunner) -> None:
    places = anywhere(70)
    alone = np.concatenate([found(runner.run([FRAME], objects(places[at : at + 1]))) for at in range(70)])
    assert found(runner.run([FRAME], objects(places))) == pytest.approx(alone, rel=1e-6)


@pytest.mark.parametrize("axes", [None, ["channel", "y", "x"], ["y", "x"], ["batch", "y", "x"]])
def test_each_crop_is_normalised_as_if_it_were_alone(tmp_path: Path, axes: list[str] | None) -> None:
    step = ("zero_mean_unit_variance", {"axes": axes, "eps": 1e-6})
    one = CropsRunner(numbers(tmp_path, steps=[step]), CropSettings(), RAW, ENGINE)
    table = one.run([FRAME], objects(anywhere(7)))
    assert table["mean"] == pytest.approx(np.zeros(7), abs=1e-5)
    assert not one.compiled.scalars


@pytest.mark.parametrize("axes", [None, ["channel", "y", "x"]])
@pytest.mark.parametrize("calibration", [None, Calibration(offset=50.0, electrons_per_count=0.5)])
def test_or_with_the_statistics_of_the_whole_frame(
    tmp_path: Path, axes: list[str] | None, calibration: Calibration | None
) -> None:
    step = ("zero_mean_unit_variance", {"axes": axes, "eps": 1e-6})
    asked = numbers(tmp_path, steps=[step], normalise="per_frame")
    one = CropsRunner(asked, CropSettings(), RAW, ENGINE, calibration=calibration)
    places = anywhere(7)
    table = one.run([FRAME], objects(places))
    normal = (FRAME.astype(np.float64) - FRAME.mean()) / FRAME.std()  # what any offset and gain come to
    low = cut(FRAME, places, 8)
    assert low.min() >= 0
    inside = np.array([8 <= y < 52 and 8 <= x < 82 for y, x in places])
    assert found(table)[inside] == pytest.approx(expected(normal, places[inside]), abs=1e-3)


def test_percentiles_of_each_crop(tmp_path: Path) -> None:
    step = {"min_percentile": 10.0, "max_percentile": 90.0, "eps": 1e-6, "reference_tensor": None}
    for number, axes in enumerate((None, ["channel", "y", "x"])):
        asked = numbers(tmp_path / str(number), steps=[("scale_range", {**step, "axes": axes})])
        one = CropsRunner(asked, CropSettings(), RAW, ENGINE)
        places = anywhere(5)
        crops = cut(FRAME, places, 8).astype(np.float64)
        low, high = np.percentile(crops, [10, 90], axis=(1, 2))
        normal = (crops - low[:, None, None]) / (high - low + 1e-6)[:, None, None]
        assert one.run([FRAME], objects(places))["largest"] == pytest.approx(normal.max(axis=(1, 2)), rel=1e-3)


def test_counts_go_in_as_they_are(tmp_path: Path) -> None:
    step = ("zero_mean_unit_variance", {"axes": None, "eps": 1e-6})
    frame = FRAME.astype(np.uint16)
    asked = numbers(tmp_path, dtype="float32", steps=[("ensure_dtype", {"dtype": "float32"}), step])
    one = CropsRunner(asked, CropSettings(), Raw((60, 90), "uint16"), ENGINE)
    table = one.run([frame], objects(anywhere(6)))
    assert table["mean"] == pytest.approx(np.zeros(6), abs=1e-4)


def test_colours_become_channels(tmp_path: Path) -> None:
    frame = np.stack([FRAME, FRAME * 2, FRAME * 3], axis=-1)
    one = CropsRunner(numbers(tmp_path, channels=3), CropSettings(), Raw((60, 90, 3), "float32", "yxs"), ENGINE)
    places = anywhere(9)
    assert found(one.run([frame], objects(places))) == pytest.approx(expected(FRAME * 3, places), rel=1e-5)


def test_frames_of_a_window_become_channels(tmp_path: Path) -> None:
    raw = Raw((60, 90), "float32", length=2, letter="c", target=0)
    one = CropsRunner(numbers(tmp_path, channels=2), CropSettings(), raw, ENGINE)
    places = anywhere(5)
    table = one.run([FRAME, FRAME + 5], objects(places))
    assert found(table) == pytest.approx(expected(FRAME + 5, places), rel=1e-5)


def test_a_network_that_takes_one_crop_at_a_time(tmp_path: Path) -> None:
    one = CropsRunner(numbers(tmp_path, batch=AxisSize(fixed=1)), CropSettings(), RAW, ENGINE)
    assert one.sizes == (1,)
    places = anywhere(6)
    assert found(one.run([FRAME], objects(places))) == pytest.approx(expected(FRAME, places), rel=1e-5)


def test_frames_are_brought_to_the_pixel_size_of_the_training(tmp_path: Path) -> None:
    y, x = np.mgrid[:60, :90].astype(np.float32)
    frame = 3 * y + x
    asked = numbers(tmp_path, rescale=True, settings={"pixel_um": 0.5})
    raw = Raw((60, 90), "float32", pixel_size_um=0.25)
    one = CropsRunner(asked, CropSettings(), raw, ENGINE)
    places = np.array([(24.5, 40.5), (30.5, 60.5)], np.float32)  # middles of pixels of 0.5 um
    table = one.run([frame], objects(places))
    assert table["middle"] == pytest.approx(3 * places[:, 0] + places[:, 1], abs=1e-3)
    assert [note.kind for note in one.notes] == ["rescaled"]
    unlike = CropsRunner(numbers(tmp_path, settings={"pixel_um": 0.5}), CropSettings(), raw, ENGINE)
    assert "set rescale" in unlike.notes[0].why
    with pytest.raises(PipelineError, match="the package states no pixel size"):
        CropsRunner(numbers(tmp_path, rescale=True), CropSettings(), raw, ENGINE)
    with pytest.raises(PipelineError, match="expected a ratio of at most 16"):
        CropsRunner(asked, CropSettings(), Raw((60, 90), "float32", pixel_size_um=50.0), ENGINE)


def test_an_image_larger_than_the_frame(tmp_path: Path) -> None:
    y, x = np.mgrid[:120, :180].astype(np.float32)
    one = CropsRunner(numbers(tmp_path), CropSettings(), Raw((120, 180), "float32"), ENGINE, pixels_per_raw=2.0)
    table = one.run([y * 1000 + x], objects([(20.25, 30.25)]))
    assert table["middle"] == pytest.approx([41_061], rel=1e-6)


def test_masked_crops_hold_the_own_object_alone(tmp_path: Path) -> None:
    frame = np.full((60, 90), 1000, np.float32)
    labels = np.zeros((60, 90), np.int32)
    labels[20:24, 30:34], labels[20:24, 34:38] = 3, 8
    frame[labels == 8] = 5000
    chosen = CropSettings(masked=True, border="constant")
    one = CropsRunner(numbers(tmp_path), chosen, RAW, ENGINE)
    table = one.run([frame], objects([(21.5, 31.5), (21.5, 35.5)], [3, 8]), labels)
    assert table["largest"].tolist() == [1000, 5000]
    larger = np.repeat(np.repeat(labels, 2, axis=0), 2, axis=1)  # of a network with twice as many pixels
    again = one.run([frame], objects([(21.5, 31.5), (21.5, 35.5)], [3, 8]), larger)
    assert np.array_equal(again, table)
    with pytest.raises(PipelineError, match="masked crops for the stage 'phase' and no labels"):
        one.run([frame], objects([(21.5, 31.5)]))


def test_nan_is_a_failed_frame_and_only_where_there_is_an_object(runner: CropsRunner) -> None:
    frame = FRAME.copy()
    frame[30, 40] = np.nan
    with pytest.raises(ProviderError, match="the stage 'phase' answered NaN to a crop"):
        runner.run([frame], objects([(5, 5), (31, 41), (50, 80)]))
    far = runner.run([frame], objects([(8, 8), (50, 80)]))  # the batch's other places still hold those crops
    assert np.isfinite(found(far)).all()
    with pytest.raises(PipelineError, match="without a place"):
        runner.run([FRAME], objects([(5, np.nan)]))


def test_batches_are_no_larger_than_memory_allows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("onscope.runtime.crops._sessions.MOST_MB", 0.02)
    one = CropsRunner(numbers(tmp_path), CropSettings(), RAW, ENGINE)
    assert one.sizes == (1, 4, 16)


def test_nothing_is_built_but_what_is_told(tmp_path: Path) -> None:
    built: list[Path] = []
    one = CropsRunner(numbers(tmp_path), CropSettings(), RAW, ENGINE, build=built.append)
    assert len(built) == len(one.sizes) == 4
    assert all(path.is_file() for path in built)


def _sum(folder: Path) -> Path:
    """Channels after another: (batch, 2) of the crop's sum, which overflows nothing."""
    nodes = [helper.make_node("ReduceMean", ["crop", "yx"], ["mean"], keepdims=0),
             helper.make_node("Concat", ["mean", "mean"], ["answer"], axis=1)]  # fmt: skip
    return save(folder, nodes, {"yx": np.array([2, 3])}, "float32", 1, 2)


WRONG: list[tuple[dict[str, Any], CropSettings, str]] = [
    ({"side": 8}, CropSettings(side=6), "crops of 6 pixels for the stage 'phase', whose network takes 8"),
    ({"side": None}, CropSettings(), "found no side for the crops of 'phase'"),
    ({"side": None}, CropSettings(side=3), "found crops of 3 pixels for the stage 'phase', expected 4 to 2048"),
    ({"side": 8, "normalise": "frozen"}, CropSettings(), "normalise 'frozen' .* expected one of per_crop, per_frame"),
    ({"side": 8, "settings": {"decode": "image"}}, CropSettings(), "set `decode`"),
    ({"side": 8, "settings": {"decode": "classes", "border": "wrap"}}, CropSettings(), "found the border 'wrap'"),
    ({"side": 8, "settings": {"decode": "classes", "state": [{}]}}, CropSettings(), "a network that remembers"),
]


@pytest.mark.parametrize(("more", "chosen", "words"), WRONG)
def test_what_does_not_go_together_is_told_before_the_first_frame(
    tmp_path: Path, more: dict[str, Any], chosen: CropSettings, words: str
) -> None:
    given = {"settings": {"decode": "classes"}, **more}
    with pytest.raises(PipelineError, match=words):
        plan_crops(request(_sum(tmp_path), dtype="float32", values=2, **given), chosen)


@pytest.mark.parametrize("make", [lambda: CropSettings(side=0), lambda: CropSettings(border="wrap")])
def test_settings_are_checked(make: Callable[[], CropSettings]) -> None:
    with pytest.raises(PipelineError):
        make()


def test_settings_travel_as_plain_values() -> None:
    chosen = CropSettings(side=48, border="edge", masked=True)
    assert CropSettings(**chosen.message()) == chosen


def test_classes_are_told_with_all_their_scores(tmp_path: Path) -> None:
    asked = request(_sum(tmp_path), 8, "float32", values=2, settings={"decode": "classes", "classes": ("a", "b")})
    one = CropsRunner(asked, CropSettings(), RAW, ENGINE)
    table = one.run([FRAME], objects(anywhere(5)))
    assert one.columns == [
        ("row", "int32"), ("class", "int32"), ("score", "float32"), ("score_a", "float32"), ("score_b", "float32")
    ]  # fmt: skip
    assert table["class"].tolist() == [0] * 5  # both are the same: the first
    assert table["score"].tolist() == table["score_b"].tolist()


def test_vectors_are_an_appearance(tmp_path: Path) -> None:
    asked = request(_sum(tmp_path), 8, "float32", values=2, settings={"decode": "vectors"})
    assert [name for name, _ in plan_crops(asked, CropSettings()).columns] == ["row", "appearance_0", "appearance_1"]
