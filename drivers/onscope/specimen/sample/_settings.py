"""What a culture of cells is like: numbers with units, each from the literature of adherent human cell lines."""

from __future__ import annotations

from dataclasses import dataclass

from ..optics import FLUOROPHORES

DYES = ("nucleus", "membrane", "cytoplasm", "mitochondria", "filaments")
"""The structures of a cell that carry a dye, in the order of the columns of `Herd.left`."""


@dataclass(frozen=True, slots=True)
class CellSettings:
    """A culture of adherent mammalian cells on a coverslip; defaults are near HeLa and MCF10A.

    The plate: `count` cells at the start on `extent_um` (y, x), leaving a strip of `gap_um` along y free in the middle
    (a wound).

    The life: `cycle_h` from birth to mitosis (HeLa 20 to 24 h) with a relative spread of `cycle_spread` over cells
    (chosen); `prophase_min`, `metaphase_min` (from envelope breakdown on, so with prometaphase), `anaphase_min`,
    `telophase_min`: chosen within what is seen in HeLa, about an hour in all (M. Held et al., Nature Methods 7, 747
    (2010); P. Meraldi et al., Dev. Cell 7, 45 (2004)); `deaths_per_hour` without light (chosen);
    `mitotic_fraction` of the cells are in mitosis at the start (None: as many as the cycle's length makes).

    The walk: `speed_um_per_min` and `persistence_min` of the persistent random walk, chosen as for cells that crawl by
    tens of um in an hour and keep their direction for tens of minutes, as keratinocytes and fibroblasts do (D. Selmeczi
    et al., Biophys. J. 89, 912 (2005)).

    The shape: `volume_um3` at birth, which doubles until mitosis (2,000 to 3,000 is the mean over the cycle in
    HeLa: R. Milo, R. Phillips, Cell Biology by the Numbers (2015), "How big is a human cell?"; a growing culture's mean
    is 1.4 times that at birth); `height_um` mean height of a spread cell (chosen); `elongation` long over short axis;
    `spikiness` 0 (epithelial) to 1 (stellate fibroblast); `nucleus_um` mean diameter at birth of an interphase nucleus
    (chosen: 130 um2 then, 210 before mitosis); `touch` how near cells come before they push, over the sum of their
    radii: below 1 they crowd, and their nuclei touch.

    The light: `sensitivity` multiplies the harm that light does (1: unlabelled cells, see `lethal_dose_j_cm2`);
    labelled cells can be 10 to 100 times as sensitive. `expression_spread` is the log-normal spread of a dye's
    amount over cells, `fluorophores` the names (in `FLUOROPHORES`) of the proteins on each of `DYES`.

    Raises ValueError for what no culture can be.
    """

    count: int = 100
    extent_um: tuple[float, float] = (600.0, 600.0)
    gap_um: float = 0.0
    cycle_h: float = 22.0
    cycle_spread: float = 0.12
    prophase_min: float = 14.0
    metaphase_min: float = 32.0
    anaphase_min: float = 8.0
    telophase_min: float = 18.0
    deaths_per_hour: float = 0.001
    mitotic_fraction: float | None = None
    speed_um_per_min: float = 0.45
    persistence_min: float = 30.0
    volume_um3: float = 1500.0
    height_um: float = 4.0
    elongation: float = 1.35
    spikiness: float = 0.25
    touch: float = 1.0
    nucleus_um: float = 13.0
    sensitivity: float = 1.0
    expression_spread: float = 0.35
    fluorophores: tuple[str, ...] = ("mCherry", "EGFP", "EGFP", "EGFP", "EGFP")

    def __post_init__(self) -> None:
        if not 1 <= self.count <= 5000 or min(self.extent_um) < 50:
            raise ValueError(
                f"found {self.count} cells on {self.extent_um} um, expected 1 to 5000 cells and 50 um or more per side"
            )
        if not 0 <= self.gap_um <= self.extent_um[1] - 50:
            raise ValueError(
                f"found a gap of {self.gap_um} um on {self.extent_um[1]} um, expected 0 or more and 50 um left"
            )
        positive = (self.cycle_h, self.prophase_min, self.metaphase_min, self.anaphase_min, self.telophase_min)
        sizes = (self.volume_um3, self.height_um, self.nucleus_um, self.persistence_min, self.elongation, self.touch)
        if min(positive + sizes) <= 0:
            raise ValueError("found a duration or a size of 0 or less, expected positive ones: see CellSettings")
        others = (self.speed_um_per_min, self.deaths_per_hour, self.sensitivity, self.spikiness)
        unknown = [name for name in self.fluorophores if name not in FLUOROPHORES]
        if unknown or len(self.fluorophores) != len(DYES):
            raise ValueError(
                f"found fluorophores {self.fluorophores}, expected one of {', '.join(FLUOROPHORES)} for each of "
                f"{', '.join(DYES)}"
            )
        if min(others) < 0 or not 0 <= (self.mitotic_fraction or 0) <= 1:
            raise ValueError(
                "found a speed, death rate, sensitivity or spikiness below 0 or a mitotic fraction that is none, "
                "expected 0 or more: see CellSettings"
            )

    @property
    def mitosis_s(self) -> tuple[float, float, float, float]:
        """Lengths of prophase, metaphase, anaphase and telophase in seconds."""
        minutes = (self.prophase_min, self.metaphase_min, self.anaphase_min, self.telophase_min)
        return minutes[0] * 60, minutes[1] * 60, minutes[2] * 60, minutes[3] * 60
