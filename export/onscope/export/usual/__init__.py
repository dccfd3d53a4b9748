"""What is usual for a package that restores images: measured on frames, written into its rdf.yaml."""

from ._package import Usual, add_usual, write_usual
from ._reference import is_restored, reference_of, write_reference

__all__ = ["Usual", "add_usual", "is_restored", "reference_of", "write_reference", "write_usual"]
