"""How the scenario rare-event is used: a part of its culture, a field diaphragm that closes, more harm by light."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from onscope.drivers.rehearsal import VirtualMicroscope
from onscope.runtime.feedback.rehearse import Shot, Span
from onscope.specimen.optics import Mask
from onscope.specimen.scenarios import Scenario, read_scenario

from .watch_divisions import CLOSE, FAST_S, SURVEY

PIXEL_UM = 0.325
MARGIN_UM = 40.0
"""Of the plate around the camera's field: cells crawl in from there."""
CLOSED_UM = 40.0
"""Diameter of the field that the closed diaphragm leaves."""
EDGE_UM = 10.0
"""Cells that come into anaphase nearer to the border than this are not counted, for none of the ways."""


@dataclass(frozen=True)
class Use:
    """`side` pixels of camera, `hours`; `exposure_ms` of the scenario's light, and how `sensitive` cells are to it."""

    side: int = 640
    hours: float = 5.0
    exposure_ms: float = 300.0
    sensitive: float = 100.0

    @property
    def field_um(self) -> float:
        """Side of the camera's field."""
        return self.side * PIXEL_UM

    @property
    def scenario(self) -> Scenario:
        """Density, cycle, phases, optics and irradiance are the scenario's; the diaphragm fits the camera."""
        told = read_scenario("rare-event")
        cells, lit = told.sample.cells, told.channels["nuclei"]
        assert cells is not None
        extent = self.field_um + 2 * MARGIN_UM
        area = cells.extent_um[0] * cells.extent_um[1]
        culture = replace(
            cells,
            count=round(cells.count * extent**2 / area),
            extent_um=(extent, extent),
            sensitivity=self.sensitive,
        )
        field_um = self.field_um + 20
        power_mw = lit.power_mw * (field_um / lit.field_um) ** 2
        here = replace(lit, exposure_ms=self.exposure_ms, field_um=field_um, power_mw=power_mw)
        return replace(
            told,
            sample=replace(told.sample, cells=culture),
            channels={SURVEY: here, CLOSE: here},
            acquisition=replace(told.acquisition, stage_um=(extent / 2, extent / 2), shape=(self.side, self.side)),
        )

    def microscope(self, seed: int, interval_s: float, *, look: bool, tell: bool) -> Logged:
        """With its diaphragm: a sharp disc of light in the channel `close`."""
        on = Logged(self.scenario, seed=seed, hours=self.hours, interval_s=interval_s, look=look, tell=tell)
        known = on.stand.specimen.channels
        y, x = np.mgrid[-1:1:101j, -1:1:101j]
        disc = (np.hypot(y, x) <= 1).astype(np.float32)
        diaphragm = Mask(disc, CLOSED_UM / 101, na=0.75, extinction=0.0)
        known[CLOSE] = replace(known[CLOSE], illumination=replace(known[CLOSE].illumination, pattern=diaphragm))
        return on


@dataclass(frozen=True)
class RarePlan:
    """`seeds` specimens, and the networks on the first `networks` of them; with `picture` the picture is written."""

    seeds: int = 20
    networks: int = 20
    use: Use = Use()
    picture: bool = True


class Logged(VirtualMicroscope):
    """Remembers when and where it took which frames: (the sample's age in s, x_um, y_um, half of the lit side)."""

    def __init__(self, *args: object, **options: object) -> None:
        self.log: list[tuple[float, float, float, float]] = []
        super().__init__(*args, **options)  # type: ignore[arg-type]

    def next(self) -> Shot | None:
        shot = super().next()
        return None if shot is None else self._noted(shot)

    def taken(self) -> list[Shot]:
        return [self._noted(shot) for shot in super().taken()]

    def _noted(self, shot: Shot) -> Shot:
        """A diaphragm that closes is no other channel: statistics that the survey froze hold for the close frames."""
        self._note(shot)
        frame = shot.frame
        return replace(shot, frame=replace(frame, index={**frame.index, "c": 0}))

    def _note(self, shot: Shot) -> None:
        frame = shot.frame
        assert frame.stage_um is not None
        at_s = self.sample_s - (self.now_ns - frame.received_ns) / 1e9
        half = CLOSED_UM / 2 if frame.labels["c"] == CLOSE else self.stand.shape[0] * PIXEL_UM / 2
        self.log.append((at_s, frame.stage_um[0], frame.stage_um[1], half))


COVERED = 0.8
"""A division is caught when so much of its anaphase lies between frames that follow each other at the fast rate."""
LATE = 1.5
"""Of the fast interval: frames farther apart are not at the fast rate."""


def covered(span: Span, log: list[tuple[float, float, float, float]]) -> tuple[float, int]:
    """The part of a span that was imaged at least at the fast rate, and how many frames show it, lit.

    A frame shows it when its lit field holds the place where the span began, `EDGE_UM`/2 inside.
    """
    half = EDGE_UM / 2
    times = sorted(
        at_s
        for at_s, x_um, y_um, side in log
        if abs(x_um - span.x_um) < side - half and abs(y_um - span.y_um) < side - half
    )
    at = np.array(times)
    gaps = np.diff(at)
    inside = np.clip(np.minimum(at[1:], span.to_s) - np.maximum(at[:-1], span.from_s), 0, None)
    whole = float(inside[gaps <= LATE * FAST_S].sum()) / (span.to_s - span.from_s)
    return whole, int(((at >= span.from_s) & (at <= span.to_s)).sum())
