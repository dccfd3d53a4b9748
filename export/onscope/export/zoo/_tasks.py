"""The trainings: which examples a network sees and what it is told about its answer."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import onnxruntime as ort
import torch
from torch import Tensor, nn

from ._losses import FALSE_ALARM_WEIGHT, decibels, spot_loss, spot_targets
from ._mitosis_task import MitosisTask
from ._nuclei_task import NucleiTask
from ._scenes import EVERYTHING, HAZY, Example, draw
from .care import Care
from .espcn import Espcn
from .unet_spots import UnetSpots

Array = npt.NDArray[Any]
Denoiser = Callable[[Array], Array]


class Task(Protocol):
    """A network and its loss on one batch of fresh examples; both are called by the trainer alone."""

    @property
    def network(self) -> nn.Module: ...

    def loss(self, rng: np.random.Generator) -> Tensor:
        """The scalar to minimise, for examples drawn with `rng`."""
        ...


class DenoiseTask:
    """Frame to noise-free frame. The loss is the squared error in dB relative to that of the raw frame."""

    def __init__(self, batch: int = 12, side: int = 80) -> None:
        self.network = Care()
        self.batch, self.side = batch, side

    def loss(self, rng: np.random.Generator) -> Tensor:
        examples = [draw(rng, (self.side, self.side), EVERYTHING) for _ in range(self.batch)]
        frames, truth = _stacked(e.frame for e in examples), _stacked(e.truth for e in examples)
        return decibels(self.network.restore(frames), truth, ((frames - truth) ** 2).mean(dim=(1, 2, 3)))


class EnlargeTask:
    """Denoised frame to the scene on pixels of half the size; the loss is in dB relative to bicubic interpolation."""

    def __init__(self, denoise: Denoiser, batch: int = 12, side: int = 64) -> None:
        self.network = Espcn()
        self.denoise, self.batch, self.side = denoise, batch, side

    def loss(self, rng: np.random.Generator) -> Tensor:
        examples = [draw(rng, (self.side, self.side), EVERYTHING, fine=True) for _ in range(self.batch)]
        frames = _stacked(_seen(e, self.denoise, rng, clean=0.2, raw=0.0) for e in examples)
        truth = _stacked(e.fine_truth for e in examples)
        with torch.no_grad():
            bicubic = nn.functional.interpolate(frames, scale_factor=2, mode="bicubic", align_corners=False)
            reference = ((bicubic - truth) ** 2).mean(dim=(1, 2, 3)) + 0.09
        return decibels(self.network.enlarge(frames), truth, reference)


class SpotTask:
    """Denoised frame (a tenth of them raw) to a heat map of the beads and their sub-pixel offsets."""

    def __init__(self, denoise: Denoiser, batch: int = 12, side: int = 112) -> None:
        self.false_alarms = 1.0
        self.network = UnetSpots()
        self.denoise, self.batch, self.side = denoise, batch, side

    def loss(self, rng: np.random.Generator) -> Tensor:
        shape = (self.side, self.side)
        examples = [draw(rng, shape, HAZY) for _ in range(self.batch)]
        frames = _stacked(_seen(e, self.denoise, rng, clean=0.0, raw=0.1) for e in examples)
        targets = zip(*(spot_targets(e.beads, e.snr, shape) for e in examples), strict=True)
        heat, offsets, weight = (torch.from_numpy(np.stack(part)) for part in targets)
        return spot_loss(self.network.maps(frames), heat, offsets, weight, self.false_alarms)


def task_for(name: str, denoiser: Path, start: Path | None = None) -> Task:
    """The training of the network `name`; espcn and spots see frames that `denoiser` (ONNX) has denoised.

    With `start` (a state dict) it goes on from there; for the spots, false alarms weigh more then.
    """
    task = _fresh_task(name, denoiser)
    if start is not None:
        task.network.load_state_dict(torch.load(start, weights_only=True))
        if isinstance(task, SpotTask):
            task.false_alarms = FALSE_ALARM_WEIGHT
    return task


def _fresh_task(name: str, denoiser: Path) -> Task:
    if name == "care":
        return DenoiseTask()
    if name == "nuclei":
        return NucleiTask()
    if name == "mitosis":
        return MitosisTask()
    denoise = onnx_denoiser(denoiser)
    if name == "espcn":
        return EnlargeTask(denoise)
    return SpotTask(denoise)


def onnx_denoiser(path: Path) -> Denoiser:
    """A function from uint16 (y, x) to uint16 (y, x) that runs the graph at `path` with ONNX Runtime."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    session = ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return lambda frame: np.asarray(session.run(None, {name: frame[None, None]})[0])[0, 0]


def _seen(example: Example, denoise: Denoiser, rng: np.random.Generator, *, clean: float, raw: float) -> Array:
    chance = rng.random()
    if chance < clean:
        return np.asarray(np.rint(example.truth).astype(np.uint16))
    return example.frame if chance < clean + raw else denoise(example.frame)


def _stacked(images: Any) -> Tensor:
    return torch.from_numpy(np.stack([image.astype(np.float32) for image in images])[:, None])
