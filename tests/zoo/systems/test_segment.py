"""Systems for single nuclei: targets are what they are said to be, losses fall, scores tell right from wrong."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pytest
import torch

from onscope.export.zoo.networks.segment import Cellpose, UNet, touching_weights
from onscope.export.zoo.recipes import Nuclei
from onscope.export.zoo.systems._augment import turned
from onscope.export.zoo.systems.segment import cellpose_cells
from onscope.export.zoo.systems.segment._cellpose_task import LENGTH, CellposeTask, turned_flow
from onscope.export.zoo.systems.segment._fields import between, normalised, outlines
from onscope.export.zoo.systems.segment._flow_targets import flows
from onscope.export.zoo.systems.segment._measured import METRICS, best_watershed, compared
from onscope.export.zoo.systems.segment._unet_task import INSIDE, OUTLINE, UnetTask, classes_of
from onscope.runtime.decode import decoder
from onscope.runtime.package import make_step
from tests.zoo.networks.proof import parameters, shape_of

Labels = npt.NDArray[np.int32]


def blobs(
    shape: tuple[int, int] = (72, 72), centres: Sequence[tuple[int, int]] = ((20, 22), (22, 46), (52, 30))
) -> Labels:
    """Ellipses of 24 by 20 pixels; the first two touch."""
    y, x = np.mgrid[: shape[0], : shape[1]]
    labels = np.zeros(shape, np.int32)
    for number, (down, across) in enumerate(centres, start=1):
        labels[((y - down) / 10) ** 2 + ((x - across) / 12.5) ** 2 < 1] = number
    return labels


def bank() -> dict[str, npt.NDArray[np.generic]]:
    """Two fields of bright blobs in noise."""
    rng, labels = np.random.default_rng(0), blobs()
    frames = [normalised(rng.poisson(20 + 200 * (one > 0))) for one in (labels, labels[::-1])]
    named = [labels, labels[::-1]]
    gaps = [between(np.where(outlines(one), 0, one)) for one in named]
    return {
        "frame": np.stack(frames).astype(np.float16),
        "labels": np.stack(named).astype(np.int16),
        "gap": np.stack(gaps).astype(np.float16),
    }


def losses(task: UnetTask | CellposeTask, steps: int) -> list[float]:
    rng = np.random.default_rng(0)
    optimizer = torch.optim.Adam(task.network.parameters(), lr=1e-2)
    found = []
    for _ in range(steps):
        loss = task.loss(rng)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        found.append(float(loss.detach()))
    return found


def test_between_is_the_weight_of_the_paper() -> None:
    labels = blobs()
    expected = touching_weights(labels, w0=1, sigma=4, balance=False) - 1
    found = np.where(labels > 0, 0, between(labels))
    assert expected.max() > 0.3
    assert np.abs(found - expected).max() < 1e-3
    assert not between(np.zeros((9, 9), np.int32)).any()


def test_nuclei_that_touch_are_parted_by_their_outlines() -> None:
    labels = np.zeros((15, 30), np.int32)
    labels[2:13, 2:15], labels[2:13, 15:28] = 1, 2
    classes = classes_of(labels)
    assert classes[7].tolist() == [0, 0, OUTLINE, *[INSIDE] * 11, OUTLINE, OUTLINE, *[INSIDE] * 11, OUTLINE, 0, 0]
    assert not classes[labels == 0].any()


def test_the_u_net_learns() -> None:
    torch.manual_seed(0)
    found = losses(UnetTask(UNet(1, 3, 4, 2, norm=True), bank(), batch=2, side=48), 40)
    assert np.mean(found[-5:]) < 0.6 * np.mean(found[:5])


def test_flows_lead_back_to_the_objects() -> None:
    labels = blobs()
    flow = flows(labels)
    assert (np.abs(np.hypot(*flow)[labels > 0] - 1) < 1e-3).mean() > 0.99  # none in the very middle
    assert not flow[:, labels == 0].any()
    assert flow[0, 12, 22] > 0.9  # above the middle it leads down
    answer = np.concatenate((LENGTH * flow, np.where(labels > 0, 5, -5)[None])).astype(np.float32)
    decode = decoder(["channel", "y", "x"], {}, [make_step("cellpose_flow_dynamics", cellpose_cells.DECODED)])
    told = compared(labels, np.asarray(decode(answer)[0], np.int32))
    assert (told.instances.f1(0.9), told.instances.found) == (1.0, 3)


@pytest.mark.parametrize("way", range(8))
def test_flows_turn_with_their_objects(way: int) -> None:
    labels = blobs((70, 64), ((20, 22), (22, 46)))
    assert np.allclose(turned_flow(turned(flows(labels), way), way), flows(turned(labels, way)), atol=1e-5)


def test_cellpose_learns() -> None:
    torch.manual_seed(0)
    found = losses(CellposeTask(Cellpose(1, (4, 8, 16)), bank(), batch=2, side=48), 40)
    assert np.mean(found[-5:]) < 0.8 * np.mean(found[:5])


def test_cellpose_has_the_published_size() -> None:
    """Of each level by the layers of the authors' code; 6.6 million for one or two inputs."""

    def step(inputs: int, outputs: int, kernel: int = 9) -> int:
        return 2 * inputs + outputs * (kernel * inputs + 1)

    down = sum(step(a, b, 1) + step(a, b) + 3 * step(b, b) for a, b in ((2, 32), (32, 64), (64, 128), (128, 256)))
    up = sum(
        step(a, b, 1) + step(a, b) + 3 * step(b, b) + 3 * 257 * b
        for a, b in ((256, 256), (256, 128), (128, 64), (64, 32))
    )
    assert parameters(Cellpose) == down + up + step(32, 3, 1)
    assert 6.5e6 < parameters(Cellpose) < 6.7e6
    assert shape_of(Cellpose(1, (2, 4)), (2, 1, 24, 16)) == (2, 3, 24, 16)


def test_scores_of_a_known_case() -> None:
    truth = blobs()
    half = np.where(truth == 3, 0, truth)  # one of three is missing
    told = compared(truth, half)
    values = {name: value(told) for name, _, _, value in METRICS}
    assert values["F1 at 0.5"] == pytest.approx(2 * 2 / 5)
    assert values["IoU"] == pytest.approx((half > 0).sum() / (truth > 0).sum())
    assert values["error of the count"] == pytest.approx(100 / 3)
    assert values["error of the mean area"] < 2
    nothing = compared(truth, np.zeros_like(truth))
    assert (nothing.instances.f1(0.5), nothing.area_error, nothing.count_error) == (0.0, 100.0, 100.0)
    assert (told + nothing).instances.true == 6


def test_the_watershed_finds_what_is_bright() -> None:
    labels = blobs()
    counts = np.random.default_rng(0).poisson(20 + 200 * (labels > 0)).astype(np.uint16)
    (found,) = best_watershed([Nuclei(counts, labels, 0.5)])
    assert compared(labels, np.asarray(found, np.int32)).instances.f1(0.7) == 1.0
