"""Networks that find objects one by one, as systems: tables of as many rows as there are candidates, and masks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from onscope.export.zoo.systems import system
from onscope.export.zoo.systems._live_path import answers, movie, pipeline_of
from onscope.export.zoo.systems._package import write_seeded
from onscope.export.zoo.systems._seeded import seeded
from onscope.export.zoo.systems.segment._seeded_boxes import DETECTIONS, DIM, SIDE


def frames(*sides: int) -> list[np.ndarray]:
    """Squares that differ, of eight pixels, uint16."""
    random = np.random.default_rng(3)
    light = [np.kron(random.uniform(20, 400, (n // 8, n // 8)), np.ones((8, 8))) for n in sides]
    return [random.poisson(one).astype(np.uint16) for one in light]


@pytest.mark.parametrize("key", ["faster-rcnn", "mask-rcnn"])
def test_seeded_weights_tell_candidates_apart(key: str) -> None:
    network = seeded(system(key).network())
    (frame,) = frames(128)
    with torch.no_grad():
        rows = network(torch.from_numpy(DIM * (frame / frame.max()).astype(np.float32))[None, None])[0]
    scores = rows[:, 5]
    assert int((scores > 0).sum()) > DETECTIONS // 2
    assert float((scores[:-1] - scores[1:]).min()) > 1e-5, "candidates that score the same may change places"
    assert float((rows[:, 2:4] - rows[:, :2])[scores > 0].min()) > 1


@pytest.mark.slow
def test_a_table_has_a_row_per_candidate_that_reaches_the_threshold(tmp_path: Path) -> None:
    one = system("faster-rcnn")
    folder = write_seeded(one, tmp_path).folder
    text = one.live.pipeline.replace('{package: "{package}"}', '{package: "{package}", decode: {threshold: 0.9}}')
    every, sure = (
        [result["objects"] for result in answers(pipeline_of(pipeline, folder), movie(frames(64, 64, 64)))]
        for pipeline in (one.live.pipeline, text)
    )
    assert set(every[0].dtype.names) >= {"y0", "x0", "y1", "x1", "class", "score"}
    for all_of_them, chosen in zip(every, sure, strict=True):
        assert 0 < len(all_of_them) <= DETECTIONS
        assert len(chosen) == (all_of_them["score"] >= 0.9).sum()
    assert len({len(table) for table in (*every, *sure)}) > 1, "tables have as many rows as there are objects"


@pytest.mark.slow
def test_masks_become_a_label_image(tmp_path: Path) -> None:
    one = system("mask-rcnn")
    folder = write_seeded(one, tmp_path).folder
    (result,) = answers(pipeline_of(one.live.pipeline, folder), movie(frames(SIDE)))
    labels = result["objects"]
    assert (labels.shape, labels.dtype.name) == ((SIDE, SIDE), "int32")
    assert 0 < len(np.unique(labels[labels > 0])) <= DETECTIONS
