"""Frames, results and packages for the tests of a budget over a live path."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from onnx import TensorProto, helper

from onscope.runtime import Event, Frame, FrameSpec, Package, Result, Runtime, Subscription
from tests import models

SPEC = FrameSpec((64, 96), "uint16", camera="cam")
Make = Callable[..., Runtime]


def frame(seq: int, **more: Any) -> Frame:
    """Its brightest pixels are two rows above and left of its centre."""
    made = models.frame(seq, 100, SPEC, **more)
    made.pixels[30, 40:48] = 2000
    return made


def next_of(results: Subscription) -> Result:
    result = results.take(60)
    assert result is not None
    return result


def plus_two(folder: Path) -> Package:
    """As `models.plus_one`, but 2 more than the frame."""
    nodes = [
        helper.make_node("Cast", ["frame"], ["f"], to=TensorProto.FLOAT),
        helper.make_node("Add", ["f", "two"], ["g"]),
        helper.make_node("Cast", ["g"], ["image"], to=TensorProto.UINT16),
    ]
    output = ("image", "uint16", models.image_axes(reference=True))
    return models.write(folder, nodes, {"two": np.float32(2)}, "uint16", output)


def take(it: Runtime, results: Subscription, count: int, first: int = 0) -> list[Result]:
    """One frame after the other, further apart than changes may be after the third."""
    came = []
    for seq in range(first, first + count):
        it.submit(frame(seq))
        came.append(next_of(results))
        time.sleep(0.04)
    return came


def until(it: Runtime, results: Subscription, level: int) -> int:
    """Hand frames over until the level is that; the number of the next one."""
    seq = 0
    while it.level < level:
        take(it, results, 1, seq)
        seq += 1
        assert seq < 100
    return seq


def told(events: Sequence[Event], kind: str) -> list[str]:
    return [each.message for each in events if each.kind == kind]
