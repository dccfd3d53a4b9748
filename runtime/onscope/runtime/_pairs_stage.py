"""`Pairs`: a stage that tracks objects by a network that is given two frames at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ._crops_stage import Crops
from ._host_stages import MOST_ROWS
from ._precision import Precision
from ._selects import FRAME
from .package import Package


@dataclass(frozen=True, slots=True, init=False)
class Pairs(Crops):
    """The objects that the stage `of` measures, from frame to frame, by a network as in DeLTA (see docs/labels.md).

    It is given crops of the last frame and of this one around each of the last objects, with the objects' masks, and
    answers with a mask of where that one has gone. Frames are `reads`, the raw one or an earlier image. Frames further
    apart than `gap` lost ones are not compared, and links of a score below `least_score` are not made. The others are
    as those of Crops.
    """

    kind = "pairs"
    remembers = True
    gap: int
    least_score: float

    def __init__(
        self,
        name: str,
        package: Package | str | Path,
        of: str,
        *,
        reads: str = FRAME,
        side: int | None = None,
        border: str = "",
        gap: int = 0,
        least_score: float = 0.2,
        settings: Mapping[str, Any] | None = None,
        rescale: bool = False,
        precision: Precision = "float32",
        most: int = MOST_ROWS,
        camera: str | Iterable[str] | None = None,
        channel: int | str | Iterable[int | str] | None = None,
        position: int | str | Iterable[int | str] | None = None,
    ) -> None:
        from .crops import check_links

        check_links(gap, least_score)
        object.__setattr__(self, "gap", gap)
        object.__setattr__(self, "least_score", float(least_score))
        Crops.__init__(
            self, name, package, of, reads=reads, side=side, border=border, settings=settings, rescale=rescale,
            precision=precision, most=most, camera=camera, channel=channel, position=position,
        )  # fmt: skip

    @property
    def places(self) -> bool:
        return True

    def _check_network(self) -> None:
        from .crops import check_pairs

        check_pairs(self.request, self.crops)

    def message(self) -> dict[str, Any]:
        return {**Crops.message(self), "settings": {"gap": self.gap, "least_score": self.least_score}}
