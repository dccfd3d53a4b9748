"""The gallery: one page that shows each system of the literature, made of measured results alone.

`python -m onscope.export.zoo.gallery` writes docs/gallery.md from the cards of the shipped packages and of the seeded
systems (docs/gallery/KEY.json). What is not measured stands there as open.
"""

from __future__ import annotations

from ._cards import SEEDED, card_of, cards
from ._page import page

__all__ = ["SEEDED", "card_of", "cards", "page"]
