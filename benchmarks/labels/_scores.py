"""Numbers that say how good labels are; each over the objects of several frames, one number per seed.

Instances: of all ways of pairing found with true ones the one whose overlaps (intersection over union) have the
largest sum, as `onscope.export.zoo` matches them. F1 at an overlap counts pairs of at least that; average precision
at an overlap is hits / (hits + spurious + missed), and "mAP" its mean over the overlaps 0.5, 0.55, ... 0.95: the score
of the Data Science Bowl 2018 (J. C. Caicedo et al., Nature Methods 16, 1247 (2019)), which StarDist (U. Schmidt et al.,
MICCAI 2018) reports at single overlaps; here all objects of a seed's frames are counted together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from onscope.export.zoo._matching import Matched

from .._rows import Row

OVERLAPS = tuple(round(0.5 + 0.05 * step, 2) for step in range(10))
"""0.5 to 0.95."""


def mean_average_precision(found: Matched) -> float:
    """The mean of the average precisions at `OVERLAPS`; 1 where nothing is and nothing was found."""
    return float(np.mean([found.average_precision(least) for least in OVERLAPS]))


def instance_scores(found: Matched) -> dict[str, float]:
    """F1 at 0.5 and 0.75, and mAP."""
    return {"F1 0.5": found.f1(0.5), "F1 0.75": found.f1(0.75), "mAP": mean_average_precision(found)}


def told(scores: Sequence[dict[str, float]], digits: int = 3) -> str:
    """Mean and standard deviation between the seeds (no deviation of one), NaN left out: "F1 0.970 ± 0.004, ..."."""
    words = []
    for name in scores[0]:
        values = np.array([score[name] for score in scores], float)
        values = values[~np.isnan(values)]
        spread = f" ± {values.std():.{digits}f}" if len(values) > 1 else ""
        words.append(f"{name} {values.mean():.{digits}f}{spread}" if len(values) else f"{name} -")
    return ", ".join(words)


def ratio(ours: Sequence[dict[str, float]], against: Sequence[dict[str, float]], name: str) -> float | None:
    """The mean of ours over that of theirs; None where theirs is 0 or one of them is not known."""
    mine, theirs = (float(np.nanmean([score[name] for score in scores])) for scores in (ours, against))
    return mine / theirs if theirs > 0 and np.isfinite(mine) else None


def detail(scores: Sequence[dict[str, float]]) -> dict[str, list[float | None]]:
    """Every seed's numbers by their name; None for what is not known."""
    return {
        name: [round(score[name], 5) if np.isfinite(score[name]) else None for score in scores] for name in scores[0]
    }


def beside(
    what: str,
    ours: Sequence[dict[str, float]],
    theirs: Sequence[dict[str, float]],
    other: str,
    by: str | None,
    about: Mapping[str, Any],
    *,
    promised: bool = True,
    digits: int = 3,
) -> Row:
    """A row of our scores beside those of `other`, and their ratio `by` one of the scores (None: none is taken).

    Where it is `promised` it must be 1 at least, or cannot be told. `about` goes before the numbers of each seed.
    """
    over = None if by is None else ratio(ours, theirs, by)
    held = promised and by is not None
    return Row(
        what,
        told(ours),
        f"{other}: {told(theirs)}",
        None if over is None else round(over, digits),
        f"{by} at least 1" if held else "",
        (over is None or over >= 1) if held else None,
        {**about, "ours": detail(ours), other: detail(theirs)},
    )
