"""Label images slowly and obviously: masks of every polygon, every pixel's way followed by itself; and made scenes."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
FINE = 4
"""Points per pixel and axis at which an oracle looks whether a polygon is there."""


def ellipses(shape: tuple[int, int], cells: tuple[int, int], seed: int) -> Array:
    """A label image with one ellipse in each cell of a grid, none touching another or the border."""
    random = np.random.default_rng(seed)
    labels = np.zeros(shape, np.int32)
    height, width = shape[0] / cells[0], shape[1] / cells[1]
    for label in range(cells[0] * cells[1]):
        row, column = divmod(label, cells[1])
        least = min(height, width)
        # Half axes of at least a quarter of the cell; the middle moves by what is left.
        axes = random.uniform(0.25, 0.4, 2) * least
        free = least / 2 - axes.max() - 1.5
        middle = np.array([(row + 0.5) * height, (column + 0.5) * width]) + random.uniform(-free, free, 2)
        turn = random.uniform(0, np.pi)
        y, x = np.mgrid[: shape[0], : shape[1]]
        along = (y - middle[0]) * np.sin(turn) + (x - middle[1]) * np.cos(turn)
        across = (y - middle[0]) * np.cos(turn) - (x - middle[1]) * np.sin(turn)
        labels[(along / axes[0]) ** 2 + (across / axes[1]) ** 2 <= 1] = label + 1
    return labels


def crowded(side: int, count: int, seed: int, largest: float = 13) -> Array:
    """A label image of ellipses that touch, lie over each other and reach beyond the border."""
    random = np.random.default_rng(seed)
    labels = np.zeros((side, side), np.int32)
    placed = 0
    for _ in range(200 * count):
        mask = np.zeros(labels.shape, np.uint8)
        middle, axes = random.integers(0, side, 2), random.uniform(0.5, 1, 2) * largest
        size = int(axes[0]), int(axes[1])
        cv2.ellipse(mask, (int(middle[0]), int(middle[1])), size, float(random.uniform(0, 180)), 0, 360, 1, -1)
        there = mask > 0
        if (labels[there] > 0).mean() > 0.2:
            continue
        placed += 1
        labels[there & (labels == 0)] = placed
        if placed == count:
            break
    return labels


def star_output(labels: Array, rays: int, grid: int = 1) -> Array:
    """(1 + rays, y, x): what a perfect network answers, a probability that rises inwards and the way to the outside."""
    places = np.argwhere(labels > 0)
    output = np.zeros((1 + rays, *labels.shape), np.float32)
    for label in range(1, labels.max() + 1):
        depth = cv2.distanceTransform(np.pad((labels == label).astype(np.uint8), 1), cv2.DIST_L2, 5)[1:-1, 1:-1]
        output[0] += depth / max(depth.max(), 1)
    own = labels[tuple(places.T)]
    field = np.pad(labels, max(labels.shape))
    for ray in range(rays):
        direction = np.array([np.sin(2 * np.pi * ray / rays), np.cos(2 * np.pi * ray / rays)])
        far, inside = np.zeros(len(places)), np.ones(len(places), bool)
        while inside.any():
            reached = np.rint(places + (far[:, None] + 0.5) * direction).astype(int) + max(labels.shape)
            inside &= field[tuple(reached.T)] == own
            far[inside] += 0.5
        output[1 + ray][tuple(places.T)] = far
    return output[:, ::grid, ::grid]


def flow_output(labels: Array) -> Array:
    """(3, y, x): Cellpose's training target, five times the unit flow along y and x, and a logit."""
    output = np.zeros((3, *labels.shape), np.float32)
    output[2] = np.where(labels > 0, 6, -6)
    for label in range(1, labels.max() + 1):
        y, x = np.nonzero(labels == label)
        output[:2, y, x] = 5 * unit_flow(y, x)
    return output


def unit_flow(y: Array, x: Array) -> Array:
    """(2, n): the direction in which heat rises at an object's pixels that enters in its middle."""
    middle = np.argmin((y - y.mean()) ** 2 + (x - x.mean()) ** 2)
    y, x = y - y.min() + 1, x - x.min() + 1
    heat = np.zeros((y.max() + 2, x.max() + 2))
    for _ in range(2 * (y.max() + x.max() + 2)):
        heat[y[middle], x[middle]] += 1
        heat[y, x] = sum(heat[y + dy, x + dx] for dy in (-1, 0, 1) for dx in (-1, 0, 1)) / 9
    flow = np.stack([heat[y + 1, x] - heat[y - 1, x], heat[y, x + 1] - heat[y, x - 1]])
    return np.asarray(flow / (np.hypot(*flow) + 1e-20))


def polygon_mask(y: Array, x: Array, ys: Array, xs: Array) -> Array:
    """Which points (ys x xs) lie inside a polygon with the corners (y, x): a ray to the right crosses it odd times."""
    inside = np.zeros((len(ys), len(xs)), bool)
    for y0, x0, y1, x1 in zip(y, x, np.roll(y, -1), np.roll(x, -1), strict=True):
        crosses = (y0 > ys) != (y1 > ys)
        with np.errstate(divide="ignore", invalid="ignore"):
            where = x0 + (ys - y0) * (x1 - x0) / (y1 - y0)
        inside ^= crosses[:, None] & (xs[None, :] < where[:, None])
    return inside


def star_convex(output: Array, grid: tuple[int, int], least: float, most: float, border: int) -> tuple[Array, float]:
    """The label image, and how near an overlap that decided came to the threshold `most`."""
    rays, (height, width) = len(output) - 1, output.shape[1:]
    shape = height * grid[0], width * grid[1]
    found = []
    for row in range(border, height - border):
        for column in range(border, width - border):
            if output[0, row, column] > least:
                found.append((-output[0, row, column], row, column))
    angles = np.linspace(0, 2 * np.pi, rays, endpoint=False)
    fine = [np.arange(-size // 2 * FINE, size * 2 * FINE) / FINE + 0.5 / FINE for size in shape]
    kept: list[tuple[Array, Array, Array]] = []
    margin = 1.0
    for _, row, column in sorted(found):
        distances = np.clip(output[1:, row, column], 1e-3, max(shape))
        y, x = row * grid[0] + distances * np.sin(angles), column * grid[1] + distances * np.cos(angles)
        mask = polygon_mask(y, x, *fine)
        overlaps = [(mask & other).sum() / max(1, min(mask.sum(), other.sum())) for *_, other in kept]
        # One that suppresses clearly decides, whatever the others are.
        margin = min(margin, abs(max(overlaps, default=-1.0) - most))
        if all(overlap <= most for overlap in overlaps):
            kept.append((y, x, mask))
    labels = np.zeros(shape, np.int32)
    for label in range(len(kept), 0, -1):
        y, x, _ = kept[label - 1]
        labels[polygon_mask(y, x, np.arange(shape[0]), np.arange(shape[1]))] = label
    return labels, margin


def followed(flow: Array, places: Array, steps: int) -> Array:
    """Where each of `places` (n, 2) ends that follows `flow` (2, y, x), one by one."""
    height, width = flow.shape[1:]
    ends = np.zeros(places.shape)
    for number, (y, x) in enumerate(places.astype(float)):
        for _ in range(steps):
            y0, x0 = int(y), int(x)
            y1, x1 = min(y0 + 1, height - 1), min(x0 + 1, width - 1)
            v, u = y - y0, x - x0
            step = (flow[:, y0, x0] * (1 - u) + flow[:, y0, x1] * u) * (1 - v)
            step = step + (flow[:, y1, x0] * (1 - u) + flow[:, y1, x1] * u) * v
            y, x = min(max(y + step[0], 0), height - 1), min(max(x + step[1], 0), width - 1)
        ends[number] = y, x
    return ends


def gathered(ends: Array, shape: tuple[int, int]) -> Array:
    """The number (n,) of the seed at which each end point lies, the seed with the most first; 0 for none."""
    counts = np.zeros(shape, int)
    for y, x in ends.astype(int):
        counts[y, x] += 1
    seeds = []
    for y, x in np.argwhere(counts > 10):
        if counts[y, x] == counts[max(0, y - 2) : y + 3, max(0, x - 2) : x + 3].max():
            seeds.append((-counts[y, x], -y, -x))
    owner = np.zeros(shape, int)
    for number, (_, minus_y, minus_x) in reversed(list(enumerate(sorted(seeds), start=1))):
        reached = {(-minus_y, -minus_x)}
        for _ in range(5):
            beside = {(y + dy, x + dx) for y, x in reached for dy in (-1, 0, 1) for dx in (-1, 0, 1)}
            reached = {(y, x) for y, x in beside if 0 <= y < shape[0] and 0 <= x < shape[1] and counts[y, x] > 2}
        for y, x in reached:
            owner[y, x] = number
    return np.array([owner[y, x] for y, x in ends.astype(int)], int)


def f1(truth: Array, found: Array, overlap: float = 0.5) -> float:
    """Objects that have a partner of at least this intersection over union, as F1."""
    pairs = np.zeros((truth.max() + 1, found.max() + 1))
    np.add.at(pairs, (truth.ravel(), found.ravel()), 1)
    union = pairs.sum(1)[:, None] + pairs.sum(0)[None, :] - pairs
    hits = int(((pairs / np.maximum(union, 1))[1:, 1:] >= overlap).sum())
    return 2 * hits / max(1, len(np.unique(truth[truth > 0])) + len(np.unique(found[found > 0])))


def same_objects(expected: Array, found: Array) -> float:
    """The part of the pixels on which two label images differ, apart from the labels' numbers."""
    pairs, counts = np.unique(np.stack([expected.ravel(), found.ravel()]), axis=1, return_counts=True)
    agreed: dict[int, tuple[int, int]] = {}
    for (left, right), count in zip(pairs.T, counts, strict=True):
        if (left == 0) == (right == 0) and count > agreed.get(left, (0, 0))[1]:
            agreed[left] = right, count
    taken = {right for right, _ in agreed.values()}
    return 1.0 if len(taken) < len(agreed) else 1 - sum(count for _, count in agreed.values()) / expected.size
