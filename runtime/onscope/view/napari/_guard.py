"""Layers that are asked and changed at the same time."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from typing import Any

ASKED = ("get_status", "get_value")


def guarded(layer: Any, changing: threading.RLock) -> None:
    """Have a layer answer what lies under the cursor only while nobody holds `changing`.

    napari asks in a thread of its own, with each movement of the mouse; a layer whose points are just becoming fewer
    would answer with an error, which napari shows to the user.
    """
    for name in ASKED:
        setattr(layer, name, partial(_alone, changing, getattr(layer, name)))


def _alone(changing: threading.RLock, answer: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    with changing:
        return answer(*args, **kwargs)
