"""YAML files that users write, read with care and checked, with line numbers in the errors."""

from ._read import Checked, check_text, read_checked

__all__ = ["Checked", "check_text", "read_checked"]
