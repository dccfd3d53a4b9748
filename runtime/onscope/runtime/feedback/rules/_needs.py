"""What rules read of results, so that no more is made ready for them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Needs:
    """`tables`: stages whose rows are read (None: all). `numbers`: those of images, by name ("denoise.p99").
    `links`: for each stage whose rows are about those of another one, that one."""

    tables: frozenset[str] | None = None
    numbers: frozenset[str] = frozenset()
    links: Mapping[str, str] = field(default_factory=dict)


EVERYTHING = Needs()
