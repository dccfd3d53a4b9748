"""DL-SIM as in its public code: counts of parameters, shapes, and the export of windows of phases."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import nn

from onscope.export.zoo.networks.superresolve import CascadedDlSim, DlSim

from ..proof import frame, parameters, proven, seeded


def unet(inputs: int, outputs: int) -> int:
    """Counted along the U-Net of the paper's public code, which prints its total; the paper does not."""

    def pair(a: int, b: int) -> int:
        return (9 * a + 1) * b + (9 * b + 1) * b + 4 * b

    total = pair(inputs, 64) + 64 * outputs + outputs
    for a in (64, 128, 256, 512):
        total += pair(a, 2 * a) + (4 * 2 * a + 1) * a + pair(2 * a, a)
    return total


def test_parameters_are_those_of_the_reference_code() -> None:
    assert parameters(lambda: DlSim()) == unet(15, 1)
    assert parameters(lambda: DlSim(3)) == unet(3, 1)
    assert parameters(lambda: CascadedDlSim()) == unet(15, 15) + unet(30, 1)


def test_shapes() -> None:
    phases = torch.rand(2, 3, 8, 12)
    with torch.no_grad():
        assert DlSim(3, 2, 2)(phases).shape == (2, 1, 16, 24)
        assert DlSim(3, 2, 2, scale=1)(phases).shape == (2, 1, 8, 12)
        cascaded = CascadedDlSim(3, 2, 2)
        assert cascaded(phases).shape == (2, 1, 16, 24)
        assert cascaded.restored(phases).shape == (2, 3, 16, 24)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("make", "phases"),
    [(lambda: DlSim(15, 4), 15), (lambda: DlSim(3, 4), 3), (lambda: CascadedDlSim(15, 2, 2), 15)],
    ids=["15", "3", "cascaded"],
)
def test_the_export_is_equal(make: Callable[[], nn.Module], phases: int, tmp_path: Path) -> None:
    package = proven(
        seeded(make, (2, phases, 24, 32)), tmp_path / "package", frame(1, phases, 24, 32),
        axes="btyx", output_axes="bcyx", settings={"scale": 2}, minimum=16, step=8,
    )  # fmt: skip
    assert package.outputs[0].scale == 2
