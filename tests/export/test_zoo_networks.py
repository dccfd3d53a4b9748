"""The networks as plain PyTorch: the fixed parts are right, training is seeded and writes what it says."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from onscope.export.zoo._frames import level_and_noise, padded
from onscope.export.zoo.care import Care
from onscope.export.zoo.espcn import Espcn
from onscope.export.zoo.train import app
from onscope.export.zoo.unet_spots import UnetSpots

SIZES = [(16, 16), (17, 16), (31, 45), (64, 50)]


def counts(shape: tuple[int, int], seed: int = 0) -> torch.Tensor:
    frame = np.random.default_rng(seed).poisson(100, (1, 1, *shape)).astype(np.uint16)
    return torch.from_numpy(frame)


def test_untrained_x2_is_bicubic_interpolation() -> None:
    frame = np.random.default_rng(0).uniform(100, 900, (33, 20)).astype(np.float32)
    with torch.no_grad():
        ours = Espcn().enlarge(torch.from_numpy(frame)[None, None])[0, 0].numpy()
    assert ours == pytest.approx(cv2.resize(frame, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC), abs=1e-2)


@pytest.mark.parametrize("deviation", [1.0, 5.0, 40.0])
def test_noise_is_measured_beside_a_ramp(deviation: float) -> None:
    ramp = torch.linspace(0, 500, 256).expand(1, 1, 256, 256)
    level, noise = level_and_noise(ramp + deviation * torch.randn(1, 1, 256, 256, generator=torch.manual_seed(0)))
    assert float(noise) == pytest.approx(deviation, rel=0.03)
    assert float(level) == pytest.approx(250, abs=1)


def test_padding_repeats_the_border() -> None:
    image = torch.arange(15.0).reshape(1, 1, 3, 5)
    wide = padded(image, 4, margin=1)
    assert wide.shape == (1, 1, 6, 10)
    assert np.array_equal(wide[0, 0].numpy(), np.pad(image[0, 0].numpy(), ((1, 2), (1, 4)), mode="edge"))


@pytest.mark.parametrize("size", SIZES)
def test_any_size_is_taken(size: tuple[int, int]) -> None:
    with torch.no_grad():
        assert Care()(counts(size)).shape == (1, 1, *size)
        assert Espcn()(counts(size)).shape == (1, 1, 2 * size[0], 2 * size[1])
        assert UnetSpots()(counts(size)).shape == (2048, 3)
        assert Care()(counts(size)).dtype == Espcn()(counts(size)).dtype == torch.uint16


def test_offset_and_gain_of_the_camera_do_not_matter() -> None:
    torch.manual_seed(0)
    network = Care()
    frame = torch.randn(1, 1, 40, 40) * 20 + 300
    with torch.no_grad():
        assert torch.allclose(network.restore(frame * 3 + 500), network.restore(frame) * 3 + 500, atol=1e-2)


def test_training_is_seeded_and_writes_weights_and_account(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        outcome = CliRunner().invoke(app, ["care", "--out", str(tmp_path / folder), "--steps", "2", "--seed", "7"])
        assert outcome.exit_code == 0, outcome.output
    first, second = (torch.load(tmp_path / folder / "care.pt", weights_only=True) for folder in ("a", "b"))
    assert all(torch.equal(first[name], second[name]) for name in first)
    account = json.loads((tmp_path / "a" / "care.json").read_text(encoding="utf-8"))
    assert (account["name"], account["steps"], account["seed"], len(account["curve"])) == ("care", 2, 7, 2)
    Care().load_state_dict(first)


@pytest.mark.parametrize("name", ["espcn", "spots"])
def test_the_others_train_behind_the_shipped_denoiser(name: str, tmp_path: Path) -> None:
    outcome = CliRunner().invoke(app, [name, "--out", str(tmp_path), "--steps", "1"])
    assert outcome.exit_code == 0, outcome.output
    assert (tmp_path / f"{name}.pt").is_file()
