"""OpenVINO's module, imported without its telemetry."""

from __future__ import annotations

import importlib
import sys
import threading
from typing import Any

TELEMETRY = "openvino_telemetry"
_importing = threading.Lock()


def openvino_module() -> Any:
    """The module `openvino`; raises ModuleNotFoundError when it is not installed.

    When it is imported it sends word of that over the network, from a process that it forks. Nobody who runs an
    experiment was asked, and a copy of a worker that is full of threads may never end. Where the package for that
    seems not to be installed OpenVINO does without. Who has imported it before has decided otherwise.
    """
    with _importing:
        if TELEMETRY in sys.modules or "openvino" in sys.modules:
            return importlib.import_module("openvino")
        sys.modules[TELEMETRY] = None  # type: ignore[assignment]  # Python's way of saying that there is none
        try:
            return importlib.import_module("openvino")
        finally:
            del sys.modules[TELEMETRY]
