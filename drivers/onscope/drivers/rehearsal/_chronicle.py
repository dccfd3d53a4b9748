"""What happens to living cells, step by step, seen or not."""

from __future__ import annotations

from typing import Any

import numpy as np

from onscope.runtime.feedback.rehearse import SpanBuilder, Story
from onscope.specimen import CLASSES, Specimen, View
from onscope.specimen.sample import Cells
from onscope.specimen.sample import kinds as kinds_of

STEP_S = 10.0
"""Cells are looked at this often, as often as they change."""


class Chronicle:
    """Follows all cells of a specimen while it lives on; of other samples nothing is known but what frames show.

    What began in `home`, a part of the sample, is told by `story`.
    """

    def __init__(self, specimen: Specimen, home: View) -> None:
        self._specimen, self._home = specimen, home
        self._spans = SpanBuilder()
        self._doses: dict[int, float] = {}
        self._died: dict[int, bool] = {}
        self._dead: set[int] = set()
        self._begun = False
        self._noted_s = specimen.time_s
        if self.able:
            self._note()

    @property
    def able(self) -> bool:
        """Whether the sample tells all that there is to know."""
        return isinstance(self._specimen.sample, Cells)

    def advance(self, to_s: float) -> None:
        """The specimen lives on until `to_s`, which is noted on the way."""
        while self.able and self._noted_s + STEP_S <= to_s:
            self._noted_s += STEP_S
            if self._noted_s > self._specimen.time_s:
                self._specimen.advance(self._noted_s)
            self._note()
        if to_s > self._specimen.time_s:
            self._specimen.advance(to_s)

    def story(self) -> Story | None:
        """What happened to the cells that were in `home`; None: the sample does not tell."""
        if not self.able:
            return None
        spans = [span for span in self._spans.spans() if self._inside(span.y_um, span.x_um)]
        known = {span.id for span in spans}
        return Story(
            tuple(spans),
            {who: dose for who, dose in self._doses.items() if who in known},
            {who: light for who, light in self._died.items() if who in known},
        )

    def _inside(self, y_um: float, x_um: float) -> bool:
        return bool(self._home.contains(np.array(y_um), np.array(x_um)))

    def _note(self) -> None:
        sample = self._specimen.sample
        assert isinstance(sample, Cells)
        herd = sample.herd
        kinds = kinds_of(herd, sample.settings)
        rows: list[Any] = list(zip(herd.id.tolist(), kinds.tolist(), herd.y.tolist(), herd.x.tolist(), strict=True))
        self._spans.add(self._specimen.time_s, ((who, CLASSES[kind], y, x) for who, kind, y, x in rows))
        self._doses |= dict(zip(herd.id.tolist(), herd.dose.tolist(), strict=True))
        for row in np.flatnonzero(~herd.alive):
            who = int(herd.id[row])
            if who not in self._dead and self._begun:
                self._died[who] = bool(herd.stress[row] > herd.tolerance[row])
            self._dead.add(who)
        self._begun = True
