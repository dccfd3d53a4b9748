"""YAML files that users write, read with care and checked, with line numbers in the errors."""

from ._read import Checked, read_checked

__all__ = ["Checked", "read_checked"]
