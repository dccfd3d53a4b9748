"""What tests need of the processes that they start."""

from __future__ import annotations

import signal


def heed_ctrl_c() -> None:
    """As `preexec_fn`: a child that Ctrl-C stops, though a shell that runs the tests in the background ignores it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
