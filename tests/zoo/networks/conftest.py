"""One thread, and PyTorch's tables of operators read once, for the tests of these networks."""

from tests.export.conftest import one_thread, operators_read_once

__all__ = ["one_thread", "operators_read_once"]
