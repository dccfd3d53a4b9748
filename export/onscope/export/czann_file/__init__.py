"""ZEISS .czann files as sources: what their model.json says, checked."""

from ._meta import META, Meta, read_meta

__all__ = ["META", "Meta", "read_meta"]
