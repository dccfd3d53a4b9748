"""Label images for the tests of objects: drawn at random, and the corners of what there can be."""

from __future__ import annotations

import hypothesis.strategies as st
import numpy as np
import numpy.typing as npt

Labels = npt.NDArray[np.int32]


@st.composite
def label_images(draw: st.DrawFn, largest: int = 24) -> Labels:
    """Blobs and single pixels with gaps in their numbers, some in several parts, some with holes, touching borders."""
    height, width = draw(st.integers(1, largest)), draw(st.integers(1, largest))
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    labels = np.zeros((height, width), np.int32)
    for label in draw(st.lists(st.integers(1, 2**31 - 1) | st.integers(1, 9), max_size=6)):
        if draw(st.booleans()):
            labels[random.random(labels.shape) < draw(st.sampled_from([0.02, 0.2, 0.6]))] = label
        else:
            y, x = random.integers(0, labels.shape)
            below, beside = random.integers(1, 9, 2)
            labels[y : y + below, x : x + beside] = label
    return labels


def ellipses(size: int, n: int, seed: int = 0, largest: float = 14.0) -> Labels:
    """About `n` ellipses on a grid, turned at random, which may touch."""
    random = np.random.default_rng(seed)
    labels = np.zeros((size, size), np.int32)
    across = int(np.ceil(np.sqrt(n)))
    step = size / across
    reach = int(largest) + 1
    for label in range(1, n + 1):
        cy, cx = (int((place + 0.5) * step) for place in divmod(label - 1, across))
        rows, columns = slice(max(cy - reach, 0), cy + reach + 1), slice(max(cx - reach, 0), cx + reach + 1)
        y, x = np.ogrid[rows, columns]
        part = labels[rows, columns]
        y, x = y[: part.shape[0]] - cy, x[:, : part.shape[1]] - cx
        angle, a, b = random.uniform(0, np.pi), *random.uniform(0.4, 1, 2) * min(largest, step * 0.6)
        u, v = y * np.cos(angle) + x * np.sin(angle), x * np.cos(angle) - y * np.sin(angle)
        part[(u / a) ** 2 + (v / b) ** 2 <= 1] = label
    return labels
