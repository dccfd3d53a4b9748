"""Images that a controller takes itself, between those of the live sequence."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any, Protocol

from onscope.runtime import ControlError, now_ns

from .._pace import WAIT_S
from .._receipt import ReceiptClock
from .._sequence import Image
from ._hands import Hands, calmly

PATIENCE_S = 10.0
"""How much longer than it exposes a camera may take for an image."""


class Shoots(Protocol):
    """A camera's face to what takes images."""

    label: str
    exposure_ms: float


def shots(
    hands: Hands, camera: Shoots, n: int, interval_ms: float = 0.0, patience_s: float = PATIENCE_S
) -> Iterator[tuple[Image, int]]:
    """`n` images of the core's camera with the moment of their receipt (ns), `interval_ms` from one to the next.

    The camera is at rest before, and on any end of it. Raises ControlError when it gives none in time.
    """
    core, label = hands.core, camera.label
    receipt = ReceiptClock()
    due_s = max(camera.exposure_ms, interval_ms) / 1e3 + patience_s
    with calmly(lambda: hands.send("stop", label, None, core.stop_sequence_acquisition, calms=True)):
        hands.send(
            "start", label, n, lambda: core.start_sequence_acquisition(int(n), float(interval_ms), True), lights=True
        )
        for number in range(n):
            until_s = time.monotonic() + due_s
            while not _told(core.get_remaining_image_count):
                hands.check()
                if not _told(core.is_sequence_running) and not _told(core.get_remaining_image_count):
                    raise ControlError(
                        f"found that {label} stopped after {number} of {n} images, expected all: look after the camera"
                    )
                if time.monotonic() > until_s:
                    raise ControlError(
                        f"found no image of {label} within {due_s:g} s, expected one: look after the camera"
                    )
                time.sleep(WAIT_S)
            image, popped_ns = _told(core.pop_next_tagged_image), now_ns()
            elapsed = image.tags.get("ElapsedTime-ms")
            yield (image, popped_ns), receipt.received_ns(None if elapsed is None else float(elapsed), popped_ns)


def _told(ask: Any) -> Any:
    try:
        return ask()
    except Exception as error:
        raise ControlError(f"found that the camera failed ({error}), expected an image: see what it says") from error
