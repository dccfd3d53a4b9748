"""A distribution in each pixel: the median and how far values spread about it, as an image of two channels.

The spread is half the width of the interval around the median that holds 68.27 % of the values: of a Gaussian its
standard deviation, of a Laplacian 1.148 times its scale b, and of quantiles and samples what they say. So networks of
all kinds are told in one number, which single far values do not move.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from .._axes import from_tensor
from .._errors import PipelineError
from .._frame import Pixels
from ._settings import Setting, taken
from ._sorting import sort_planes

Floats = npt.NDArray[np.float32]
INSIDE = math.erf(math.sqrt(0.5))
"""The part of a Gaussian's values within one standard deviation of its middle."""
OF_SCALE = {"gauss": 1.0, "laplace": -math.log(1 - INSIDE)}
"""The spread in units of the family's scale: the standard deviation, or b of exp(-|x - m| / b) / 2b."""
OF_VARIANCE = {"gauss": 1.0, "laplace": -math.log(1 - INSIDE) / math.sqrt(2)}
"""The same in units of the standard deviation, which a variance is the square of."""
BOTH = ("median", "spread")
SAMPLES = ("index", "batch", "time", "channel")
"""Axes that samples may lie along, the first that is there and longer than 1."""
SETTINGS = (
    Setting(
        "family", "word", "what the numbers of a pixel are: middle and width of a distribution, quantiles, or samples",
        choices=("gauss", "laplace", "quantiles", "samples"),
    ),
    Setting(
        "width", "word", "what the second half of the channels is, of gauss and laplace", "scale",
        choices=("scale", "log_scale", "variance", "log_variance"),
    ),
    Setting("width_output", "word", "output that holds the widths (default: the second half of the channels)",
            compiled=True),
    Setting("levels", "numbers", "which quantiles the channels are, rising", above=0, most=0.999999),
    Setting("answer", "word", "the median, the spread, or both as two channels", "both",
            choices=("both", *BOTH)),
)  # fmt: skip


class DistributionDecoder:
    """Answers float32 (y, x, c) with the median and the spread, or one of them alone, (y, x).

    One answer of two channels and not two answers: a stage has one answer, both belong together, and a recording keeps
    them in one array. A stage that is to be read by another one answers with one (`answer: median`). Of several
    channels c the medians come first, then the spreads. Raises PipelineError for outputs of another form.
    """

    columns: tuple[str, ...] = ()
    labels = False

    def __init__(self, axes: Sequence[str], settings: Mapping[str, Any]) -> None:
        self.told: list[str] = []
        self._axes = tuple(axes)
        self._family = str(settings.get("family") or "")
        self._width = str(taken(SETTINGS, settings, "width"))
        self._answer = str(taken(SETTINGS, settings, "answer"))
        self._levels = np.asarray(settings.get("levels") or (), np.float64)
        if not self._family:
            raise PipelineError(
                "found decode: distribution without its family, expected gauss, laplace, quantiles or samples: state it"
            )
        if not {"y", "x"} <= set(axes):
            raise PipelineError(
                f"found a distribution in an output with the axes {', '.join(axes)}, expected y and x: set `decode` "
                "to what the network answers"
            )
        if self._family != "samples" and "channel" not in axes:
            raise PipelineError(
                f"found a distribution in an output with the axes {', '.join(axes)}, expected channel: correct it"
            )
        if self._family == "quantiles" and (len(self._levels) < 2 or np.any(np.diff(self._levels) <= 0)):
            raise PipelineError(
                f"found the levels {', '.join(f'{level:g}' for level in self._levels) or 'none'} of quantiles, "
                "expected two or more that rise: state them in the order of the channels"
            )

    def __call__(self, output: Pixels) -> tuple[Pixels, str]:
        of: dict[str, Callable[[Pixels], tuple[Floats, Floats, tuple[str, ...]]]] = {
            "quantiles": self._of_quantiles,
            "samples": self._of_samples,
        }
        median, spread, axes = of.get(self._family, self._of_parameters)(output)
        parts = {"median": median, "spread": spread}
        images = [from_tensor(parts[name], axes) for name in (BOTH if self._answer == "both" else (self._answer,))]
        letters = images[0][1]
        if len(images) == 1:
            return images[0]
        if letters.endswith("c"):
            return np.concatenate([image for image, _ in images], axis=-1), letters
        return np.stack([image for image, _ in images], axis=-1), f"{letters}c"

    def _of_parameters(self, output: Pixels) -> tuple[Floats, Floats, tuple[str, ...]]:
        at = self._axes.index("channel")
        if output.shape[at] % 2:
            raise PipelineError(
                f"found {output.shape[at]} channels, expected middles and then as many widths: name the output that "
                "holds these (width_output), or correct the family"
            )
        middle, width = np.split(output.astype(np.float32, copy=False), 2, axis=at)
        with np.errstate(over="ignore", invalid="ignore"):
            scale = {
                "scale": lambda: np.abs(width) * np.float32(OF_SCALE[self._family]),
                "log_scale": lambda: np.exp(width) * np.float32(OF_SCALE[self._family]),
                "variance": lambda: np.sqrt(np.maximum(width, 0)) * np.float32(OF_VARIANCE[self._family]),
                "log_variance": lambda: np.exp(width / 2) * np.float32(OF_VARIANCE[self._family]),
            }[self._width]()
        return middle, scale, self._axes

    def _of_quantiles(self, output: Pixels) -> tuple[Floats, Floats, tuple[str, ...]]:
        """Between two levels values change with the Gaussian's quantiles; beyond the outer ones as between these."""
        at = self._axes.index("channel")
        if output.shape[at] != len(self._levels):
            raise PipelineError(
                f"found {output.shape[at]} channels, expected {len(self._levels)}, one for each of levels: correct them"
            )
        planes = np.moveaxis(output, at, 0).astype(np.float32, copy=False)
        low, median, high = (self._quantile(planes, z) for z in (-1.0, 0.0, 1.0))
        return median, np.abs(high - low) / 2, self._axes[:at] + self._axes[at + 1 :]

    def _quantile(self, planes: Floats, z: float) -> Floats:
        """The value `z` standard deviations from the middle of a Gaussian with these quantiles."""
        from scipy.special import ndtri

        known = ndtri(self._levels)
        right = int(np.clip(np.searchsorted(known, z), 1, len(known) - 1))
        part = np.float32((z - known[right - 1]) / (known[right] - known[right - 1]))
        if part in (0, 1):
            return np.asarray(planes[right - 1 + int(part)])
        return np.asarray(planes[right - 1] * (1 - part) + planes[right] * part, np.float32)

    def _of_samples(self, output: Pixels) -> tuple[Floats, Floats, tuple[str, ...]]:
        found = [axis for axis in SAMPLES if axis in self._axes and output.shape[self._axes.index(axis)] > 1]
        if not found:
            raise PipelineError(
                f"found no axis of several samples among {', '.join(self._axes)}, expected one of {', '.join(SAMPLES)}"
            )
        at = self._axes.index(found[0])
        planes = sort_planes(np.moveaxis(output, at, 0))
        low, median, high = (_between(planes, part) for part in ((1 - INSIDE) / 2, 0.5, (1 + INSIDE) / 2))
        return median, np.asarray((high - low) / 2, np.float32), self._axes[:at] + self._axes[at + 1 :]


def _between(planes: Floats, part: float) -> Floats:
    """A quantile of sorted planes, as NumPy's: linear between the two samples beside it."""
    place = part * (len(planes) - 1)
    below = min(int(place), len(planes) - 2)
    over = np.float32(place - below)
    return np.asarray(planes[below] * (1 - over) + planes[below + 1] * over, np.float32)
