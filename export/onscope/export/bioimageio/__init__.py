"""BioImage.IO packages as sources: what they state in the words of an export, and the architectures that they name."""

from ._architecture import load_architecture
from ._statement import stated_by

__all__ = ["load_architecture", "stated_by"]
