"""Stages that the worker runs on the host's processor, on what earlier stages answered: objects measured and tracked.

They answer with structured tables, a row per object, whose columns have dtypes of their own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from ._errors import PipelineError
from ._selects import FRAME, AnyStage, Gives, check_name, choice_message, several
from .objects import check_asked

if TYPE_CHECKING:
    from .track import TrackSettings

MOST_ROWS = 8192
"""Rows that a table has room for where nothing else is asked for."""
LARGEST_TABLE = 1 << 20
HostKind = Literal["measure", "track", "crops", "pairs"]


class HostStage(AnyStage):
    """What they have in common: `of` is the earlier stage that each reads, `most` the rows that are kept of a frame."""

    __slots__ = ()
    kind: ClassVar[HostKind]
    remembers: ClassVar[bool] = False
    """Whether its answer depends on the windows before."""
    name: str
    of: str
    most: int

    @property
    def reads(self) -> str:
        """The stage that it reads before all others."""
        return self.of

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of all that it reads."""
        return (self.of,)

    @property
    def settings(self) -> Mapping[str, Any]:
        """What it does with it, as plain values."""
        return {}

    @property
    def gives(self) -> Gives:
        return "table"

    @property
    def places(self) -> bool:
        return True

    def on(self, provider: str) -> HostStage:
        """Itself: no engine runs it."""
        return self

    def message(self) -> dict[str, Any]:
        """All that the worker needs to know of the stage, as plain values."""
        return {
            "name": self.name,
            "hosted": self.kind,
            "reads": self.of,
            "inputs": list(self.inputs),
            "settings": dict(self.settings),
            "most": self.most,
            "package_sha256": "",
            "precision": "",
            "choice": choice_message(self),
            "trust": None,
        }

    def _set(
        self,
        name: str,
        of: str,
        most: int,
        camera: str | Iterable[str] | None,
        channel: int | str | Iterable[int | str] | None,
        position: int | str | Iterable[int | str] | None,
    ) -> None:
        check_name(name)
        if not 1 <= most <= LARGEST_TABLE:
            raise PipelineError(
                f"found room for {most} rows in the stage {name!r}, expected 1 to {LARGEST_TABLE}: each takes memory"
            )
        values = {"name": name, "of": of, "most": most}
        values |= {"camera": several(camera), "channel": several(channel), "position": several(position)}
        for field, value in values.items():
            object.__setattr__(self, field, value)


@dataclass(frozen=True, slots=True, init=False)
class Measure(HostStage):
    """A row per object of the label image that the stage `of` answers: place, area, shape, intensities.

    `intensity` are images that are measured below the labels: "frame" (the raw one) and earlier stages with an image.
    `columns` are measured beside those that are always there, see `onscope.runtime.objects.ASKED`. Of more than `most`
    objects in a frame the first are kept, and this is told.
    """

    kind = "measure"
    name: str
    of: str
    intensity: tuple[str, ...]
    columns: tuple[str, ...]
    most: int
    camera: frozenset[int | str] | None
    channel: frozenset[int | str] | None
    position: frozenset[int | str] | None

    def __init__(
        self,
        name: str,
        of: str,
        intensity: str | Sequence[str] = (FRAME,),
        *,
        columns: Sequence[str] = (),
        most: int = MOST_ROWS,
        camera: str | Iterable[str] | None = None,
        channel: int | str | Iterable[int | str] | None = None,
        position: int | str | Iterable[int | str] | None = None,
    ) -> None:
        self._set(name, of, most, camera, channel, position)
        chosen = (intensity,) if isinstance(intensity, str) else tuple(intensity)
        if len(set(chosen)) < len(chosen):
            raise PipelineError(f"found intensity {', '.join(chosen)} of the stage {name!r}, expected each one once")
        check_asked(columns)
        object.__setattr__(self, "intensity", chosen)
        object.__setattr__(self, "columns", tuple(columns))

    @property
    def inputs(self) -> tuple[str, ...]:
        return (self.of, *self.intensity)

    @property
    def settings(self) -> Mapping[str, Any]:
        return {"intensity": list(self.intensity), "columns": list(self.columns)}


@dataclass(frozen=True, slots=True, init=False)
class Track(HostStage):
    """The same objects from frame to frame: a row for each row of the table that the stage `of` answers.

    `settings` are those of TrackSettings: `max_distance_um=8, gap=2, divisions=True`. `appearance` is a stage of crops
    of the same objects, whose columns `appearance_...` say how alike two of them are. Each position, channel and plane
    has tracks of its own, and no number is given twice in a run.
    """

    kind = "track"
    remembers = True
    name: str
    of: str
    tracking: TrackSettings
    appearance: str | None
    most: int
    camera: frozenset[int | str] | None
    channel: frozenset[int | str] | None
    position: frozenset[int | str] | None

    def __init__(
        self,
        name: str,
        of: str,
        *,
        appearance: str | None = None,
        most: int = MOST_ROWS,
        camera: str | Iterable[str] | None = None,
        channel: int | str | Iterable[int | str] | None = None,
        position: int | str | Iterable[int | str] | None = None,
        **settings: Any,
    ) -> None:
        from .track import TrackSettings  # SciPy takes its time to import

        self._set(name, of, most, camera, channel, position)
        known = [each.name for each in fields(TrackSettings)]
        if strange := settings.keys() - set(known):
            raise PipelineError(
                f"found the settings {', '.join(sorted(strange))} of the stage {name!r}, expected those of a tracker: "
                f"{', '.join(known)}"
            )
        object.__setattr__(self, "tracking", TrackSettings(**settings))
        object.__setattr__(self, "appearance", appearance)

    @property
    def inputs(self) -> tuple[str, ...]:
        return (self.of,) if self.appearance is None else (self.of, self.appearance)

    @property
    def settings(self) -> Mapping[str, Any]:
        looks = {} if self.appearance is None else {"appearance": self.appearance}
        return {**self.tracking.plain(), **looks}
