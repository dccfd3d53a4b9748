"""The export's fixtures: one thread, and tables of operators that are read once."""

from tests.export.conftest import one_thread, operators_read_once

__all__ = ["one_thread", "operators_read_once"]
