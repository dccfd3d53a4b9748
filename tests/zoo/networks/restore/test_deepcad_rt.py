"""DeepCAD-RT as published, and the variant that answers the newest frame."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from onscope.export.zoo.networks.restore import DeepCadRt

from ..proof import frame, parameters, proven, seeded


def test_parameters_are_those_of_the_paper() -> None:
    assert parameters(lambda: DeepCadRt()) == 1_020_337  # figure 1a
    assert parameters(lambda: DeepCadRt(64)) == 16_315_585  # DeepCAD, before the pruning
    assert parameters(lambda: DeepCadRt(causal=True)) == 1_020_337


def test_shapes() -> None:
    movie = torch.rand(2, 8, 16, 24)
    with torch.no_grad():
        assert DeepCadRt(2)(movie).shape == movie.shape
        assert DeepCadRt(2, causal=True)(movie).shape == (2, 1, 16, 24)


def test_the_causal_one_looks_at_all_frames_of_its_window() -> None:
    network = seeded(lambda: DeepCadRt(2, causal=True))
    movie = torch.rand(1, 8, 16, 16, requires_grad=True)
    network(movie).sum().backward()
    assert movie.grad is not None
    assert (movie.grad.abs().sum(dim=(0, 2, 3)) > 0).all()


@pytest.mark.slow
def test_windows_are_equal(tmp_path: Path) -> None:
    proven(seeded(lambda: DeepCadRt(2)), tmp_path / "package", frame(1, 8, 24, 32), axes="btyx", minimum=16, step=8)


@pytest.mark.slow
def test_newest_frames_are_equal(tmp_path: Path) -> None:
    package = proven(
        seeded(lambda: DeepCadRt(2, causal=True)), tmp_path / "package", frame(1, 8, 24, 32),
        axes="btyx", output_axes="bcyx", minimum=16, step=8,
    )  # fmt: skip
    assert package.outputs[0].axes == ("batch", "channel", "y", "x")
