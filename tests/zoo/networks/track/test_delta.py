"""DeLTA's two U-Nets: parameters, probabilities, exports that are equal, and tracks that the runtime makes by them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from onscope.export.zoo.networks.track import DELTA_PAIR, DeltaSegmentation, DeltaTracking
from onscope.runtime.crops import CropSettings, PairNetwork, PairTracker
from onscope.runtime.graph import Raw
from tests.crops.networks import objects
from tests.graph.run import request

from ..proof import frame, parameters, proven, seeded, shape_of


def test_parameters() -> None:
    """A U-Net's of 64 to 1024 features, layer by layer; no total is stated in the paper."""

    def pair(inputs: int, outputs: int) -> int:
        return (9 * inputs + 1) * outputs + (9 * outputs + 1) * outputs

    def unet(inputs: int, classes: int) -> int:
        total = pair(inputs, 64) + 65 * classes
        for width in (64, 128, 256, 512):
            total += pair(width, 2 * width) + (4 * 2 * width + 1) * width + pair(2 * width, width)
        return total

    assert parameters(DeltaSegmentation) == unet(1, 1)
    assert parameters(DeltaTracking) == unet(4, 3)


def test_the_mothers_machine_and_probabilities() -> None:
    assert shape_of(DeltaSegmentation(2), (2, 1, 256, 32)) == (2, 1, 256, 32)
    network = seeded(lambda: DeltaTracking(2))
    pair = torch.rand(1, 4, 32, 32)
    with torch.no_grad():
        found, whole = network(pair), torch.softmax(network.logits(pair), dim=1)
    assert torch.equal(found, whole[:, :2])
    assert float(found.sum(dim=1).max()) <= 1


def test_the_convolution_behind_repetition_sees_below_and_right() -> None:
    """As "same" means for 2x2 convolutions in the authors' framework."""
    up = DeltaSegmentation(1, depth=1).unet.up[0]
    convolution = up[2]  # type: ignore[index]
    with torch.no_grad():
        convolution.weight.zero_()
        convolution.bias.zero_()
        convolution.weight[:, :, 1, 1] = 1
        found = up(torch.tensor([[[[1.0, 2.0]], [[0.0, 0.0]]]]))
    assert found[0, 0].tolist() == [[1, 2, 2, 0], [0, 0, 0, 0]]


@pytest.mark.slow
def test_parity_of_segmentation(tmp_path: Path) -> None:
    proven(
        seeded(lambda: DeltaSegmentation(4, depth=2)), tmp_path / "package", frame(1, 1, 32, 16),
        [(1, 1, 20, 24), (2, 1, 16, 16)], minimum=16, step=4, settings={"decode": "instances", "maps": ["foreground"]},
    )  # fmt: skip


@pytest.fixture(scope="module")
def tracking(tmp_path_factory: pytest.TempPathFactory) -> PairNetwork:
    network = seeded(lambda: DeltaTracking(4, depth=2))
    package = proven(
        network, tmp_path_factory.mktemp("delta") / "package", frame(1, 4, 32, 24), [(3, 4, 16, 32)], minimum=16,
        step=4, channel_names=DELTA_PAIR, settings={"pair": list(DELTA_PAIR)},
    )  # fmt: skip
    return PairNetwork(request(package), CropSettings(side=16), Raw((48, 40), "float32"), ("cpu", 1))


@pytest.mark.long
def test_parity_of_tracking_and_what_the_runtime_feeds(tracking: PairNetwork) -> None:
    assert tracking.parts == DELTA_PAIR
    assert tracking.side == 16


def test_objects_are_linked_by_the_masks(tracking: PairNetwork) -> None:
    """An untrained network sees cells everywhere, but links are of objects that are there."""
    centres = np.array([[10.0, 12.0], [30.0, 25.0]])
    tracker = PairTracker(tracking)
    for number in range(3):
        labels = np.zeros((48, 40), np.int32)
        for name, (y, x) in enumerate(centres.astype(int), 1):
            labels[y - 3 : y + 4, x - 2 : x + 3] = name
        found = tracker.update(number, frame(48, 40, seed=number), labels, objects(centres))
        assert found["row"].tolist() == [0, 1]
        assert (found["track"] > 0).all()
        centres[:, 0] += 1
