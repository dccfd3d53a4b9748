"""Frames made beforehand, a source that gives them at full speed or at a pace, and the pipelines."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from onnx import NodeProto, TensorProto, helper
from tests.models import brightest, double, image_axes, write

from onscope.cli._demo import PIPELINE
from onscope.runtime import Frame, FrameId, FrameSpec, PackageError, Pipeline, Stage, now_ns
from onscope.runtime._frame import Pixels

LOOK_S = 0.0003
FEATURES = (8, 16, 32)
"""Of the stand-in U-Net: 3.2 GFLOP per 512x512 frame."""


def images(size: int, count: int, seed: int = 0) -> list[Pixels]:
    """Sensor-like uint16 noise: a different image for each number, so that no cache holds them all."""
    random = np.random.default_rng(seed)
    return [random.poisson(200, (size, size)).astype(np.uint16) for _ in range(count)]


def wait_until(due_ns: int) -> None:
    """Sleep in short steps, as the live driver does between its looks into the camera's buffer."""
    while (left_s := (due_ns - now_ns()) / 1e9) > 0:
        time.sleep(min(left_s, LOOK_S))


class ListSource:
    """Frames from a list, again and again; `interval_ns` 0 gives them as fast as they are taken.

    Each call of `frames` is a segment. At a pace a frame's `received_ns` is the moment it was due: a late taker sees
    the delay as latency.
    """

    def __init__(self, pixels: Sequence[Pixels], interval_ns: int = 0, camera: str = "list") -> None:
        self.interval_ns = interval_ns
        self._pixels = pixels
        self._spec = FrameSpec(pixels[0].shape, pixels[0].dtype.name, camera=camera)
        self._segments = 0

    def spec(self) -> FrameSpec:
        return self._spec

    def frames(self, n: int | None = None) -> Iterator[Frame]:
        segment, self._segments = self._segments, self._segments + 1
        due = now_ns()
        for seq in range(n if n is not None else len(self._pixels)):
            if self.interval_ns:
                due += self.interval_ns
                wait_until(due)
            id = FrameId("bench", self._spec.camera, segment, seq)
            pixels = self._pixels[seq % len(self._pixels)]
            yield Frame(id, pixels, received_ns=due if self.interval_ns else now_ns())


def chosen_pipeline(folder: Path) -> tuple[Pipeline, str]:
    """The demo's three networks, or the stand-in where they are not installed; and what to call it."""
    try:
        found = Pipeline.load(PIPELINE)
        # From a copy: a package that is exported anew meanwhile must not change what is measured.
        return (
            Pipeline(
                [
                    Stage(stage.name, shutil.copytree(stage.package.weights.parent, folder / stage.name), stage.reads)
                    for stage in found.networks
                ]
            ),
            "the demo's three networks",
        )
    except PackageError:
        return stand_in(folder), "a stand-in U-Net, x2 and TopK"


def stand_in(folder: Path) -> Pipeline:
    """A U-Net of 8 features with random weights, x2 by repeating, and the 8 brightest pixels."""
    return Pipeline(
        [
            Stage("denoise", write(folder / "unet", *_unet())),
            Stage("double", double(folder / "double"), reads="denoise"),
            Stage("spots", brightest(folder / "brightest"), reads="denoise"),
        ]
    )


def _unet() -> tuple[list[NodeProto], dict[str, np.ndarray], str, tuple[str, str, list[dict[str, Any]]]]:
    random = np.random.default_rng(0)
    nodes: list[NodeProto] = []
    constants: dict[str, np.ndarray] = {"scale": np.float32(1 / 400), "back": np.float32(400)}  # type: ignore[dict-item]

    def add(kind: str, *inputs: str, **settings: Any) -> str:
        name = f"{kind}{len(nodes)}"
        nodes.append(helper.make_node(kind, list(inputs), [name], **settings))
        return name

    def conv(x: str, before: int, after: int) -> str:
        weights = random.normal(0, (2 / (9 * before)) ** 0.5, (after, before, 3, 3)).astype(np.float32)
        key = f"w{len(nodes)}"
        constants[key] = weights
        return add("Relu", add("Conv", x, key, pads=[1, 1, 1, 1]))

    constants["twice"] = np.array([1, 1, 2, 2], np.float32)
    first = x = add("Mul", add("Cast", "frame", to=TensorProto.FLOAT), "scale")
    skips, width = [], 1
    for features in FEATURES:
        x = conv(conv(x, width, features), features, features)
        skips.append((x, features))
        width = features
        if features != FEATURES[-1]:
            x = add("MaxPool", x, kernel_shape=[2, 2], strides=[2, 2])
    for skip, features in reversed(skips[:-1]):
        x = add("Concat", add("Resize", x, "", "twice", mode="nearest"), skip, axis=1)
        x = conv(conv(x, width + features, features), features, features)
        width = features
    constants["last"] = random.normal(0, 0.01, (1, width, 1, 1)).astype(np.float32)
    constants["low"], constants["high"] = np.array(0, np.float32), np.array(65535, np.float32)
    x = add("Mul", add("Add", add("Conv", x, "last"), first), "back")
    clipped = add("Clip", x, "low", "high")
    nodes.append(helper.make_node("Cast", [clipped], ["image"], to=TensorProto.UINT16))
    return nodes, constants, "uint16", ("image", "uint16", image_axes(reference=True))
