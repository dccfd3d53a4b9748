"""The picture beside a data set."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from onscope.specimen import Snap, Specimen

from ._data_set import Written
from ._picture import Panel, coloured, write_picture
from ._plan import Plan

Array = npt.NDArray[Any]
SHOWN = 3  # channels; one more where there is no later frame to show
CLOSE = 96  # pixels across a close-up


def write_overview(path: Path, plan: Plan, specimen: Specimen, written: Written) -> None:
    """The first channels at the begin, truth, and the first channel at the end; what there is more to see of some.

    Points (beads, emitters) have no labels: those that shine are drawn as crosses, and the mean of all frames shows
    where there were some. Under structured light a close-up shows the stripes, a spectrum their place.
    """
    pixel_um = specimen.pixel_um
    striped = any(lit.sim for lit in plan.scenario.channels.values())
    panels = [_seen(snap, pixel_um) for snap in written.first[: 1 if striped else SHOWN + (plan.frames == 1)]]
    if striped:
        panels += _stripes(written.first[0], pixel_um)
    first = written.first[0]
    truth = first.truth
    if truth is not None and truth.labels.any():
        bodies = int((truth.objects["area_um2"] > 0).sum())
        panels.append(Panel(f"truth: {bodies} {_noun(truth.kinds())}", coloured(truth.labels), pixel_um))
    elif truth is not None:
        panels.append(Panel(f"truth: {int(truth.objects['on'].sum())} shine", _crosses(first), pixel_um))
        panels.append(Panel(f"mean of {plan.frames} frames", written.mean, pixel_um))
    if plan.frames > 1 and truth is not None and truth.labels.any():
        for snap in written.last[: min(SHOWN, len(written.last)) if not striped else 1][:2]:
            same = next(one for one in written.first if one.channel == snap.channel)
            after_s = snap.time_s - same.time_s
            panels.append(Panel(f"{snap.channel}, {_time(after_s)} later", snap.counts, pixel_um, _limits(same)))
    write_picture(path, panels)


def _seen(snap: Snap, pixel_um: float) -> Panel:
    return Panel(snap.channel, snap.counts, pixel_um, _limits(snap))


def _limits(snap: Snap) -> tuple[float, float]:
    """Percentiles 0.5 and 99.5; of an image with few bright points, a quarter of their height at least."""
    low, middle, high, top = (float(each) for each in np.percentile(snap.counts, (0.5, 50, 99.5, 99.98)))
    return low, max(high, middle + (top - middle) / 4)


def _noun(kinds: list[str]) -> str:
    return "rods" if "bacterium" in kinds else "cells"


def _time(seconds: float) -> str:
    if seconds >= 7200:
        return f"{seconds / 3600:.1f} h"
    return f"{seconds / 60:.0f} min" if seconds >= 120 else f"{seconds:.3g} s"


def _stripes(snap: Snap, pixel_um: float) -> list[Panel]:
    """A close-up around the brightest place, and the logarithm of the noisy image's spectrum."""
    size = min(CLOSE, *snap.counts.shape)
    brightest = np.unravel_index(int(snap.photons.argmax()), snap.photons.shape)
    row, column = (
        int(min(max(at - size // 2, 0), n - size)) for at, n in zip(brightest, snap.counts.shape, strict=True)
    )
    close = snap.counts[row : row + size, column : column + size]
    window = np.outer(*(np.hanning(n) for n in snap.counts.shape))
    spectrum = np.log(np.abs(np.fft.fftshift(np.fft.fft2(window * (snap.counts - snap.counts.mean())))) + 1)
    return [
        Panel(f"{snap.channel}, close", close, pixel_um),
        Panel("its spectrum (logarithm)", spectrum, 0.0),
    ]


def _crosses(snap: Snap) -> Array:
    """Objects that shine, as green crosses on black, uint8 (rows, columns, 3)."""
    sheet = np.zeros((*snap.view.shape, 3), dtype=np.uint8)
    if snap.truth is None:
        return sheet
    shining = snap.truth.objects[snap.truth.objects["on"]]
    rows, columns = snap.view.pixels(shining["y_um"], shining["x_um"])
    for row, column in zip(np.rint(rows).astype(int), np.rint(columns).astype(int), strict=True):
        sheet[max(row - 2, 0) : row + 3, max(column, 0) : column + 1] = (90, 230, 90)
        sheet[max(row, 0) : row + 1, max(column - 2, 0) : column + 3] = (90, 230, 90)
    return sheet
