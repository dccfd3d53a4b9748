"""Which tensors of a checkpoint are taken: keys, prefixes, running means, and what is no state dict."""

from __future__ import annotations

import re
import tarfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from onscope.export.routes._state_dict import load_state_dict
from onscope.export.routes._torchscript import load_torchscript
from onscope.runtime import ExportError

from .networks import Smooth

SMOOTH = f"{Smooth.__module__}:Smooth"
STATE = Smooth().state_dict()
MEAN = {name: value * 0.5 for name, value in STATE.items()}


class One(nn.Module):
    """A network whose only tensor is called "weight"."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(2))


class Lazy(nn.Module):
    """Knows its shapes when it has seen tensors."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.LazyConv2d(2, 3)

    def forward(self, pixels: Tensor) -> Tensor:
        answer: Tensor = self.layer(pixels)
        return answer


def under(prefix: str, tensors: Mapping[str, Any]) -> dict[str, Any]:
    return {f"{prefix}{name}": value for name, value in tensors.items()}


def trained() -> dict[str, Any]:
    """The state of an optimizer that has made a step."""
    network = Smooth()
    optimizer = torch.optim.Adam(network.parameters())
    sum(parameter.sum() for parameter in network.parameters()).backward()  # type: ignore[union-attr]
    optimizer.step()
    return optimizer.state_dict()


def averaged() -> dict[str, Any]:
    return AveragedModel(Smooth()).state_dict()


def saved(content: Any, folder: Path, **how: Any) -> Path:
    torch.save(content, folder / "checkpoint.pt", **how)
    return folder / "checkpoint.pt"


def taken(path: Path, key: str = "") -> tuple[float, tuple[str, ...]]:
    """How much of STATE the tensors are (1.0: they are), and the notes."""
    original = load_state_dict(path, SMOOTH, key=key)
    found = original.network.state_dict()
    share = float(found["up.weight"].flatten()[0] / STATE["up.weight"].flatten()[0])
    assert all(torch.equal(found[name], value * share) for name, value in STATE.items())
    return share, original.stated.notes


@pytest.mark.parametrize(
    ("content", "note"),
    [
        (STATE, ""),
        ({"epoch": 3, "model": STATE, "optimizer": trained(), "best": 0.5, "rng": torch.get_rng_state()}, "'model'"),
        ({"netG": STATE, "netD": {"x": torch.ones(1)}}, "'netG'"),
        ({"checkpoint": {"model": {"state_dict": STATE}}}, "'checkpoint.model.state_dict'"),
        ({"network": dict(Smooth().named_parameters())}, "'network'"),
        ({"model": STATE, "ema": STATE}, "'model'"),
        (under("_orig_mod.", STATE), ""),
        (under("module._orig_mod.", STATE), ""),
        ({"state_dict": under("model._orig_mod.", STATE)}, "'state_dict.model'"),
        ({"state_dict": {**under("model.", STATE), "loss.weight": torch.ones(2)}}, "beside them .*loss.weight"),
        (averaged(), "such as n_averaged"),
    ],
)
def test_one_set_that_fits(tmp_path: Path, content: Any, note: str) -> None:
    share, notes = taken(saved(content, tmp_path))
    assert share == 1.0
    assert re.search(note, " ".join(notes))
    assert bool(notes) == bool(note)


@pytest.mark.parametrize(
    ("content", "keys"),
    [
        ({"model": STATE, "ema": MEAN}, ("model", "ema")),
        ({"params": STATE, "params_ema": MEAN}, ("params", "params_ema")),
        ({"state_dict": STATE, "model_ema": {"module": MEAN}}, ("state_dict", "model_ema.module")),
        (
            {"state_dict": {**under("model.", STATE), **under("ema_model.", MEAN)}},
            ("state_dict.model", "state_dict.ema_model"),
        ),
    ],
)
def test_a_running_mean_beside_the_last_tensors(tmp_path: Path, content: Any, keys: tuple[str, str]) -> None:
    path = saved(content, tmp_path)
    words = rf"found 2 state dicts in checkpoint.pt that fit and differ \(under '{keys[0]}' and '{keys[1]}'\), .* --key"
    with pytest.raises(ExportError, match=words):
        taken(path)
    assert taken(path, keys[0])[0] == 1.0
    assert taken(path, keys[1])[0] == 0.5
    with pytest.raises(ExportError, match="no state dict under 'teacher'"):
        taken(path, "teacher")


def test_a_tensor_of_another_part_is_not_taken_for_it(tmp_path: Path) -> None:
    one = f"{__name__}:One"
    path = saved({"weight": torch.ones(2), "head.weight": torch.full((2,), 7.0)}, tmp_path)
    with pytest.raises(ExportError, match=r"1 unknown, such as head.weight"):
        load_state_dict(path, one)
    path = saved({"body.weight": torch.ones(2), "head.weight": torch.full((2,), 7.0)}, tmp_path)
    with pytest.raises(ExportError, match=r"fit and differ .under 'body' and 'head'"):
        load_state_dict(path, one)


def test_kinds_of_numbers(tmp_path: Path) -> None:
    half = load_state_dict(saved({name: value.half() for name, value in STATE.items()}, tmp_path), SMOOTH).network
    assert torch.equal(half.state_dict()["up.weight"], STATE["up.weight"].half().float())
    changes: tuple[tuple[Callable[[Any], Any], str], ...] = (
        (lambda value: value.to(torch.complex64), "4 of another shape or kind of numbers"),
        (lambda value: value.to("meta"), "that PyTorch cannot give to .*expected plain ones"),
        (lambda value: value.to_sparse(), "that PyTorch cannot give to .*expected plain ones"),
    )
    for change, words in changes:
        path = saved({name: change(value) for name, value in STATE.items()}, tmp_path)
        with pytest.raises(ExportError, match=words) as caught:
            load_state_dict(path, SMOOTH)
        assert "\n" not in str(caught.value)


def test_shapes_that_come_with_the_tensors(tmp_path: Path) -> None:
    layer = nn.Conv2d(3, 2, 3)
    network = load_state_dict(saved(under("layer.", layer.state_dict()), tmp_path), f"{__name__}:Lazy").network
    pixels = torch.rand(1, 3, 8, 8)
    assert torch.equal(network(pixels), layer(pixels))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ([1, 2], "found list in checkpoint.pt, expected a state dict"),
        ({"epoch": 3}, "found no state dict in checkpoint.pt"),
        ({}, "4 missing, such as down.bias"),
        ({0: torch.ones(1)}, "4 missing, such as down.bias; 1 unknown, such as 0"),
        ({name: value.numpy() for name, value in STATE.items()}, "arrays of NumPy"),
    ],
)
def test_what_is_no_state_dict(tmp_path: Path, content: Any, words: str) -> None:
    with pytest.raises(ExportError, match=words):
        load_state_dict(saved(content, tmp_path), SMOOTH)


def test_old_files(tmp_path: Path) -> None:
    old = saved(STATE, tmp_path, _use_new_zipfile_serialization=False)  # before 1.6
    assert taken(old)[0] == 1.0
    with tarfile.open(tmp_path / "checkpoint.tar", "w") as archive:
        archive.add(old, "checkpoint.pt")
    with pytest.raises(ExportError, match=r"found an archive of tar in checkpoint.tar.* unpack it"):
        load_state_dict(tmp_path / "checkpoint.tar", SMOOTH)


@pytest.mark.parametrize("how", [{}, {"_use_new_zipfile_serialization": False}])
def test_damaged_files(tmp_path: Path, how: Any) -> None:
    whole = saved(STATE, tmp_path, **how).read_bytes()
    random = np.random.default_rng(5)
    refusals = []
    for _ in range(150):
        start, size = int(random.integers(len(whole))), int(random.integers(1, 60))
        damaged = whole[:start] + random.bytes(int(random.integers(0, 60))) + whole[start + size :]
        (tmp_path / "damaged.pt").write_bytes(damaged)
        try:
            load_state_dict(tmp_path / "damaged.pt", SMOOTH)
        except ExportError as error:
            refusals.append(str(error))
    assert len(refusals) > 75
    assert not any("\n" in refusal for refusal in refusals)


def test_an_archive_that_would_fill_the_memory(tmp_path: Path) -> None:
    torch.jit.save(torch.jit.script(nn.Identity()), tmp_path / "script.pt")
    for source, load in (
        (saved(STATE, tmp_path), lambda path: load_state_dict(path, SMOOTH)),
        (tmp_path / "script.pt", load_torchscript),
    ):
        with zipfile.ZipFile(source) as old, zipfile.ZipFile(tmp_path / "bomb.pt", "w", zipfile.ZIP_DEFLATED) as new:
            for entry in old.infolist():
                new.writestr(entry.filename, old.read(entry.filename))
            new.writestr(f"{old.namelist()[0].partition('/')[0]}/data/99", bytes(40 << 20))
        with pytest.raises(ExportError, match=r"found bomb.pt of \d+ kB that unpacks to 40 MB"):
            load(tmp_path / "bomb.pt")
