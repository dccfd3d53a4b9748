"""A thread of the worker that reads a GPU once a second; there is none where no GPU is used."""

from __future__ import annotations

import threading
from collections.abc import Callable

from ._nvml import number_of, nvml, reading
from ._reading import Reading
from ._tegrastats import readings

EVERY_S = 1.0


class Monitor:
    """Tells readings of the GPU that a provider runs on; `tell` is called in its thread, and must not wait."""

    def __init__(self, tell: Callable[[Reading], object], every_s: float = EVERY_S) -> None:
        self._tell = tell
        self._every_s = every_s
        self._end = threading.Event()
        self._thread: threading.Thread | None = None

    def watch(self, provider: str) -> None:
        """Begin, unless it has begun; where nobody tells of the GPU the thread ends at once."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, args=(provider,), name="onscope-clocks", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """End; what is being read is not waited for."""
        self._end.set()

    def _run(self, provider: str) -> None:
        library, gpu = nvml(), number_of(provider)
        if library is not None and gpu is not None and reading(library, gpu).clock_mhz is not None:
            while not self._end.wait(self._every_s):
                self._tell(reading(library, gpu))
            return
        for each in readings(round(self._every_s * 1e3)):
            if self._end.is_set():
                return
            self._tell(each)
