"""Files of packages by their sha256: what a pipeline needs of the PC, and where the box keeps it."""

from ._named import Needed, named, pieces, placed
from ._store import LARGEST_FILE, Store, Upload

__all__ = ["LARGEST_FILE", "Needed", "Store", "Upload", "named", "pieces", "placed"]
