"""Faster and Mask R-CNN: parameters as published, boxes, tables of one size, and what the runtime makes of them."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch

from onscope.export.zoo.networks.detect import FasterRcnn, MaskRcnn, anchors, decoded
from onscope.export.zoo.networks.detect.boxes import MISSING, best, clipped
from onscope.export.zoo.networks.detect.rcnn import COLUMNS, cut_out
from onscope.runtime.decode import decoder
from onscope.runtime.engines import open_session
from onscope.runtime.graph import Raw
from tests.graph.run import opened, request

from ..proof import LIMIT, answers, frame, parameters, proven, seeded

SHAPE = (64, 80)


def small(kind: type[FasterRcnn], **more: Any) -> FasterRcnn:
    numbers = {"sizes": (8, 16, 24, 32, 48), "regions": 20, "detections": 6, **more}
    return seeded(lambda: kind(2, 1, 18, 2, 8, 16, **numbers), (2, 1, *SHAPE))


def test_parameters_are_those_that_are_published() -> None:
    """torchvision states 41,755,286 and 44,401,393 for 91 classes, the background among them; its ResNet-50 counts
    53,120 parameters less, those of its normalisations, which are not trained there."""
    assert parameters(lambda: FasterRcnn(90)) == 41_755_286 + 53_120
    assert parameters(lambda: MaskRcnn(90)) == 44_401_393 + 53_120


def test_boxes_to_start_from() -> None:
    found = anchors(torch.zeros(1, 1, 2, 3), stride=8, size=16)
    assert found.shape == (2 * 3 * 3, 4)
    square = found.reshape(2, 3, 3, 4)[1, 2, 1]
    assert square.tolist() == [12 - 8, 20 - 8, 12 + 8, 20 + 8]
    tall = found[2]
    assert float((tall[2] - tall[0]) / (tall[3] - tall[1])) == pytest.approx(2)
    assert ((found[:, 2:] - found[:, :2]).prod(dim=1) - 256).abs().max() < 1e-3


def test_boxes_move_and_grow() -> None:
    box = torch.tensor([[10.0, 20.0, 18.0, 24.0]])
    assert torch.equal(decoded(box, torch.zeros(1, 4)), box)
    moved = decoded(box, torch.tensor([[5.0, -5.0, 0.0, 5 * math.log(2)]]), (10.0, 5.0))
    assert torch.allclose(moved, torch.tensor([[14.0, 16.0, 22.0, 24.0]]))
    assert bool(torch.isfinite(decoded(box, torch.full((1, 4), 1e6))).all())
    assert clipped(torch.tensor([[-3.0, 2.0, 70.0, 90.0]]), torch.zeros(1, 1, 64, 80)).tolist() == [[0, 2, 64, 80]]


def test_fewer_than_are_asked_for() -> None:
    scores, boxes = best(torch.tensor([[0.1, 0.7]]), torch.tensor([[[1.0, 1, 2, 2], [3.0, 3, 4, 4]]]), 3)
    assert scores.tolist() == [[pytest.approx(0.7), pytest.approx(0.1), MISSING]]
    assert boxes[0].tolist() == [[3, 3, 4, 4], [1, 1, 2, 2], [0, 0, 0, 0]]
    with pytest.raises(ValueError, match="found 100 detections of 2 classes in 20 regions"):
        FasterRcnn(2, width=1, features=1, hidden=1, regions=20)


def test_regions_are_cut_out_of_the_map_of_their_level() -> None:
    maps = [torch.full((1, 1, 512 // stride, 512 // stride), float(stride)) for stride in (4, 8, 16, 32, 64)]
    sides = torch.tensor([20.0, 56.0, 111.0, 112.0, 224.0, 448.0, 500.0])
    regions = torch.stack((torch.zeros(7), torch.zeros(7), sides, sides), dim=1)[None]
    assert cut_out(maps, regions, 2)[:, 0, 0, 0].tolist() == [4, 4, 4, 8, 16, 32, 32]


def test_candidates() -> None:
    network = small(MaskRcnn, least_score=0.3)
    with torch.no_grad():
        table = network(torch.rand(2, 1, *SHAPE))
        alone = FasterRcnn.forward(network, torch.rand(2, 1, *SHAPE))
    assert table.shape == (2, 6, len(COLUMNS) + 28 * 28)
    assert alone.shape == (2, 6, len(COLUMNS))
    score = table[..., 5]
    assert bool((score[:, 1:] <= score[:, :-1]).all())
    there = score > 0
    assert bool(there.any())
    assert float(score[there].min()) >= 0.3
    assert bool((table[~there] == 0).all())
    assert bool((table[..., 2:4] >= table[..., :2]).all())
    assert float(table[..., 2].max()) <= SHAPE[0]
    assert float(table[..., 3].max()) <= SHAPE[1]
    assert 0 < float(table[..., 6:].max()) <= 1


def test_an_empty_frame_of_unlikely_objects_has_no_candidates() -> None:
    with torch.no_grad():
        assert not small(MaskRcnn, least_score=1.0)(torch.zeros(1, 1, *SHAPE)).any()


BOXES = {"decode": "boxes", "columns": list(COLUMNS), "threshold": 0.1}


@pytest.mark.slow
def test_parity_of_faster_rcnn(tmp_path: Path) -> None:
    network = small(FasterRcnn)
    package = proven(
        network, tmp_path / "package", frame(1, 1, *SHAPE), [(1, 1, 33, 47), (2, 1, 96, 64)], minimum=32, step=1,
        output_axes="bic", output_names=("objects",), settings=BOXES,
    )  # fmt: skip
    kinds = [node.op_type for node in onnx.load(package.weights).graph.node]
    assert (kinds.count("RoiAlign"), kinds.count("NonMaxSuppression")) == (4, 6)
    given = frame(1, 1, *SHAPE, seed=5)
    (want,) = answers(network, given)
    rows, axes = decoder(package.outputs[0].axes, package.settings)(want)
    assert axes == "ic"
    run = opened([request(package)], Raw(SHAPE, "float32", "yx"), tmp_path / "cache")
    (found,) = run.run([given[0, 0]]).values()
    assert np.allclose(np.reshape(found, want.shape), want, atol=1e-3)
    wanted = want[0][want[0, :, 5] >= 0.1]
    assert len(wanted) > 0
    assert np.allclose(rows[:, :4], wanted[:, :4] - 0.5, atol=1e-4)  # from edges of pixels to their middles
    assert np.allclose(rows[:, 4:], wanted[:, 4:], atol=1e-6)


@pytest.mark.slow
def test_parity_of_mask_rcnn(tmp_path: Path) -> None:
    network = small(MaskRcnn)
    package = proven(
        network, tmp_path / "package", frame(1, 1, *SHAPE), fixed=True, output_axes="bic", output_names=("objects",),
        settings={**BOXES, "masks": [28, 28], "size": list(SHAPE)},
    )  # fmt: skip
    given = frame(1, 1, *SHAPE, seed=5)
    (want,) = answers(network, given)
    (have,) = open_session(package.weights, "cpu", 1).run([given])
    for columns in (slice(0, 4), slice(4, 5), slice(5, 6), slice(6, None)):  # each by its own range
        assert np.abs(have[..., columns] - want[..., columns]).max() <= LIMIT * np.ptp(want[..., columns]) + 1e-9
    labels, axes = decoder(package.outputs[0].axes, package.settings)(want)
    assert (axes, labels.shape, labels.dtype.name) == ("yx", SHAPE, "int32")
    first = want[0, 0]
    mask = first[6:].reshape(28, 28) > 0.5
    assert (labels == 1).any() == mask.any()
