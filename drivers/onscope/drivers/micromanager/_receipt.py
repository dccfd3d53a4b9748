"""When the core had a frame, on the one clock."""

from __future__ import annotations

MAX_DRIFT = 100e-6
"""How far two clocks of one computer and its camera may run apart: seconds per second."""


class ReceiptClock:
    """Turns the tag ElapsedTime-ms into moments of core receipt on the monotonic clock, for one sequence.

    The core stamps an image with the milliseconds since the sequence began when the camera hands it over; we see it
    later, by however long it lay in the buffer and Python was busy. Where the stamps begin is not told on our clock,
    but it is bounded from above by each image: `popped - elapsed` is the beginning plus that image's wait. So the
    smallest value so far, the lower envelope, is the beginning plus the shortest wait (tens of microseconds when the
    reader keeps up), and `beginning + elapsed` is the moment of receipt. The bound is let rise by `MAX_DRIFT`, for
    cameras that stamp with a clock of their own.
    """

    def __init__(self) -> None:
        self._began_ns: float | None = None
        self._elapsed_ms = -1.0
        self._received_ns = 0

    def received_ns(self, elapsed_ms: float | None, popped_ns: int) -> int:
        """Monotonic ns; never later than `popped_ns` nor earlier than the frame before.

        Without a stamp, or when stamps do not rise, the moment of the pop is all that is known.
        """
        received = popped_ns
        if elapsed_ms is not None and elapsed_ms > self._elapsed_ms:
            bound = popped_ns - elapsed_ms * 1e6
            if self._began_ns is not None:
                drift = MAX_DRIFT * (elapsed_ms - self._elapsed_ms) * 1e6
                bound = min(bound, self._began_ns + drift)
            self._began_ns, self._elapsed_ms = bound, elapsed_ms
            received = min(popped_ns, round(bound + elapsed_ms * 1e6))
        else:
            self._began_ns, self._elapsed_ms = None, -1.0
        self._received_ns = max(self._received_ns, received)
        return self._received_ns
