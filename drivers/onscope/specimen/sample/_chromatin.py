"""Nuclei and chromosomes: which bodies of chromatin a cell has in its phase, where, how large, how condensed."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from .._view import CLASSES
from . import _noise
from ._herd import ANAPHASE, DEAD, DYING, INTERPHASE, METAPHASE, PROPHASE, TELOPHASE, Herd
from ._nucleus import Nuclei
from ._outline import separation_um
from ._settings import CellSettings

Array = npt.NDArray[Any]
Values = dict[str, Array | float]

BODY = np.dtype(
    [
        ("row", np.int32),  # which cell of the herd that was given
        ("y_um", np.float64),
        ("x_um", np.float64),
        ("angle", np.float64),  # of the long half axis, from +x to +y
        ("long_um", np.float64),  # half axes
        ("short_um", np.float64),
        ("share", np.float64),  # of the cell's chromatin
        ("sprite", np.int32),  # number of a name in SPRITES
        ("variant", np.uint32),
        ("envelope", np.bool_),  # a nucleus that keeps the cytoplasm out
    ]
)
SPRITES = ("interphase", "prophase", "plate", "ball")
BALL = SPRITES.index("ball")

PLATE_UM = (6.0, 1.5)
"""Half axes of a metaphase plate in um: about 12 by 3 um in HeLa (figures of P. Meraldi et al., Dev. Cell 7, 45
(2004))."""

PLATE_SEEN = 0.8
"""Share of their way into the plate from which on the cell is in metaphase: a choice. The plate is still two
thirds thicker there than it will be; 9 of a mean cell's 32 min from envelope breakdown to anaphase have passed."""

_FRAGMENTS = 100


def bodies(herd: Herd, at: Nuclei, settings: CellSettings) -> Array:
    """Bodies of chromatin of all cells of a herd with their nuclei, dtype `BODY`, by rising row."""
    long, short, tilt = at.long_um, at.short_um, at.angle
    found = [
        _whole(herd, long, short, tilt),
        *_prophase(herd, long, short, tilt, settings),
        *_metaphase(herd, long, tilt, settings),
        *_anaphase(herd, settings),
        *_telophase(herd, long, short, tilt, settings),
        *_fragments(herd, long, short, tilt),
    ]
    out = np.concatenate(found)
    out["y_um"] += at.y_um[out["row"]]
    out["x_um"] += at.x_um[out["row"]]
    return np.asarray(out[np.argsort(out["row"], kind="stable")])


def _bodies(herd: Herd, chosen: Array, sprite: str, values: Values, envelope: bool = False) -> Array:
    rows = np.flatnonzero(chosen)
    out = np.zeros(len(rows), dtype=BODY)
    out["row"], out["sprite"], out["envelope"] = rows, SPRITES.index(sprite), envelope
    out["variant"] = (herd.key[rows] >> np.uint64(40)).astype(np.uint32)
    out["y_um"], out["x_um"], out["share"] = herd.y[rows], herd.x[rows], 1.0
    for name, value in values.items():
        column = np.broadcast_to(np.asarray(value, dtype=np.float64), len(herd))[rows]
        if name in ("y_um", "x_um"):
            out[name] += column
        else:
            out[name] = column
    return out


def _whole(herd: Herd, long: Array, short: Array, tilt: Array) -> Array:
    size: Values = {"long_um": long, "short_um": short, "angle": tilt}
    return _bodies(herd, herd.phase == INTERPHASE, "interphase", size, envelope=True)


def _prophase(herd: Herd, long: Array, short: Array, tilt: Array, settings: CellSettings) -> list[Array]:
    share = np.clip(herd.phase_s / (settings.mitosis_s[0] * herd.tempo), 0, 1)
    chosen = herd.phase == PROPHASE
    shrink = 1 - 0.12 * share
    size: Values = {"long_um": long * shrink, "short_um": short * shrink, "angle": tilt}
    return [
        _bodies(herd, chosen, "interphase", {"share": 1 - share, **size}, envelope=True),
        _bodies(herd, chosen, "prophase", {"share": share, **size}),
    ]


def kinds(herd: Herd, settings: CellSettings) -> npt.NDArray[np.int16]:
    """Numbers of names in `CLASSES` (N,): the phase, but prometaphase for as long as no plate is seen."""
    early = (herd.phase == METAPHASE) & (_gathered(herd, settings) < PLATE_SEEN)
    return np.where(early, CLASSES.index("prometaphase"), herd.phase).astype(np.int16)


def _gathered(herd: Herd, settings: CellSettings) -> Array:
    """How far chromosomes have come on their way into the plate (N,), 0 to 1.

    They gather (congress) in the first 40 % of the time from envelope breakdown on, then wait as a plate.
    """
    share = np.clip(herd.phase_s / (0.4 * settings.mitosis_s[1] * herd.tempo), 0, 1)
    return np.asarray(share * share * (3 - 2 * share))


def _metaphase(herd: Herd, long: Array, tilt: Array, settings: CellSettings) -> list[Array]:
    smooth = _gathered(herd, settings)
    across = herd.axis + math.pi / 2
    rocking = 0.12 * np.sin(herd.phase_s / 180)
    angle = across + rocking + (1 - smooth) * np.sin(tilt - across)
    cloud = np.minimum(0.88 * long, 6.5)
    chosen = herd.phase == METAPHASE
    gathered = cloud + (PLATE_UM[1] - cloud) * smooth
    wide = cloud + (PLATE_UM[0] - cloud) * smooth
    size: Values = {"long_um": wide, "short_um": gathered, "angle": angle}
    return [
        _bodies(herd, chosen & (smooth < 1), "prophase", {"share": 1 - smooth, **size}),
        _bodies(herd, chosen & (smooth > 0), "plate", {"share": smooth, **size}),
    ]


def _anaphase(herd: Herd, settings: CellSettings) -> list[Array]:
    share = np.clip(herd.phase_s / settings.mitosis_s[2], 0, 1)
    half = separation_um(share) / 2
    long, short = PLATE_UM[0] * (1 - 0.28 * share), PLATE_UM[1] * (0.7 + 0.25 * share)
    size: Values = {"long_um": long, "short_um": short, "angle": herd.axis + math.pi / 2, "share": 0.5}
    out = []
    for side in (-1, 1):
        place: Values = {"y_um": side * half * np.sin(herd.axis), "x_um": side * half * np.cos(herd.axis)}
        out.append(_bodies(herd, herd.phase == ANAPHASE, "plate", {**size, **place}))
    return out


def _telophase(herd: Herd, long: Array, short: Array, tilt: Array, settings: CellSettings) -> list[Array]:
    """The bar of chromosomes swells into a small nucleus, which grows on in early interphase."""
    share = np.clip(herd.phase_s / (settings.mitosis_s[3] * herd.tempo), 0, 1)
    smooth = share * share * (3 - 2 * share)
    across = herd.axis + math.pi / 2
    size: Values = {
        "long_um": 0.72 * PLATE_UM[0] + (long - 0.72 * PLATE_UM[0]) * smooth,
        "short_um": 0.95 * PLATE_UM[1] + (short - 0.95 * PLATE_UM[1]) * smooth,
        "angle": across + smooth * np.sin(2 * (tilt - across)) / 2,
    }
    chosen = herd.phase == TELOPHASE
    return [
        _bodies(herd, chosen & (smooth < 1), "plate", {"share": 1 - smooth, **size}),
        _bodies(herd, chosen & (smooth > 0), "interphase", {"share": smooth, **size}, envelope=True),
    ]


def _fragments(herd: Herd, long: Array, short: Array, tilt: Array) -> list[Array]:
    """Apoptosis: the nucleus shrinks and brightens (pyknosis), then breaks into balls (karyorrhexis).

    J. F. R. Kerr, A. H. Wyllie, A. R. Currie, Br. J. Cancer 26, 239 (1972); sizes and times are chosen.
    """
    chosen = herd.phase >= DYING
    if not chosen.any():
        return []
    clock = np.where(herd.phase == DEAD, 1.0, np.clip(herd.phase_s / 1500, 0, 1))
    flat = np.clip(1 - 5 * clock, 0, 1) * herd.spread  # what is still as it was; round cells have no nucleus to lose
    broken = np.clip(2.5 * clock - 0.75, 0, 1)
    size: Values = {"long_um": long * (0.7 + 0.3 * flat), "short_um": short * (0.7 + 0.3 * flat), "angle": tilt}
    shrunk = long * (0.55 + 0.3 * flat)
    ball: Values = {"long_um": shrunk, "short_um": 0.9 * shrunk, "angle": herd.axis}
    whole = (1 - broken) * (1 - flat)
    out = [
        _bodies(herd, chosen & (flat > 0), "interphase", {"share": flat * (1 - broken), **size}, envelope=True),
        _bodies(herd, chosen & (whole > 0), "ball", {"share": whole, **ball}, envelope=True),
    ]
    weight = np.array([0.34, 0.22, 0.18, 0.12, 0.08, 0.06])
    for n, part in enumerate(weight):
        turn, far = (_noise.uniform(herd.key, _FRAGMENTS + 2 * n + m) for m in range(2))
        reach = 0.65 * long * np.sqrt(far) * (0.3 + 0.7 * clock)
        radius = long * 0.58 * np.cbrt(part)
        place: Values = {
            "y_um": reach * np.sin(2 * math.pi * turn),
            "x_um": reach * np.cos(2 * math.pi * turn),
            "long_um": radius,
            "short_um": radius,
            "share": part * broken,
        }
        out.append(_bodies(herd, chosen & (broken > 0), "ball", place))
    return out


def dna(herd: Herd) -> Array:
    """Chromatin relative to a newborn cell (N,): doubles in S phase, 45 to 78 % through interphase (of 22 h: G1 10,
    S 7, G2 5, about HeLa's), and fades as debris (1/e in 4 h: chosen)."""
    made = 1 + np.clip((herd.progress - 0.45) / 0.33, 0, 1)
    made = np.where(herd.phase == TELOPHASE, 1.0, np.where((herd.phase > INTERPHASE) & (herd.phase < DYING), 2.0, made))
    return np.asarray(np.where(herd.phase == DEAD, made * np.exp(-herd.phase_s / 14400), made))
