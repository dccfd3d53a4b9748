"""Task metrics: the numbers against slow and obvious ones, the limits, and how they are written."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from torch import Tensor, nn

from onscope.export._agreement import overlaps
from onscope.export.proof import Metric, answers, compare, metrics
from onscope.export.proof._parity import flips
from onscope.runtime import ExportError
from onscope.runtime.package import make_step

RANDOM = np.random.default_rng(1)
POINTS = {"decode": "points", "columns": ["y", "x", "score"], "threshold": 0.5}


def measure(
    first: Any, second: Any, axes: str = "bcyx", steps: Any = (), settings: Any = None, fed: Any = None
) -> dict[str, Metric]:
    frame = np.zeros((1, 1, 32, 32), np.float32) if fed is None else fed
    one = answers(
        "out", "test", axes, steps, (first, second), (frame, frame, "bcyx", "raw"), settings or {"decode": "image"}
    )
    return {metric.name: metric for metric in metrics(one)}


def image(*shape: int) -> Any:
    return RANDOM.random(shape).astype(np.float32)


def test_psnr_has_the_range_of_the_networks_answer_and_no_rescaling() -> None:
    first = 40 * image(1, 2, 30, 33) + 7
    second = first + 0.01 * image(1, 2, 30, 33)
    error = second.astype(np.float64) - first
    expected = 10 * math.log10((float(first.max()) - float(first.min())) ** 2 / np.mean(error**2))
    found = measure(first, second)
    assert found["PSNR"].value == pytest.approx(expected)
    assert "data range 39.98" in found["PSNR"].note
    assert "not rescaled" in found["PSNR"].note
    # A PSNR after scaling both to 0 to 1 would not see an offset at all.
    assert measure(first, first + 1)["PSNR"].value == pytest.approx(20 * math.log10(np.ptp(first)), abs=1e-3)


def test_ssim_is_the_mean_over_planes_and_channels() -> None:
    from skimage.metrics import structural_similarity

    first = image(1, 2, 3, 20, 24)
    second = first + 0.1 * image(1, 2, 3, 20, 24)
    width = float(first.max()) - float(first.min())
    pairs = zip(first.reshape(-1, 20, 24).astype(float), second.reshape(-1, 20, 24).astype(float), strict=True)
    expected = np.mean([structural_similarity(a, b, data_range=width) for a, b in pairs])  # type: ignore[no-untyped-call]
    found = measure(first, second, "bczyx")["SSIM"]
    assert found.value == pytest.approx(expected)
    assert not found.passed
    assert "SSIM" not in measure(image(1, 1, 6, 40), image(1, 1, 6, 40))


def test_share_of_change_is_what_is_wrong_of_what_is_changed() -> None:
    fed = image(1, 1, 32, 32)
    first = fed + 0.2
    second = first + np.float32(0.002)
    assert measure(first, second, fed=fed)["share of change"].value == pytest.approx(1.0, rel=1e-3)
    assert "share of change" not in measure(image(1, 1, 64, 64), image(1, 1, 64, 64), fed=fed)
    assert "share of change" not in measure(fed, fed, fed=fed)
    moved = np.moveaxis(first, 1, -1), np.moveaxis(second, 1, -1)
    assert measure(*moved, "byxc", fed=fed)["share of change"].value == pytest.approx(1.0, rel=1e-3)


def test_it_is_measured_behind_the_steps_and_the_share_before_them() -> None:
    fed = image(1, 1, 32, 32)
    first, second = fed + 0.2, fed + 0.202
    steps = [make_step("scale_linear", {"gain": 1000.0, "offset": 3.0})]
    plain, scaled = measure(first, second, fed=fed), measure(first, second, fed=fed, steps=steps)
    assert "data range 9" in scaled["PSNR"].note
    assert scaled["PSNR"].value == pytest.approx(plain["PSNR"].value, rel=1e-4)
    assert scaled["share of change"] == plain["share of change"]


def test_equal_answers_are_called_equal() -> None:
    first = image(1, 1, 32, 32)
    found = measure(first, first.copy())["PSNR"]
    assert (found.value, found.words, found.passed) == (math.inf, "equal", True)
    assert json.loads(json.dumps(found.to_json()))["value"] == "equal"
    assert "Infinity" not in json.dumps(found.to_json())


def test_counts_rounded_the_other_way_are_no_refusal() -> None:
    first = RANDOM.integers(100, 110, (1, 1, 64, 64)).astype(np.uint16)
    second = first.copy()
    second[0, 0, 3, :6] += 1  # 1.5 in a thousand pixels of an image of 9 counts
    assert measure(first, second)["PSNR"].passed
    second[0, 0, 4] += 1
    assert not measure(first, second)["PSNR"].passed


@pytest.mark.parametrize("width", [3, 12, 50, 100, 255, 4000])
def test_psnr_refuses_no_counts_that_the_parity_lets_pass(width: int) -> None:
    first = RANDOM.integers(0, width + 1, (1, 1, 250, 200)).astype(np.uint16)
    first[0, 0, 0, :2] = 0, width
    for share, passes in ((flips(width) * 0.95, True), (flips(width) * 3, width >= 4000)):
        second = first.copy()
        second.flat[2 : 2 + int(share * first.size)] += 1
        parity = compare(first, second, output="out", where="test", size=(250, 200), settings={})
        assert parity.passed == (share < flips(width))
        assert measure(first, second)["PSNR"].passed == passes


def test_points_are_counted_and_matched_within_a_pixel() -> None:
    rows = np.column_stack([RANDOM.random((60, 2)) * 500, RANDOM.uniform(0.6, 0.9, 60)]).astype(np.float32)
    below = np.column_stack([RANDOM.random((9, 2)) * 500, np.full(9, 0.2)]).astype(np.float32)
    first = np.concatenate([rows, below])
    second = first[RANDOM.permutation(69)].copy()
    second[:, 0] += 0.6
    found = measure(first, second, "ic", settings=POINTS)
    assert (found["points"].value, found["points"].limit, found["F1"].value) == (60, 60, 1.0)
    second[:, 0] += 0.6
    found = measure(first, second, "ic", settings=POINTS)
    assert (found["points"].passed, found["F1"].passed) == (True, False)
    found = measure(first, np.concatenate([first, [[1, 1, 0.8]]]).astype(np.float32), "ic", settings=POINTS)
    assert (found["points"].value, found["points"].passed) == (61, False)
    assert found["F1"].value == pytest.approx(120 / 121)


def test_a_point_at_the_threshold_counts_neither_way() -> None:
    first = np.array([[1, 2, 0.9], [5, 9, 0.8], [7, 3, 0.5]], np.float32)
    second = first.copy()
    second[2, 2] = np.nextafter(np.float32(0.5), np.float32(0))
    found = measure(first, second, "ic", settings=POINTS)
    assert (found["points"].value, found["points"].passed, found["F1"].value) == (2, True, 1.0)
    nobody = measure(first[:0], first[:0], "ic", settings=POINTS)
    assert (nobody["points"].value, nobody["F1"].value) == (0, 1.0)


STARS = make_step(
    "stardist_postprocessing", {"prob_threshold": 0.5, "nms_threshold": 0.4, "n_rays": 16, "grid": (1, 1), "b": 1}
)


def stars(centres: Any, radius: float = 5.0) -> Any:
    """What a StarDist network says of discs: a probability of 0.9 at their centres, and the radius along 16 rays."""
    output = np.zeros((1, 17, 80, 80), np.float32)
    output[0, 1:] = radius
    for y, x in centres:
        output[0, 0, y, x] = 0.9
    return output


def test_labels_are_decoded_as_the_runtime_does_and_matched() -> None:
    centres = [(20, 20), (20, 50), (50, 30), (60, 60)]
    found = measure(stars(centres), stars(centres), steps=[STARS])
    assert {name: one.value for name, one in found.items()} == {"objects": 4, "F1": 1.0, "IoU": 1.0}
    fewer = measure(stars(centres), stars(centres[:3]), steps=[STARS])
    assert (fewer["objects"].value, fewer["objects"].passed) == (3, False)
    assert fewer["F1"].value == pytest.approx(6 / 7)
    moved = measure(stars(centres), stars([(y + 1, x) for y, x in centres]), steps=[STARS])
    assert (moved["objects"].passed, moved["F1"].value, moved["IoU"].passed) == (True, 1.0, False)
    assert 0.6 < moved["IoU"].value < 0.9
    assert measure(stars([]), stars([]), steps=[STARS])["objects"].value == 0


def test_iou_of_labels_against_a_loop() -> None:
    first = np.kron(RANDOM.integers(0, 5, (8, 8)), np.ones((4, 4))).astype(np.int32)
    second = np.roll(first, 1, axis=0)
    expected = []
    for a in np.unique(first[first > 0]):
        for b in np.unique(second[second > 0]):
            iou = np.sum((first == a) & (second == b)) / np.sum((first == a) | (second == b))
            expected += [iou] if iou > 0.5 else []
    assert len(expected) > 0
    np.testing.assert_allclose(np.sort(overlaps(first, second)), np.sort(expected))


def test_classes_and_masks_agree_by_their_share() -> None:
    scores = RANDOM.normal(size=(1, 4, 50, 50))
    first = (np.exp(scores) / np.exp(scores).sum(1, keepdims=True)).astype(np.float32)
    second = first.copy()
    second[0, :, 0, :5] = np.roll(first[0, :, 0, :5], 1, axis=0)
    found = measure(first, second)
    assert list(found) == ["agreement"]
    assert found["agreement"].value == pytest.approx(1 - 5 / 2500)
    assert not found["agreement"].passed
    mask = [make_step("binarize", {"threshold": 0.5})]
    flat = image(1, 1, 50, 50)
    other = flat.copy()
    other[0, 0, 0, 0] = 1 - flat[0, 0, 0, 0]
    assert measure(flat, other, steps=mask)["agreement"].value == pytest.approx(1 - 1 / 2500)
    probabilities = first[:, :, 0, 0]
    assert measure(probabilities, probabilities, "bc")["agreement"].value == 1.0


class Cliff(nn.Module):
    """Exported, its answer is off by less than the limits of the parity, but the step behind it makes much of that."""

    def forward(self, pixels: Tensor) -> Tensor:
        import torch

        extra = 5e-5 if torch.compiler.is_exporting() else 0.0
        return pixels + extra * pixels.max()


def test_a_metric_below_its_limit_refuses_and_is_named(make: Any, tmp_path: Path) -> None:
    frame = np.full((1, 1, 24, 24), 0.49995, np.float32)
    frame[0, 0, 0] = np.linspace(0, 2, 24)
    steps = [[make_step("binarize", {"threshold": 0.5})]]
    with pytest.raises(ExportError, match=r"agreement of 'image' \(test tensor\) is 0\.0\d+, expected 0\.999"):
        make(Cliff(), frame, post=steps)
    assert list(tmp_path.iterdir()) == []
    assert make(Cliff(), frame).passed


def test_the_report_holds_them_in_all_its_forms(make: Any, tmp_path: Path, counts: Any) -> None:
    from .networks import Smooth

    report = make(Smooth(), counts)
    content = json.loads((tmp_path / "package" / "export.json").read_text(encoding="utf-8"))
    assert content["metrics"][0]["value"] == "equal"
    assert [one["name"] for one in content["metrics"]] == ["PSNR", "SSIM", "share of change"]
    assert (content["verdict"], content["picture"]) == ("equal to the network: no value differs", "export.png")
    assert content["limits"] == {"max_relative": 2e-4, "p999_relative": 1e-4}
    text = (tmp_path / "package" / "README.md").read_text(encoding="utf-8")
    assert "**The export is equal to the network: no value differs.**" in text
    assert "| image | test tensor | PSNR | equal | 60 dB | data range" in text
    assert "(export.png)" in text
    assert report.metrics[0].words == "equal"
