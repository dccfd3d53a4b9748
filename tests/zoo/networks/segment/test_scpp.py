"""SCPP-Net: parameters of the authors' code, and an export that is equal."""

from __future__ import annotations

from pathlib import Path

import pytest

from onscope.export.zoo.networks.segment import ScppNet

from ..proof import parameters, proven, seeded


def test_parameters() -> None:
    """The sum over the layers of the authors' code, where separable convolutions have one bias, behind both parts."""
    encoder = sum(
        after * (9 * before + 1)
        for before, after in ((3, 32), (32, 32), (32, 64), (64, 64), (64, 128), (128, 128), (128, 128), (128, 256))
    ) + 2 * 256 * (9 * 256 + 1)
    branch = 9 * 256 + 512 * 257 + 2 * (512 + 512 * 513)
    scores = sum(2 * (9 * inputs + 1) + 6 for inputs in (128, 256, 256))
    assert parameters(ScppNet) == encoder + 4 * branch + 2048 + 256 * 2049 + scores + 3 == 5_088_955


@pytest.mark.slow
def test_parity(tmp_path: Path) -> None:
    network = seeded(lambda: ScppNet(1, width=2, scores=4), (2, 1, 32, 32))
    proven(
        network, tmp_path / "package", (1, 1, 32, 48), [(1, 1, 16, 64), (2, 1, 32, 16)], minimum=16, step=16,
        settings={"decode": "classes", "classes": ["background", "nucleus"], "threshold": 0.5},
    )  # fmt: skip
