"""Where the measured results lie."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from .. import PACKAGES
from ..systems import CARD, ROWS, Card

SEEDED = Path("gallery")
"""Folder in docs for the cards of systems with seeded weights, of which no package is shipped."""


def card_of(key: str, docs: Path, packages: Path = PACKAGES) -> Card | None:
    """What was measured of a system: of its shipped package, or of the seeded one. Raises ValueError for no card."""
    for file in (packages / key / CARD, docs / SEEDED / f"{key}.json"):
        if file.is_file():
            return Card.load(file)
    return None


def cards(docs: Path, packages: Path = PACKAGES) -> Mapping[str, Card]:
    """All that were measured, by system."""
    found = {key: card_of(key, docs, packages) for row in ROWS for key in row.systems}
    return {key: card for key, card in found.items() if card is not None}
