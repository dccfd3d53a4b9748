"""What a denoiser took away: it should be noise, with the mean zero and no neighbour like the next.

For a perfect answer the residual raw - restored is the camera's noise: independent from pixel to pixel, without a mean.
Structure in it was taken away with the noise (oversmoothing), or put into the answer (invention). That the residual
tells how good a denoiser is without a truth: A. Buades, B. Coll, J.-M. Morel, "A review of image denoising algorithms,
with a new one", Multiscale Model. Simul. 4, 490 (2005), "method noise"; whiteness as a criterion: M. Lanza, S. Morigi,
F. Sgallari, A. J. Yezzi, SIAM J. Imaging Sci. 6, 2161 (2013).
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from ._patches import Float, area, cut

LAPLACIAN = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)
FLOOR = 0.1
"""Of the residual's mean variance: the noise of no pixel is taken as smaller."""
SLOPES = (0.5, 2.0)


def noise_of(patches: Float) -> float:
    """Standard deviation of the noise in counts, by the mean size of a Laplacian that planes and edges hardly touch.

    J. Immerkaer, "Fast noise variance estimation", Computer Vision and Image Understanding 64, 300 (1996). Takes
    patches as `Patches.of` gives them. Structure as fine as a pixel counts as noise.
    """
    found = np.asarray(cv2.filter2D(patches, cv2.CV_32F, LAPLACIAN), np.float32)
    inside = cut(found)[:, 1:-1, 1:-1]
    return float(np.sqrt(np.pi / 2) / 6 * np.abs(inside).mean(dtype=np.float64))


def residual_values(raw: Float, restored: Float, noise: float, *, counts: bool = True) -> dict[str, float]:
    """`bias`, `whiteness y`, `whiteness x` and `removed` of patches on one grid (`Patches.of`).

    - bias: mean of the residual in units of its standard deviation; 0 for an answer that neither adds nor loses light.
      Left out unless `counts`: of an answer in other units the best line raw = a * restored + b is taken first, and
      nothing is left of a mean.
    - whiteness y, x: correlation of the residual with itself one pixel further along that axis; 0 for noise that is
      independent from pixel to pixel. Above: structure was taken away. Below: noise of low frequencies stayed in the
      answer, which a good denoiser has a little of (about minus one over the pixels that it averages).
    - removed: standard deviation of the residual over `noise`, that of the raw frame; 1 when the noise went and
      nothing else, 0 when the network gives its input back.

    Photon noise grows with the signal: every pixel counts in units of the noise of its brightness (variance = a + b *
    restored, the photon transfer line, fitted to the residual itself), so that bright objects do not decide alone.
    Stripes of a camera (rows that read high or low) are noise to whom they disturb: where the network takes them away,
    whiteness x is high and whiteness y is not. A residual that is nothing at all has no whiteness.
    """
    if not counts:
        restored = fitted(raw, restored)[0]
    residual = raw - restored
    squares = residual * residual
    mean = float(squares.mean(dtype=np.float64))
    if not mean > 0:
        return {**({"bias": 0.0} if counts else {}), "removed": 0.0}
    found = {"removed": float(np.sqrt(max(0.0, mean - float(residual.mean(dtype=np.float64)) ** 2))) / noise}
    slope, offset = _line(restored, squares)
    residual /= np.sqrt(np.maximum(slope * restored + offset, FLOOR * mean))
    middle, spread = (float(value[0, 0]) for value in cv2.meanStdDev(residual))
    if counts:
        found = {"bias": middle / spread if spread > 0 else float(np.sign(middle)) * np.inf, **found}
    if spread > 0:
        apart = cut(residual - np.float32(middle))
        variance = spread**2
        found["whiteness y"] = float(np.einsum("nij,nij->", apart[:, 1:], apart[:, :-1])) / (
            variance * apart[:, 1:].size
        )
        found["whiteness x"] = float(np.einsum("nij,nij->", apart[:, :, 1:], apart[:, :, :-1])) / (
            variance * apart[:, :, 1:].size
        )
    return found


def fitted(raw: Float, restored: Float) -> tuple[Float, float, float]:
    """a * restored + b that is nearest to raw in the least squares, with a and b."""
    slope, offset = _line(restored, raw)
    return restored * np.float32(slope) + np.float32(offset), slope, offset


def _line(x: Float, y: Float) -> tuple[float, float]:
    """Slope and offset of y over x; level where x has no spread."""
    (mean_x, spread), (mean_y, _) = ((float(one[0, 0]) for one in cv2.meanStdDev(each)) for each in (x, y))
    if not spread > 0:
        return 0.0, mean_y
    shared = float(np.vdot(x - np.float32(mean_x), y - np.float32(mean_y))) / x.size
    slope = shared / spread**2
    return slope, mean_y - slope * mean_x


def restores(given: npt.NDArray[Any], answer: npt.NDArray[Any]) -> bool:
    """Whether an answer (y', x') is an image of the same thing as the frame (y, x), in the frame's counts.

    It has whole multiples of its pixels, and the slope of frame over answer is near 1 (as in decision 11): noise in
    the frame does not flatten it, and maps of something else have any.
    """
    if given.ndim != 2 or answer.ndim != 2 or min(given.shape) < 1:
        return False
    (tall, wide), (high, broad) = given.shape, answer.shape
    times = high // tall
    if times not in (1, 2, 3, 4, 8) or (high, broad) != (times * tall, times * wide):
        return False
    after = area(answer, (tall, wide))
    before = given.astype(np.float32)
    if not (np.isfinite(after).all() and np.isfinite(before).all() and after.std() > 0):
        return False
    slope, _ = _line(after, before)
    near = abs(float(before.mean() - after.mean())) <= max(float(after.std()), float(before.std()))
    return SLOPES[0] <= slope <= SLOPES[1] and near
