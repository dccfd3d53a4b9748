"""How cells live: growth, the phases of mitosis, two daughters, death."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from . import _noise
from ._harm import RENEWAL_S, REPAIR_S, pace
from ._herd import ANAPHASE, DEAD, DYING, INTERPHASE, METAPHASE, PROPHASE, TELOPHASE, Herd, daughters
from ._settings import CellSettings

Array = npt.NDArray[Any]

APART_UM = 10.0
"""Distance between the two sets of chromosomes at the end of anaphase in um: chosen; about 10 in HeLa."""

SPREADING_S = 2400.0
"""Time in seconds in which a daughter flattens to 1 - 1/e: chosen; cells spread again within an hour or two."""

DYING_S = 2700.0
"""Length of apoptosis in seconds, from first blebs to debris: of the order of an hour (M. R. Elliott,
K. S. Ravichandran, Dev. Cell 38, 147 (2016))."""

DEBRIS_S = 10 * 3600.0
"""Time in seconds after which debris has floated away: chosen; nobody eats it in a culture of one kind of cell."""

_DEATH = 1002


def live(herd: Herd, step: int, step_s: float, next_id: int, settings: CellSettings) -> Herd:
    """One step of `step_s` seconds: the herd afterwards, with daughters at its end and without what floated away.

    Progress and phases go at the pace that light leaves. A cell dies when its stress passes its tolerance, or by
    chance. Mothers leave the herd when their daughters enter; `next_id` is the first free id.
    """
    slow = pace(herd.stress)
    grow = step_s * slow
    herd.stress *= np.exp(-step_s / REPAIR_S)
    alive = herd.alive[:, None]
    herd.left += np.where(alive, (1 - herd.left) * (step_s / RENEWAL_S), 0.0)
    herd.phase_s += np.where(herd.alive, grow, step_s)
    interphase = herd.phase == INTERPHASE
    herd.progress += np.where(interphase, grow / herd.cycle_s, 0.0)
    _spread(herd, step_s, settings)
    _die(herd, step, step_s, settings)
    _next_phases(herd, settings)
    return _divide(herd, (step + 1) * step_s, next_id, settings)


def _spread(herd: Herd, step_s: float, settings: CellSettings) -> None:
    pro, meta, _, telo = settings.mitosis_s
    flattening = (herd.phase == INTERPHASE) | ((herd.phase == TELOPHASE) & (herd.phase_s > 0.6 * telo))
    rounding = (herd.phase == PROPHASE) | (herd.phase == METAPHASE)
    herd.spread += np.where(flattening, (1 - herd.spread) * step_s / SPREADING_S, 0.0)
    herd.spread[flattening & (herd.spread > 0.995)] = 1.0  # wholly flat cells are drawn together
    herd.spread -= np.where(rounding, herd.spread * step_s / (0.35 * (pro + 0.4 * meta)), 0.0)
    herd.spread -= np.where(herd.phase >= DYING, herd.spread * step_s / (0.3 * DYING_S), 0.0)


def _die(herd: Herd, step: int, step_s: float, settings: CellSettings) -> None:
    chance = settings.deaths_per_hour * step_s / 3600
    unlucky = (herd.phase == INTERPHASE) & (_noise.uniform(_noise.at_step(herd.key, step), _DEATH) < chance)
    dying = herd.alive & (unlucky | (herd.stress > herd.tolerance))
    herd.phase[dying] = DYING
    herd.phase_s[dying] = 0.0


def _next_phases(herd: Herd, settings: CellSettings) -> None:
    # Each cell takes its own time: a metaphase plate waits until the last chromosome is in place.
    pro, meta, _, telo = settings.mitosis_s
    own = herd.tempo
    for phase, length, then in (
        (PROPHASE, pro * own, METAPHASE),
        (METAPHASE, meta * own, ANAPHASE),
        (TELOPHASE, telo * own, INTERPHASE),
        (DYING, DYING_S * own, DEAD),
    ):
        over = (herd.phase == phase) & (herd.phase_s >= length)
        herd.phase[over] = then
        herd.phase_s[over] = 0.0
    ready = (herd.phase == INTERPHASE) & (herd.progress >= 1)
    herd.phase[ready] = PROPHASE
    herd.phase_s[ready] = 0.0


def _divide(herd: Herd, time_s: float, next_id: int, settings: CellSettings) -> Herd:
    done = (herd.phase == ANAPHASE) & (herd.phase_s >= settings.mitosis_s[2])
    gone = (herd.phase == DEAD) & (herd.phase_s >= DEBRIS_S)
    if not done.any():
        return herd.taken(~gone) if gone.any() else herd
    pairs = daughters(herd, np.flatnonzero(done), next_id, time_s, APART_UM, settings)
    return herd.taken(~(done | gone)).joined(pairs)
