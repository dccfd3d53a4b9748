"""Networks on crops in a running pipeline: a row for each object, of the right pixels."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import helper

from onscope.export.zoo import PACKAGES, _crops
from onscope.export.zoo._mitosis_quality import runner
from onscope.runtime import (
    Crops,
    Frame,
    FrameId,
    FrameSpec,
    Measure,
    Package,
    Pipeline,
    PipelineError,
    Stage,
    Track,
    block,
)
from tests import models
from tests.crops.test_mitosis import fields
from tests.live.test_hosted import SPEC, Make, frame, run, scene
from tests.live.test_labels import circles

NUMBERS = ("mean", "largest")


def numbers(folder: Path) -> Package:
    """Mean and largest value of a crop."""
    nodes = [
        helper.make_node("ReduceMean", ["frame", "yx"], ["mean"], keepdims=0),
        helper.make_node("ReduceMax", ["frame", "yx"], ["largest"], keepdims=0),
        helper.make_node("Concat", ["mean", "largest"], ["numbers"], axis=1),
    ]
    axes: list[dict[str, Any]] = [
        {"type": "batch", "id": "batch", "size": 1},
        {"type": "channel", "id": "channel", "channel_names": list(NUMBERS)},
    ]
    constants = {"yx": np.array([2, 3])}
    return models.write(
        folder, nodes, constants, "float32", ("numbers", "float32", axes), settings={"decode": "vectors"}
    )


def stages(folder: Path, **more: Any) -> list[Any]:
    return [
        Stage("nuclei", circles(folder / "circles")),
        Measure("cells", of="nuclei"),
        Crops("looks", numbers(folder / "numbers"), of="cells", side=8, border="constant", **more),
    ]


@pytest.mark.parametrize("worker", ["thread", "process"])
def test_there_is_a_row_for_each_object(runtime: Make, tmp_path: Path, worker: str) -> None:
    it = runtime(Pipeline(stages(tmp_path)), SPEC, worker=worker, admission=block(4))
    two, none, border = run(it, [frame(0, (20, 24, 11), (50, 70, 14)), frame(1), frame(2, (2, 2, 9))])
    assert two["looks"].dtype.names == ("row", "appearance_0", "appearance_1")
    assert two["looks"]["row"].tolist() == [0, 1]
    by_place = dict(zip(two["cells"]["y"].round(), two["looks"]["appearance_1"], strict=True))
    assert by_place == {20: 11, 50: 14}
    assert two["looks"]["appearance_0"] == pytest.approx(two["looks"]["appearance_1"] / 64)
    assert len(none["looks"]) == 0
    assert none["looks"].dtype == two["looks"].dtype
    assert len(border["looks"]) == len(border["cells"]) == 1
    assert two.provenance["looks"].provider == "cpu"
    start, end = two.stamps.stages["looks"]
    assert two.stamps.stages["cells"][1] <= start < end


def test_crops_of_an_earlier_image(runtime: Make, tmp_path: Path) -> None:
    pipeline = Pipeline(
        [
            Stage("plus", models.plus_one(tmp_path / "plus", "float32")),
            Stage("nuclei", circles(tmp_path / "circles")),
            Measure("cells", of="nuclei"),
            Crops("looks", numbers(tmp_path / "numbers"), of="cells", reads="plus", side=8),
        ]
    )
    (one,) = run(runtime(pipeline, SPEC, admission=block(4)), [frame(0, (20, 24, 11))])
    assert one["looks"]["appearance_1"].tolist() == [12]


def test_what_the_network_cannot_tell_fails_the_frame(runtime: Make, tmp_path: Path) -> None:
    it = runtime(Pipeline(stages(tmp_path)), SPEC, admission=block(4))
    broken = scene((20, 24, 9))
    broken[0, 0] = np.nan
    frames = [frame(0, (20, 24, 9)), Frame(FrameId("run", "cam", 0, 1), broken, pixel_size_um=0.5), frame(2)]
    assert [result.frame.id.seq for result in run(it, frames)] == [0, 2]


def test_tracks_are_told_apart_by_looks(runtime: Make, tmp_path: Path) -> None:
    """Two objects change places: by place alone they would change their tracks."""
    plain = [*stages(tmp_path), Track("tracks", of="cells", max_distance=40)]
    by_looks = [
        *stages(tmp_path),
        Track("tracks", of="cells", appearance="looks", appearance_weight=1.0, max_distance=40),
    ]
    frames = [frame(0, (30, 30, 9), (30, 60, 14)), frame(1, (30, 57, 9), (30, 33, 14))]
    kept = []
    for chosen in (plain, by_looks):
        results = run(runtime(Pipeline(chosen), SPEC, admission=block(4)), frames)
        by_size = [result["tracks"]["track"][np.argsort(result["cells"]["area"])] for result in results]
        kept.append(by_size[0].tolist() == by_size[1].tolist())
    assert kept == [False, True]


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"settings": {"decode": "classes", "threshold": "high"}}, "threshold 'high', expected a finite number"),
        ({"settings": {"decode": "wolf"}}, "decode 'wolf', expected one of"),
        ({"normalise": "frozen"}, "normalise 'frozen'"),
        ({"masked": True, "border": "wrap"}, "found the border 'wrap'"),
    ],
)
def test_what_does_not_fit_is_told_before_a_camera_runs(tmp_path: Path, more: dict[str, Any], words: str) -> None:
    with pytest.raises(PipelineError, match=words):
        Crops("looks", numbers(tmp_path / "numbers"), of="cells", **{"side": 8, **more})
    with pytest.raises(PipelineError, match="found no side"):
        Crops("looks", numbers(tmp_path / "numbers"), of="cells")


CASCADE = """
schema: 1
stages:
  nuclei: {package: zoo/nuclei-cells}
  cells: {measure: nuclei, intensity: [frame]}
  phase: {package: zoo/mitosis-cells, crops: cells, rescale: true}
"""


@pytest.mark.long
def test_the_shipped_networks_one_after_the_other(runtime: Make, tmp_path: Path) -> None:
    """What is told live are the classes of the classifier run offline on crops around the objects that were found."""
    file = tmp_path / "pipeline.yaml"
    file.write_text(CASCADE, encoding="utf-8")
    field = next(one for number in range(3) for one in fields(number) if max(one.counts.shape) <= 700)
    spec = FrameSpec(field.counts.shape, "uint16", camera="cam", pixel_size_um=field.pixel_um)
    it = runtime(Pipeline.load(file), spec, admission=block(2))
    (result,) = run(it, [Frame(FrameId("run", "cam", 0, 0), field.counts, pixel_size_um=field.pixel_um)])
    cells, phase = result["cells"], result["phase"]
    assert len(cells) == len(phase) > 10
    image = _crops.at_scale(field.counts, field.pixel_um)
    ratio = np.array(image.shape) / np.array(field.counts.shape)
    places = (np.stack([cells["y"], cells["x"]], axis=1).astype(np.float64) + 0.5) * ratio - 0.5
    chances = runner(PACKAGES / "mitosis-cells" / "weights.onnx")(_crops.cut(image, places))
    assert phase["class"].tolist() == chances.argmax(axis=1).tolist()
    assert phase["score_metaphase"] == pytest.approx(chances[:, 2], abs=1e-5)
    assert phase.dtype["class"] == np.int32
