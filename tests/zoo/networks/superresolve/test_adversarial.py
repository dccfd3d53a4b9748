"""The two conditional GANs of microscopy: counts of parameters, shapes, and the export of their generators."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from onscope.export.zoo.networks.superresolve import (
    AnnaPalm,
    AnnaPalmDiscriminator,
    CrossModality,
    CrossModalityDiscriminator,
)

from ..proof import frame, parameters, proven, seeded, weights


def test_anna_palm_has_the_parameters_of_its_code() -> None:
    # Counted along ANNA-PALM's networks_tensorflow_legacy, with one image in and out; the paper prints no total.
    down = [(1, 64), (64, 128), (128, 256), (256, 512), *[(512, 512)] * 4]
    up = [(512, 512), *[(1024, 512)] * 3, (1024, 256), (512, 128), (256, 64), (128, 1)]
    norms = 2 * (sum(b for _, b in down[1:]) + sum(b for _, b in up[:-1]))
    assert parameters(lambda: AnnaPalm(inputs=1)) == 16 * sum(a * b for a, b in (*down, *up)) + norms
    judging = [(2, 64), (64, 128), (128, 256), (256, 512), (512, 1)]
    assert weights(lambda: AnnaPalmDiscriminator(inputs=1)) == 16 * sum(a * b for a, b in judging)


def test_anna_palm_s_shapes() -> None:
    with torch.no_grad():
        drawn = AnnaPalm(2).eval()(torch.rand(1, 2, 256, 256))
        assert drawn.shape == (1, 1, 256, 256)
        assert float(drawn.abs().max()) <= 1
        assert AnnaPalmDiscriminator(2)(torch.rand(1, 2, 256, 256), drawn).shape == (1, 1, 30, 30)


def test_the_cross_modality_s_shapes_and_weights() -> None:
    with torch.no_grad():
        assert CrossModality(2)(torch.rand(2, 1, 16, 32)).shape == (2, 1, 16, 32)
        assert CrossModalityDiscriminator(2)(torch.rand(2, 1, 32, 40)).shape == (2, 1)
    # Neither the paper nor code of its authors prints a total: layer by layer as its methods describe them.
    down = [(1, 64), (64, 64), (64, 64), (64, 128), *[(128, 128)] * 2, (128, 256), *[(256, 256)] * 2, (256, 512)]
    down += [(512, 512)] * 3  # with the middle
    up = [(1024, 256), *[(256, 256)] * 2, (512, 128), *[(128, 128)] * 2, (256, 64), *[(64, 64)] * 2]
    up += [(128, 64), *[(64, 64)] * 2, (64, 1)]
    assert weights(lambda: CrossModality()) == 9 * sum(a * b for a, b in (*down, *up))


@pytest.mark.slow
def test_anna_palm_is_exported_equal(tmp_path: Path) -> None:
    network = seeded(lambda: AnnaPalm(2, depth=4), (2, 2, 32, 48))
    proven(network, tmp_path / "package", frame(1, 2, 32, 48), output_axes="bcyx", minimum=16, step=16)


@pytest.mark.slow
def test_the_cross_modality_is_exported_equal(tmp_path: Path) -> None:
    network = seeded(lambda: CrossModality(4, depth=3), (2, 1, 24, 32))
    proven(network, tmp_path / "package", frame(1, 1, 24, 32), minimum=16, step=8)
