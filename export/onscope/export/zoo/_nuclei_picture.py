"""A picture of what the network for nuclei finds: held-out fields with the true outlines and its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from ._nuclei_quality import PACKAGE, StarGraph, held_out
from .recipes import Nuclei

Array = npt.NDArray[Any]
SIDE = 420
TILES = (
    ("dividing-cells", 0),
    ("rare-event", 0),
    ("wound", 1),
    ("label-free", 1),
    ("dying cells", 1),
    ("as in training", 3),
)
"""Kinds of fields, and which specimen of each: the first ones that are not empty."""
TRUE, FOUND = (90, 220, 90), (30, 140, 255)
"""Blue, green, red."""


def draw_picture(packages: Path, file: Path) -> None:
    """Six middles of held-out fields, true outlines green, found ones orange; a PNG or JPEG file."""
    find = StarGraph(packages / PACKAGE)
    tiles = [tile(kind, list(held_out(kind, number + 1))[-1], find) for kind, number in TILES]
    rows = [np.hstack(tiles[start : start + 3]) for start in (0, 3)]
    if not cv2.imwrite(str(file), np.vstack(rows), [cv2.IMWRITE_JPEG_QUALITY, 85]):
        raise ValueError(f"found {file.name}, expected a name that ends in .png or .jpg: choose another one")


def tile(kind: str, field: Nuclei, find: StarGraph) -> Array:
    """The middle of one field, `SIDE` pixels wide, with its name."""
    found = find(field.counts)
    low, high = np.percentile(field.counts, (1, 99.8))
    grey = np.clip((field.counts - low) / (high - low + 1), 0, 1) ** 0.6 * 255
    across = min(SIDE, *field.counts.shape)
    rows, columns = (slice((n - across) // 2, (n + across) // 2) for n in field.counts.shape)
    size = (SIDE, SIDE)
    image = cv2.cvtColor(cv2.resize(grey[rows, columns].astype(np.uint8), size), cv2.COLOR_GRAY2BGR)
    for labels, colour in ((field.labels, TRUE), (found, FOUND)):
        image[_edges(cv2.resize(labels[rows, columns].astype(np.float32), size, interpolation=cv2.INTER_NEAREST))] = (
            colour
        )
    cv2.putText(image, kind, (8, 20), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (255, 255, 255), 1, cv2.LINE_AA)
    return np.pad(image, ((2, 2), (2, 2), (0, 0)))


def _edges(labels: Array) -> Array:
    edge = np.zeros(labels.shape, bool)
    edge[:-1] |= labels[:-1] != labels[1:]
    edge[:, :-1] |= labels[:, :-1] != labels[:, 1:]
    return edge
