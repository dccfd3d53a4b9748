"""The values that cross the view's borders, all frozen and made of plain numbers, words and arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from types import MappingProxyType
from typing import Any, Literal

from ._wire import MOST_SIDE

Bits = Literal[8, 16]
Rect = tuple[float, float, float, float]
"""(y0, x0, y1, x1) in pixels of the raw frame, edges (0, 0) and (height, width)."""


@dataclass(frozen=True, slots=True)
class ImageLayout:
    """An image that can be looked at: "raw", or a stage's. `scale`: its pixels per raw pixel; `labels`: its values name
    objects."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    scale: float = 1.0
    labels: bool = False


@dataclass(frozen=True, slots=True)
class TableLayout:
    """A table of objects: `columns` by name and NumPy type; of `labels` (the stage of label images, "" for none);
    `kind` says how it can be drawn: "outlines", "boxes", "spots" or "tails"."""

    name: str
    columns: Mapping[str, str]
    kinds: tuple[str, ...] = ()
    labels: str = ""


@dataclass(frozen=True, slots=True)
class Setting:
    """A number that may be tuned while a run goes on: of a stage's decoder (`of` is the stage) or of a rule
    (`of` is "rule NAME"). `least` and `most`: the ends of its range; None: it has none there."""

    of: str
    name: str
    value: float
    least: float | None
    most: float | None
    meaning: str = ""


@dataclass(frozen=True, slots=True)
class Layout:
    """What a run has to show. `axes`: of the acquisition that frames differ in, with the names of their positions
    ({"c": ["DAPI", "FITC"], "p": [], "z": []}; numbers where there are no names). `actions` that a viewer may ask
    for."""

    run: str
    shape: tuple[int, int]
    dtype: str
    pixel_size_um: float | None
    images: tuple[ImageLayout, ...]
    tables: tuple[TableLayout, ...] = ()
    cameras: tuple[str, ...] = ("",)
    axes: Mapping[str, Sequence[str]] = field(default_factory=lambda: MappingProxyType({}))
    settings: tuple[Setting, ...] = ()
    actions: tuple[str, ...] = ()
    packages: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """Names of the packages by stage."""
    live: bool = True
    frames: int = 0
    """Of a recording: how many there are to `seek`."""
    swaps: Mapping[str, Sequence[str]] = field(default_factory=lambda: MappingProxyType({}))
    """By stage the names of the packages that the user gave for it."""

    def as_json(self) -> dict[str, Any]:
        """As plain lists, dicts, words and numbers."""
        told = {each.name: getattr(self, each.name) for each in fields(self)}
        for name in ("axes", "packages", "swaps"):
            told[name] = dict(told[name])
        for name in ("images", "settings"):
            told[name] = [asdict(one) for one in told[name]]
        told["tables"] = [{**asdict(replace(one, columns={})), "columns": dict(one.columns)} for one in self.tables]
        return told


@dataclass(frozen=True, slots=True)
class Wanted:
    """One picture that a viewer wants: `image` of a camera, at a place of the acquisition ({"c": 1, "p": 0}; what is
    not
    named may be any), the part `rect` of it (None: all) in at most `size` (rows, columns) of the screen.

    `bits` 8: values between `low` and `high` counts become 0 to 255 (None: chosen by the server from the histogram, and
    told); 16: raw values, only made smaller. `vectors`: what is drawn over it, as "KIND:TABLE" ("outlines:cells")."""

    id: int
    image: str = "raw"
    camera: str = ""
    index: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    rect: Rect | None = None
    size: tuple[int, int] = (512, 512)
    bits: Bits = 8
    low: float | None = None
    high: float | None = None
    vectors: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not all(1 <= side <= MOST_SIDE for side in self.size):
            raise ValueError(f"found a picture of {self.size} pixels, expected 1 to {MOST_SIDE} rows and columns")

    @property
    def key(self) -> tuple[Any, ...]:
        """All of it, to look up what was made for it; two have the same when they want the same."""
        return tuple(_hashable(getattr(self, each.name)) for each in fields(self))


def _hashable(value: Any) -> Any:
    return tuple(sorted(value.items())) if isinstance(value, Mapping) else value
