"""What rules see of results, and single numbers of images against NumPy."""

from __future__ import annotations

import pickle
from types import MappingProxyType
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onscope.runtime import Frame, FrameId, Result
from onscope.runtime._result import Provenance, Stamps
from onscope.runtime.feedback.rules import Needs, seen_of
from onscope.runtime.feedback.rules._image_numbers import NUMBERS, ImageNumbers, is_image_number


def result(pixels: np.ndarray, answers: dict[str, np.ndarray], **told: Any) -> Result:
    frame = Frame(FrameId("run", "camera", 0, 3), pixels, index=MappingProxyType({"p": 2}), received_ns=4_000_000)
    stamps = Stamps(4_000_000, 5, 6, 7, 8, {}, 9, 10_000_000)
    return Result((frame,), answers, stamps, {"phase": Provenance("abc", "def", "cpu")}, **told)


def test_everything_but_pixels_is_seen() -> None:
    table = np.zeros(2, [("y", "f4"), ("x", "f4")])
    image = np.arange(12, dtype=np.float32).reshape(3, 4)
    trust = {"denoise": {"bias": 0.5}, "sharpen": {"bias": 0.1}}
    one = result(
        np.full((6, 8), 7, np.uint16),
        {"cells": table, "spots": table, "denoise": image},
        trust=trust,
        suspect={"denoise": ("bias",)},
        state_reset=True,
    )
    seen = seen_of(
        one, 5, 99, Needs(frozenset({"cells"}), frozenset({"frame.mean", "denoise.max", "cells.mean", "no.max"}))
    )
    assert (seen.number, seen.now_ns, seen.shape) == (5, 99, (6, 8))
    assert list(seen.tables) == ["cells"]
    assert seen.frame.pixels.size == 0
    assert (seen.frame.id, seen.frame.index, seen.frame.received_ns) == (one.frame.id, {"p": 2}, 4_000_000)
    assert seen.numbers == {
        "result.latency_ms": 6.0,
        "result.began_anew": 1.0,
        "cells.count": 2.0,
        "spots.count": 2.0,
        "denoise.suspect": 1.0,
        "sharpen.suspect": 0.0,
        "frame.mean": 7.0,
        "denoise.max": 11.0,
    }
    assert seen.trust == trust
    assert seen.suspect == {"denoise": ("bias",)}
    assert seen.models == {"phase": "abc"}
    assert set(seen_of(one, 5, 99).tables) == {"cells", "spots"}
    assert pickle.loads(pickle.dumps(seen)).numbers == seen.numbers  # noqa: S301


images = st.tuples(
    st.integers(0, 2**32 - 1),
    st.sampled_from([np.uint8, np.uint16, np.float32]),
    st.sampled_from([(1, 1), (3, 3), (5, 9), (64, 48), (16, 16, 3)]),
    st.sampled_from([1, 40, 255]),
)


def image_of(seed: int, dtype: Any, shape: tuple[int, ...], top: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, top + 1, shape).astype(dtype)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(images, st.sampled_from([0, 0.5, 1, 25, 50, 99, 99.8, 100]))
def test_numbers_are_those_of_numpy(told: tuple[Any, ...], share: float) -> None:
    image = image_of(*told)
    numbers = ImageNumbers(image)
    assert numbers.number(f"p{share:g}") == np.percentile(image, share, method="inverted_cdf")
    assert numbers.number("mean") == pytest.approx(image.mean(dtype=np.float64))
    assert numbers.number("std") == pytest.approx(image.std(dtype=np.float64), abs=1e-4)
    assert (numbers.number("min"), numbers.number("max")) == (image.min(), image.max())
    assert numbers.number("saturated") == pytest.approx((image == image.max()).mean())
    for name in NUMBERS:
        assert isinstance(numbers.number(name), float)
    assert all(np.isnan(ImageNumbers(image[:0]).number(name)) for name in (*NUMBERS, "p50"))


def test_percentiles_of_large_float_images_are_near() -> None:
    image = np.random.default_rng(3).normal(100, 20, (700, 900)).astype(np.float32)
    assert ImageNumbers(image).number("p99") == pytest.approx(np.percentile(image, 99), abs=1)


def beads(blur: float, noise: float = 0.0, gain: float = 1.0) -> np.ndarray:
    rng = np.random.default_rng(5)
    points = np.zeros((256, 256), np.float32)
    points[rng.integers(10, 246, 40), rng.integers(10, 246, 40)] = 60_000
    image = cv2.GaussianBlur(points, (0, 0), blur) * gain + 100 + rng.normal(0, noise, points.shape)
    return np.asarray(image.clip(0, 65535).astype(np.uint16))


@pytest.mark.parametrize("noise", [0.0, 3.0])
def test_sharpness_falls_with_defocus_and_not_with_bleaching(noise: float) -> None:
    sharp = [ImageNumbers(beads(blur, noise)).number("sharpness") for blur in (1.5, 2, 3, 4.5)]
    assert sharp == sorted(sharp, reverse=True)
    assert sharp[-1] < 0.5 * sharp[0]
    assert ImageNumbers(beads(2, noise / 2, 0.5)).number("sharpness") == pytest.approx(sharp[1], rel=0.02)


def test_noise_and_signal_are_those_that_were_put_in() -> None:
    numbers = ImageNumbers(beads(3, 12.0))
    assert numbers.number("noise") == pytest.approx(12, rel=0.05)
    assert numbers.number("snr") == numbers.number("signal") / numbers.number("noise")


@pytest.mark.parametrize(
    ("name", "known"), [("p5", True), ("p99.95", True), ("p101", False), ("p", False), ("mode", False)]
)
def test_names_of_numbers(name: str, known: bool) -> None:
    assert is_image_number(name) is known
