"""Small ONNX files, written by hand and by torch, for the tests of the routes that begin with one."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn

from onscope.export import Choices, export_original
from onscope.export._original import Stated
from onscope.export.routes import load
from onscope.runtime import Package
from onscope.runtime.engines import open_session

Sizes = Sequence[int | str | None]
TOLD = Choices(name="a network", authors=["A. Author"], license="MIT")


class Ladder(nn.Module):
    """A U-Net of a few features: `steps` poolings, so that sizes must be multiples of 2 ** steps."""

    def __init__(self, channels: int = 1, answers: int = 1, steps: int = 2, deep: bool = False) -> None:
        super().__init__()
        torch.manual_seed(3)
        conv = nn.Conv3d if deep else nn.Conv2d
        self.first = conv(channels, 4, 3, padding=1)
        self.down = nn.ModuleList(conv(4, 4, 3, padding=1) for _ in range(steps))
        self.pool = nn.MaxPool3d(2) if deep else nn.MaxPool2d(2)
        self.up = nn.Upsample(scale_factor=2, mode="nearest")
        self.last = conv(4, answers, 1)

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        kept = [torch.relu(self.first(pixels))]
        for conv in self.down:
            kept.append(torch.relu(conv(self.pool(kept[-1]))))
        found = kept.pop()
        while kept:
            found = self.up(found) + kept.pop()
        answer: torch.Tensor = self.last(found)
        return answer


class ChannelsLast(nn.Module):
    """A network behind and before a change of layout."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        n = pixels.ndim
        answer: torch.Tensor = self.network(pixels.permute(0, n - 1, *range(1, n - 1)))
        return answer.permute(0, *range(2, n), 1)


class Three(nn.Module):
    """Three outputs: an image, one of half the size with two channels, and a number per image."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(5)
        self.one, self.two = nn.Conv2d(1, 1, 3, padding=1), nn.Conv2d(1, 2, 2, stride=2)

    def forward(self, pixels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        return self.one(pixels), self.two(pixels), pixels.mean((2, 3))


def by_torch(
    network: nn.Module, shape: tuple[int, ...], path: Path, opset: int = 13, free: Mapping[int, str] | None = None
) -> Path:
    """Written by torch's TorchScript exporter; all sizes fixed but those of `free`."""
    named = {"in": dict(free)} if free else None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of opset 9 torch warns that it enlarges in another way
        torch.onnx.export(
            network.eval(), (torch.rand(shape),), str(path), dynamo=False, opset_version=opset, input_names=["in"],
            dynamic_axes=named,
        )  # fmt: skip
    return path


def written(
    path: Path, nodes: Sequence[Any], given: Sizes, opset: int, weights: Mapping[str, Any] | None = None,
    outputs: Sequence[str] = ("y",), domain: str = "", rank: int | None = None, dtype: int = TensorProto.FLOAT,
) -> Path:  # fmt: skip
    """A file of these nodes, which begin with "x" and end with `outputs`."""
    constants = [numpy_helper.from_array(np.asarray(array), name) for name, array in (weights or {}).items()]
    answers = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, [None] * (len(given) if rank is None else rank))
        for name in outputs
    ]
    graph = helper.make_graph(
        list(nodes), "g", [helper.make_tensor_value_info("x", dtype, list(given))], answers, constants
    )
    opsets = [helper.make_opsetid("", opset), *([helper.make_opsetid(domain, 1)] if domain else [])]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=4 if opset < 13 else 10)
    onnx.save(model, path)
    return path


def convolution(channels: int = 1, features: int = 2, side: int = 3) -> Any:
    """Seeded weights."""
    return np.random.default_rng(1).normal(0, 0.3, (features, channels, side, side)).astype(np.float32)


def answers_of(path: Path, array: Any) -> list[Any]:
    """What the file itself answers in ONNX Runtime."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    found: list[Any] = session.run(None, {session.get_inputs()[0].name: array})
    return found


def package_answers(folder: Path, array: Any) -> list[Any]:
    """What a package's network answers."""
    return open_session(Package.load(folder).weights, "cpu", 1).run([array])


def close(found: Any, wanted: Any) -> bool:
    """Whether two answers are the same up to rounding."""
    same: bool = found.shape == wanted.shape and np.abs(found - wanted).max() <= 1e-5 * max(1e-3, np.ptp(wanted))
    return same


def exported(path: Path, choices: Choices | None = None) -> Any:
    """Into a folder beside the file; without choices on a small frame where the network takes any size."""
    original = load(path)
    example = small(original.stated) if original.stated.axes else None
    choices = choices or replace(TOLD, example=example)
    return export_original(original, path.parent / f"{path.stem}-package", choices)


def small(stated: Stated) -> Any:
    """About 48x56 seeded pixels, where height and width are not those of the file."""
    sides = {"y": 48, "x": 56}
    step, minimum = stated.step or 1, stated.minimum or 1
    usual = {letter: minimum + (side - minimum) // step * step for letter, side in sides.items()}
    shape = [size or usual.get(letter, 1) for letter, size in zip(stated.axes, stated.shape, strict=True)]
    random = np.random.default_rng(5)
    return random.random(shape, np.float32) if stated.dtype == "float32" else random.integers(0, 999, shape, np.uint16)


def pixels(*shape: int) -> Any:
    return np.random.default_rng(7).random(shape, np.float32)
