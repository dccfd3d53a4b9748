"""What needs no network: fluorescence as a polynomial of a pixel's own values in the planes, by ridge regression."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter

from ...recipes import Part
from ._stacks import Cells, cells, through_a_camera

Array = npt.NDArray[Any]
Features = Callable[[Array], Array]
SPECIMENS = 6
"""Of the validation part, which no network was trained on, two fields each."""
RIDGE = 1e-5
"""Of the mean square of the features."""
SMALLEST = 1e-6
AROUND_PX = (1.5, 4.0)


def of_pixels(stack: Array) -> Array:
    """1, the planes and their squares, (features, y, x), of a standardised stack (planes, y, x)."""
    return np.concatenate((np.ones_like(stack[:1]), stack, stack**2))


def of_surroundings(stack: Array) -> Array:
    """The same, with each plane's mean and its variance around the pixel, at two scales."""
    found = [of_pixels(stack)]
    for sigma in AROUND_PX:
        mean = gaussian_filter(stack, (0, sigma, sigma))
        found += [mean, gaussian_filter(stack**2, (0, sigma, sigma)) - mean**2]
    return np.concatenate(found)


REGRESSIONS: dict[str, Features] = {
    "pixel regression": of_pixels,
    "regression of pixels and surroundings": of_surroundings,
}


def standardised(counts: Array) -> Array:
    """A stack with mean 0 and standard deviation 1, float32."""
    pixels = counts.astype(np.float32)
    return np.asarray((pixels - pixels.mean()) / (pixels.std() + SMALLEST), np.float32)


def predicted(name: str, target: str, stack: Array) -> Array:
    """The regression's answer to a standardised stack: (n, y, x) as the `target` of `Cells` has them."""
    return np.asarray(np.einsum("fyx,fn->nyx", REGRESSIONS[name](stack), _weights(name, target)))


@lru_cache(maxsize=8)
def _weights(name: str, target: str) -> Array:
    return fitted(REGRESSIONS[name], cells(Part.VALIDATION, SPECIMENS), target, np.random.default_rng(0))


def fitted(features: Features, fields: Sequence[Cells], target: str, rng: np.random.Generator) -> Array:
    """Weights (features, n) with the least squared error over the fields, each behind a camera of its own."""
    squares: Any = 0.0
    products: Any = 0.0
    for field in fields:
        stack = standardised(through_a_camera(field.light, rng))
        rows = features(stack).reshape(-1, stack[0].size).astype(np.float64)
        squares = squares + rows @ rows.T
        products = products + rows @ getattr(field, target).reshape(-1, stack[0].size).T.astype(np.float64)
    own = np.eye(len(squares)) * RIDGE * np.trace(squares) / len(squares)
    return np.asarray(np.linalg.solve(squares + own, products))


def seen(field: Cells, number: int, photons: float) -> npt.NDArray[np.uint16]:
    """A field's bright field at a light level, behind the camera of that number."""
    return through_a_camera(field.light, np.random.default_rng(number), photons)
