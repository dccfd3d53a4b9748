"""A PNG of what a viewer sees, which says of itself where it comes from."""

from ._about import About, words_of
from ._colours import COLOURS, coloured
from ._place import FOLDER, Snapshots
from ._sheet import Told, png_of

__all__ = ["COLOURS", "FOLDER", "About", "Snapshots", "Told", "coloured", "png_of", "words_of"]
