"""Heights and widths that a network takes, found by trying where nobody says them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from onscope.export._choices import Choices
from onscope.export._export import export_original
from onscope.export._sizes import STEPS
from onscope.export.pytorch import TorchNetwork
from onscope.runtime import ExportError, Package


class Levels(nn.Module):
    """A U-Net of so many levels, whose skips fit only where the image can be halved as often."""

    def __init__(self, levels: int) -> None:
        super().__init__()
        self.levels = levels
        self.down = nn.Conv2d(1, 2, 3, padding=1)
        self.each = nn.Conv2d(2, 2, 3, padding=1)
        self.up = nn.ConvTranspose2d(2, 2, 2, 2)
        self.last = nn.Conv2d(2, 1, 1)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        skips, x = [], self.down(image)
        for _ in range(self.levels):
            skips.append(x)
            x = torch.relu(self.each(nn.functional.max_pool2d(x, 2)))
        for skip in reversed(skips):
            x = self.up(x) + skip
        answer: torch.Tensor = self.last(x)
        return answer


def sizes(network: nn.Module, folder: Path, **more: object) -> tuple[object, tuple[str, ...]]:
    torch.manual_seed(0)
    choices = Choices(dtype="float32", license="CC0-1.0", authors=["A"], **more)  # type: ignore[arg-type]
    report = export_original(TorchNetwork(network.eval()), folder, choices)
    axes = {axis.get("id"): axis for axis in _described(folder)}
    assert axes["y"]["size"] == axes["x"]["size"]
    return axes["y"]["size"], report.notes


def _described(folder: Path) -> list[dict[str, object]]:
    from ruamel.yaml import YAML

    found: list[dict[str, object]] = YAML(typ="safe").load(folder / "rdf.yaml")["inputs"][0]["axes"]
    return found


@pytest.mark.long
@pytest.mark.parametrize("levels", [0, 1, 3])
def test_a_u_net_needs_no_step_to_be_said(levels: int, tmp_path: Path) -> None:
    found, notes = sizes(Levels(levels), tmp_path / "package")
    step = 2**levels
    assert found == {"min": 16, "step": step}
    assert any("found by trying" in note for note in notes) == (step > 1)
    assert Package.load(tmp_path / "package").name == "package"


@pytest.mark.long
def test_a_step_that_is_said_is_not_tried(tmp_path: Path) -> None:
    found, notes = sizes(Levels(2), tmp_path / "package", minimum=32, step=32)
    assert found == {"min": 32, "step": 32}
    assert not [note for note in notes if "trying" in note]
    with pytest.raises(ExportError, match="the minimum or the step"):
        sizes(Levels(2), tmp_path / "other", step=1)


@pytest.mark.long
def test_a_larger_minimum_is_found_before_a_larger_step(tmp_path: Path) -> None:
    assert sizes(Levels(5), tmp_path / "deepest")[0] == {"min": 32, "step": 32}


def test_where_no_size_but_the_examples_will_do_the_proof_says_so(tmp_path: Path) -> None:
    class One(nn.Module):
        def forward(self, image: torch.Tensor) -> torch.Tensor:
            if image.shape[-1] != 256:
                raise ValueError("256 pixels alone")
            return image * 1.5

    assert max(STEPS) < 256
    with pytest.raises(ExportError, match="256 pixels alone"):
        sizes(One(), tmp_path / "package")
    example = np.ones((1, 1, 256, 256), np.float32)
    assert sizes(One(), tmp_path / "fixed", example=example, fixed=True)[0] == 256
