"""Names decide where a frame's axes go, never their number."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from onscope.runtime import PipelineError
from onscope.runtime._axes import from_tensor, to_tensor

GREY = np.arange(12, dtype=np.uint16).reshape(3, 4)
COLOUR = np.arange(36, dtype=np.uint8).reshape(3, 4, 3)
MOVIE = np.arange(24, dtype=np.uint16).reshape(2, 3, 4)


@pytest.mark.parametrize(
    ("array", "have", "want", "shape"),
    [
        (GREY, "yx", ["y", "x"], (3, 4)),
        (GREY, "yx", ["batch", "channel", "y", "x"], (1, 1, 3, 4)),
        (GREY, "yx", ["batch", "y", "x", "channel"], (1, 3, 4, 1)),
        (GREY, "yx", ["batch", "x", "y"], (1, 4, 3)),
        (COLOUR, "yxs", ["batch", "channel", "y", "x"], (1, 3, 3, 4)),
        (COLOUR, "yxs", ["y", "x", "channel"], (3, 4, 3)),
        (MOVIE, "tyx", ["batch", "time", "channel", "y", "x"], (1, 2, 1, 3, 4)),
        (MOVIE, "tyx", ["batch", "channel", "y", "x"], (1, 2, 3, 4)),
        (MOVIE, "tyx", ["batch", "channel", "z", "y", "x"], (1, 1, 2, 3, 4)),
    ],
)
def test_axes_go_where_their_names_are(array: np.ndarray, have: str, want: list[str], shape: tuple[int, ...]) -> None:
    tensor = to_tensor(array, have, want)
    assert tensor.shape == shape
    assert sorted(tensor.ravel()) == sorted(array.ravel())
    home = {"t": next((name for name in ("time", "z", "channel") if name in want), ""), "s": "channel"}
    homes = {home.get(axis, axis) for axis in have}
    assert tensor[tuple(1 if axis in homes else 0 for axis in want)] == array[(1,) * array.ndim]


@pytest.mark.parametrize(("array", "have"), [(COLOUR, "yxs"), (MOVIE, "tyx")])
def test_an_axis_without_a_place_is_refused(array: np.ndarray, have: str) -> None:
    with pytest.raises(PipelineError, match="expected one that takes"):
        to_tensor(array, have, ["batch", "y", "x"])


@given(st.integers(1, 5), st.integers(1, 5), st.integers(1, 3))
def test_there_and_back(y: int, x: int, channels: int) -> None:
    image = np.arange(y * x * channels).reshape(y, x, channels)
    tensor = to_tensor(image, "yxs", ["batch", "channel", "y", "x"])
    back, axes = from_tensor(tensor, ["batch", "channel", "y", "x"])
    assert axes == ("yxc" if channels > 1 else "yx")
    assert np.array_equal(back.reshape(image.shape), image)
