"""FNet as in the paper: counts of parameters, shapes, and the export of stacks."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from onscope.export.zoo.networks.restore import FNet

from ..proof import frame, parameters, proven, seeded


def test_parameters_are_those_of_the_reference_code() -> None:
    # Counted along pytorch_fnet's fnet_nn_3d with its depth of 4 and 32 channels; the paper prints no total.
    def pair(inputs: int, outputs: int) -> int:
        return (27 * inputs + 1) * outputs + (27 * outputs + 1) * outputs + 4 * outputs

    expected = pair(1, 32) + 32 * 27 + 1 + sum(pair(32 * 2**n, 64 * 2**n) for n in range(4))
    for n in range(4):
        width = 32 * 2**n
        expected += (8 * width + 1) * width + (8 * 2 * width + 1) * width + 4 * width  # down, up, their norms
        expected += pair(2 * width, width)
    assert parameters(lambda: FNet()) == expected


def test_the_shape_stays() -> None:
    with torch.no_grad():
        assert FNet(2, 2)(torch.rand(2, 4, 8, 12)).shape == (2, 4, 8, 12)


@pytest.mark.slow
def test_the_export_is_equal(tmp_path: Path) -> None:
    network = seeded(lambda: FNet(4, 2), (2, 8, 24, 32))
    package = proven(network, tmp_path / "package", frame(1, 8, 24, 32), axes="bzyx", minimum=16, step=4)
    assert package.inputs[0].axes == package.outputs[0].axes
