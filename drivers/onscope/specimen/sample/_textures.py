"""What the insides of cells look like: seeded banks of textures, drawn once and taken from many times.

Chromatin comes as sprites over the unit ellipse, all else as tiles in micrometres that repeat without a seam.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from ._chromatin import SPRITES

Array = npt.NDArray[Any]

VARIANTS = 12
"""Sprites of a kind: with 4 ways to turn and mirror them, 48 nuclei look different."""

REACH = 1.35
"""Sprites span -REACH to REACH half axes, so that irregular outlines have room."""

_SIDE = 128
TILE_UM = 51.2
TILE_TEXEL_UM = 0.1
_TILE = 512
TILES = ("grain", "mitochondria", "filaments")
TILE_VARIANTS = 6


@dataclass(frozen=True, slots=True, eq=False)
class Sprite:
    """One body of chromatin over the unit ellipse: levels of (rows, columns) float32, each half as fine as the one
    before. `amount` sums to 1 (level 0); `mask` is 1 within the body; `height` the relative thickness; `path` the same
    with denser nucleoli, which count as much as they delay light against the rest."""

    amount: tuple[Array, ...]
    mask: tuple[Array, ...]
    height: tuple[Array, ...]
    path: tuple[Array, ...]


@lru_cache(maxsize=4)
def sprites(seed: int) -> tuple[tuple[Sprite, ...], ...]:
    """The bank: for each name in SPRITES, its variants."""
    rng = np.random.default_rng([seed, 0x5B])
    return tuple(tuple(_sprite(kind, rng) for _ in range(VARIANTS)) for kind in SPRITES)


@lru_cache(maxsize=4)
def tiles(seed: int) -> dict[str, tuple[Array, ...]]:
    """The atlas of each kind of tile, as levels: float32 of (TILE_VARIANTS * side, side), mean about 1."""
    rng = np.random.default_rng([seed, 0x71])
    draw = {"grain": _grain, "mitochondria": _mitochondria, "filaments": _filaments}
    out = {}
    for kind in TILES:
        single = [draw[kind](rng).astype(np.float32) for _ in range(TILE_VARIANTS)]
        levels = [np.concatenate(single)]
        for level in range(1, 5):
            side = _TILE >> level
            small = [cv2.resize(each, (side, side), interpolation=cv2.INTER_AREA) for each in single]
            levels.append(np.concatenate(small))
        out[kind] = tuple(levels)
    return out


def _noise_field(rng: np.random.Generator, shape: tuple[int, int], fine: float, coarse: float) -> Array:
    """Periodic noise with details between two lengths (in texels), mean 0, standard deviation 1."""
    wave = np.hypot(np.fft.fftfreq(shape[0])[:, None], np.fft.rfftfreq(shape[1])[None, :])
    band = np.exp(-((wave * fine) ** 2) * 4) / (1 + (wave * coarse) ** 2)
    field = np.fft.irfft2(np.fft.rfft2(rng.standard_normal(shape)) * band, shape)
    return np.asarray((field - field.mean()) / field.std())


def _sprite(kind: str, rng: np.random.Generator) -> Sprite:
    shape = (_SIDE // 2, _SIDE) if kind == "plate" else (_SIDE, _SIDE)
    q = np.linspace(-REACH, REACH, shape[0])[:, None]
    p = np.linspace(-REACH, REACH, shape[1])[None, :]
    angle = np.arctan2(q, p)
    wobble = {"interphase": 0.03, "prophase": 0.05, "plate": 0.07, "ball": 0.03}[kind]
    edge = np.ones(shape)
    for k in range(2, 8):
        edge += wobble / k * 2 * rng.standard_normal() * np.cos(k * angle + 2 * math.pi * rng.random())
    if kind == "plate":
        # Arms stand out of its long sides; at its ends the same unevenness in um is a fourth of it in half axes.
        arms = _noise_field(rng, shape, 5, 14)
        long, short = np.abs(p) / (1 + 0.02 * arms), np.abs(q) / (1 + 0.08 * arms)
        ratio = (long**3.2 + short**3.2) ** (1 / 3.2) / (1 + 0.5 * (edge - 1))
    else:
        ratio = np.hypot(p, q) / edge
    soft = 0.06
    mask = np.clip(0.5 + (1 - ratio) / soft, 0, 1)
    inside = np.clip(1 - ratio**2, 0, 1)
    height = mask * inside ** {"interphase": 0.35, "prophase": 0.45, "plate": 0.3, "ball": 0.5}[kind]
    nucleoli = _nucleoli(rng, p, q) if kind == "interphase" else np.zeros(shape)
    amount = height * _chromatin_texture(kind, rng, shape, ratio) * (1 - 0.55 * nucleoli)
    amount *= 1 / amount.sum()
    path = height * (1 - 1.5 * nucleoli)
    return Sprite(*(_levels(each) for each in (amount, mask, height, path)))


def _nucleoli(rng: np.random.Generator, p: Array, q: Array) -> Array:
    """1 in two to four nucleoli, which hold little DNA and much of all else; 0 outside."""
    out = np.zeros(np.broadcast_shapes(p.shape, q.shape))
    for _ in range(int(rng.integers(2, 5))):
        far, turn, size = 0.62 * math.sqrt(rng.random()), 2 * math.pi * rng.random(), rng.uniform(0.10, 0.2)
        off = np.hypot((p - far * math.cos(turn)) * rng.uniform(0.8, 1.2), q - far * math.sin(turn)) / size
        out = np.maximum(out, 1 / (1 + off**8))
    return out


def _chromatin_texture(kind: str, rng: np.random.Generator, shape: tuple[int, int], ratio: Array) -> Array:
    if kind == "interphase":
        texture = 1 + 0.16 * _noise_field(rng, shape, 5, 30) + 0.10 * _noise_field(rng, shape, 3, 8)
        texture += 0.12 * np.exp(-(((ratio - 0.93) / 0.06) ** 2))  # heterochromatin lies under the envelope
    elif kind == "prophase":  # threads: where two random fields cross zero
        threads = np.zeros(shape)
        for _ in range(2):
            threads += np.exp(-((_noise_field(rng, shape, 6, 10) / 0.32) ** 2))
        texture = 0.25 + threads
    elif kind == "plate":
        texture = 1 + 0.20 * _noise_field(rng, shape, 5, 12)
    else:
        texture = 1 + 0.08 * _noise_field(rng, shape, 8, 20)
    return np.asarray(np.clip(texture, 0.05, None))


def _levels(fine: Array) -> tuple[Array, ...]:
    out: list[Array] = [fine.astype(np.float32)]
    for _ in range(4):
        last = out[-1]
        out.append(cv2.resize(last, (last.shape[1] // 2, last.shape[0] // 2), interpolation=cv2.INTER_AREA))
    return tuple(out)


def _grain(rng: np.random.Generator) -> Array:
    """Cytoplasm: cloudy, with dark vesicles of 0.3 to 1.2 um."""
    tile = 1 + 0.10 * _noise_field(rng, (_TILE, _TILE), 8, 40) + 0.06 * _noise_field(rng, (_TILE, _TILE), 3, 6)
    dark = np.zeros((_TILE, _TILE), dtype=np.uint8)
    for _ in range(260):
        _wrapped_disc(dark, rng.uniform(0, _TILE, 2), rng.uniform(1.5, 6) * rng.random() + 1.0)
    return np.asarray(tile * (1 - 0.5 / 255 * dark))


def _wrapped_disc(image: Array, centre: Array, radius: float) -> None:
    for dy in (-_TILE, 0, _TILE):
        for dx in (-_TILE, 0, _TILE):
            at = (int((centre[1] + dx) * 16), int((centre[0] + dy) * 16))
            cv2.circle(image, at, int(radius * 16), 255, -1, cv2.LINE_AA, 4)


def _curves(
    rng: np.random.Generator,
    count: int,
    length: int,
    turn: float,
    spread: float,
    width: int,
    faintest: float = 0.4,
    ends: tuple[float, ...] = (0.0,),
) -> Array:
    """Smooth random curves of `length` texels, over the seam: `turn` rad per texel, directions within `spread`.

    The brightest is 1, the faintest `faintest`; `ends` are the shares of its length at either end by which a curve is
    shortened in each of the equal parts that add up to it, so that it tapers off.
    """
    out = np.zeros((_TILE, _TILE), dtype=np.float32)
    groups = 10  # curves of a group are as bright as each other, and cross without adding up
    for group in range(groups):
        lines = []
        for _ in range(count // groups):
            steps = max(int(length * rng.uniform(0.4, 1.3) / 4), 3)
            angle = spread * rng.uniform(-1, 1) + turn * 4 * np.cumsum(rng.standard_normal(steps)) / 3
            y = rng.uniform(0, _TILE) + np.cumsum(4 * np.sin(angle))
            x = rng.uniform(0, _TILE) + np.cumsum(4 * np.cos(angle))
            lines.append(
                np.stack([x - _TILE * math.floor(x.mean() / _TILE), y - _TILE * math.floor(y.mean() / _TILE)], axis=1)
            )
        bright = faintest + (1 - faintest) * group / (groups - 1)
        for end in ends:
            one = np.zeros((_TILE, _TILE), dtype=np.uint8)
            cut = [line[int(end * len(line)) : len(line) - int(end * len(line))] for line in lines]
            shifts = [(dx, dy) for dy in (-_TILE, 0, _TILE) for dx in (-_TILE, 0, _TILE)]
            drawn = [np.round((line + shift) * 16).astype(np.int32) for line in cut for shift in shifts]
            cv2.polylines(one, drawn, False, 255, width, cv2.LINE_AA, 4)
            out += one.astype(np.float32) * np.float32(bright / 255 / len(ends))
    return out


def _mitochondria(rng: np.random.Generator) -> Array:
    """Tubules 0.4 to 0.5 um across and 3 to 12 um long that overlap in a network of even brightness."""
    tile = _curves(rng, 340, 100, 0.10, math.pi, 3)
    tile = cv2.GaussianBlur(np.minimum(tile, 1.1), (0, 0), 1.2)
    return np.asarray(tile / tile.mean())


def _filaments(rng: np.random.Generator) -> Array:
    """Stress fibres along +x: bundles of 0.2 to 0.4 um, 10 to 40 um long, few of them thick, over a faint mesh."""
    thick = _curves(rng, 40, 300, 0.002, 0.10, 2, 0.3, (0.0, 0.1, 0.2, 0.3))
    thin = _curves(rng, 160, 160, 0.004, 0.25, 1, 0.3, (0.0, 0.15, 0.3))
    mesh = _curves(rng, 400, 60, 0.03, math.pi, 1)
    tile = cv2.GaussianBlur(thick, (0, 0), 0.8) + 0.45 * thin + 0.12 * mesh + 0.03
    return np.asarray(tile / tile.mean())
