"""Light, and the doses that it would bring about."""

from __future__ import annotations

from dataclasses import dataclass

from ._grid import Patch
from ._light import Lit


@dataclass(frozen=True, slots=True, eq=False)
class Exposures:
    """Light, and where it would bring doses to: `parts` as they lie on the sample.

    `field_j_cm2` is the highest dose that any place of theirs would then have had, `object_j_cm2` any object that is
    there (0: none of them is touched); both in J/cm2 over the whole experiment. `joules` is the energy.
    """

    parts: tuple[Lit, ...]
    patches: tuple[Patch, ...]
    field_j_cm2: float
    object_j_cm2: float

    @property
    def joules(self) -> float:
        return sum(part.joules for part in self.parts)

    def __bool__(self) -> bool:
        return bool(self.parts)


NOTHING = Exposures((), (), 0.0, 0.0)
