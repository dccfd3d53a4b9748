"""Micro-Manager's pixel types, unpacked: by property, and on images of the real demo camera."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from onscope.drivers import micromanager
from onscope.runtime import FrameMismatchError
from onscope.runtime._pixels import unpack

sides = arrays.array_shapes(min_dims=2, max_dims=2, max_side=8)


@given(st.sampled_from([np.uint8, np.uint16, np.float32]).flatmap(lambda dtype: arrays.arrays(dtype, sides)))
def test_grey_stays_as_it_is(image: np.ndarray[Any, Any]) -> None:
    for given_image in (image, image.ravel()):
        pixels, axes = unpack(given_image, None, *image.shape)
        assert axes == "yx"
        assert np.shares_memory(pixels, image)
        np.testing.assert_array_equal(pixels, image)


@given(arrays.arrays(np.float32, sides), st.sampled_from(["GRAY32", "GRAY32F", "32F"]))
def test_float_bits_become_floats_again(image: np.ndarray[Any, Any], tag: str) -> None:
    pixels, axes = unpack(image.view(np.uint32), tag)
    assert axes == "yx"
    assert pixels.dtype == np.float32
    np.testing.assert_array_equal(pixels.view(np.uint32), image.view(np.uint32))


@given(st.sampled_from([(np.uint8, np.uint32), (np.uint16, np.uint64)]), st.data())
def test_packed_colour_is_turned_to_red_green_blue(kind: Any, data: st.DataObject) -> None:
    sample, packed_dtype = kind
    bgra = data.draw(arrays.arrays(sample, st.tuples(st.integers(1, 5), st.integers(1, 5), st.just(4))))
    bits = 8 * np.dtype(sample).itemsize
    packed = sum(bgra[..., place].astype(packed_dtype) << packed_dtype(place * bits) for place in range(4))
    rgb = np.stack([bgra[..., 2], bgra[..., 1], bgra[..., 0]], axis=-1)
    tag = "RGB32" if sample is np.uint8 else "RGB64"
    for image in (packed, np.asfortranarray(packed), packed.astype(packed.dtype.newbyteorder(">")), bgra):
        pixels, axes = unpack(image, tag)
        assert axes == "yxs"
        assert pixels.flags.c_contiguous
        assert not np.shares_memory(pixels, image)
        np.testing.assert_array_equal(pixels, rgb)
    np.testing.assert_array_equal(unpack(bgra.ravel(), tag, *bgra.shape[:2])[0], rgb)


def test_three_samples_are_in_order_unless_the_tag_says_they_are_cut_from_bgra() -> None:
    image = np.arange(12, dtype=np.uint8).reshape(2, 2, 3)
    np.testing.assert_array_equal(unpack(image)[0], image)
    np.testing.assert_array_equal(unpack(image, "RGB32")[0], image[..., ::-1])


@pytest.mark.parametrize(
    ("image", "tag"),
    [
        (np.zeros((2, 2), np.uint32), None),  # float or colour: nobody knows
        (np.zeros((2, 2), np.float64), None),
        (np.zeros((2, 2), np.int16), "GRAY16"),
        (np.zeros((2, 2, 2), np.uint8), None),
        (np.zeros((2, 2, 2, 2), np.uint8), None),
        (np.zeros(5, np.uint8), None),
        (np.zeros((), np.uint8), None),
    ],
)
def test_what_cannot_be_unpacked_is_said(image: np.ndarray[Any, Any], tag: str | None) -> None:
    with pytest.raises(FrameMismatchError, match=r"found .*expected "):
        unpack(image, tag, 2, 2)


def _image(pixel_type: str, mode: str) -> tuple[np.ndarray[Any, Any], Any, Any]:
    """What the demo camera gives in a sequence: unpacked, raw pixels, tags."""
    with micromanager.demo(size=512, buffer_mb=16) as scope:
        scope.set("Camera", "PixelType", pixel_type)
        scope.set("Camera", "Mode", mode)
        core = scope.core
        core.set_exposure(1.0)
        core.start_sequence_acquisition(1, 0.0, True)
        while core.get_remaining_image_count() == 0:
            pass
        image = core.pop_next_tagged_image()
        return unpack(image.pix, image.tags["PixelType"])[0], image.pix, image.tags["PixelType"]


BARS = ["blue", "green", "red", "black", "yellow", "magenta", "cyan", "white"]
COLOURS = {"black": "", "red": "r", "green": "g", "blue": "b", "yellow": "rg", "magenta": "rb", "cyan": "gb"}


def test_the_demo_cameras_test_pattern_has_its_colours() -> None:
    """Eight bars from top to bottom, each brighter to the right."""
    image, raw, tag = _image("32bitRGB", "Color Test Pattern")
    assert (raw.dtype, tag, image.dtype, image.shape) == (np.uint32, "RGB32", np.uint8, (512, 512, 3))
    for number, colour in enumerate(BARS):
        bar = image[number * 64 + 32]
        for place, sample in enumerate("rgb"):
            lit = sample in COLOURS.get(colour, "rgb")
            assert (bar[400, place] > bar[100, place] > 0) if lit else not bar[:, place].any()


def test_64_bit_colour_is_in_order() -> None:
    """The camera has no test pattern in 64 bit. From line to line its waves shift by 1 (blue), 2 (green), 4 (red)."""
    image, raw, tag = _image("64bitRGB", "Artificial Waves")
    assert (raw.dtype, tag, image.dtype, image.shape) == (np.uint64, "RGB64", np.uint16, (512, 512, 3))
    row = image[100].astype(float)
    red, green, blue = np.angle(np.fft.rfft(row, axis=0)[2])  # two waves in a line
    assert 0.5 < red - green < 0.7
    assert red - green == pytest.approx(2 * (green - blue), abs=0.02)


def test_the_demo_cameras_waves_agree_in_every_grey_type() -> None:
    floats, raw, tag = _image("32bit", "Artificial Waves")
    assert (raw.dtype, tag, floats.dtype) == (np.uint32, "GRAY32", np.float32)
    assert np.isfinite(floats).all()
    assert np.abs(np.diff(floats, axis=1)).max() < 0.2 * np.ptp(floats)  # waves are smooth, misread bits are not
    for pixel_type, dtype in (("8bit", np.uint8), ("16bit", np.uint16)):
        grey, raw, tag = _image(pixel_type, "Artificial Waves")
        assert (raw.dtype, grey.dtype) == (dtype, dtype)
        assert np.shares_memory(grey, raw)
