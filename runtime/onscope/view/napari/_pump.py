"""Updates on their way to napari: taken and prepared in a thread of their own, one at a time, the newest."""

from __future__ import annotations

import logging
import threading
import time
from typing import Any

import numpy as np

from .._values import Layout
from .._wire import Array
from ..client import Update, ViewClient

IDLE_S = 0.5
READ = ("hello", "layout", "status", "connected", "lost", "refused", "ended")
"""Kinds of messages that the widget reads."""
RAW = (0.0, 65535.0)
"""What 0 and 65535 stand for where they are the raw values."""

log = logging.getLogger("onscope.view")


class Mailbox:
    """The newest of each kind that the client says, until napari's thread reads it.

    No object of Qt is held by another thread than napari's: Qt does not survive one that dies there.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._said: dict[str, dict[str, Any]] = {}

    def put(self, kind: str, told: dict[str, Any]) -> None:
        """Called by the client's thread; what nobody reads is not kept."""
        if kind in READ:
            with self._lock:
                self._said.pop(kind, None)
                self._said[kind] = told

    def read(self) -> list[tuple[str, dict[str, Any]]]:
        """What was said since, oldest first."""
        with self._lock:
            said, self._said = self._said, {}
        return list(said.items())


class Pump:
    """Takes updates at most `rate` times a second, and none before the one before it is drawn (`drawn`).

    A drawing that takes long is given twice as long until the next one, so that napari stays at hand.
    """

    def __init__(self, client: ViewClient, rate: float) -> None:
        self.rate = rate
        self._client = client
        self._ready: tuple[Update, dict[int, Array]] | None = None
        self._closing, self._drawn = threading.Event(), threading.Event()
        self._took_s = 0.0
        self._thread = threading.Thread(target=self._run, name="onscope-napari", daemon=True)
        self._thread.start()

    def ready(self) -> tuple[Update, dict[int, Array]] | None:
        """The update that is to be drawn now, with its pictures, once; then `drawn` is to be called."""
        ready, self._ready = self._ready, None
        return ready

    def drawn(self, took_s: float) -> None:
        """The update that was handed over is drawn, and took napari's thread so long."""
        self._took_s = took_s
        self._drawn.set()

    def close(self) -> None:
        """Hand nothing over any more; the client is closed as well, by the thread itself."""
        self._closing.set()
        self._drawn.set()

    def _run(self) -> None:
        try:
            self._pump()
        except Exception:
            log.warning("the pictures for napari ended: connect again", exc_info=True)
        finally:
            self._client.close()

    def _pump(self) -> None:
        while not self._closing.is_set():
            began = time.monotonic()
            update = self._client.take(IDLE_S)
            if update is None:
                self._closing.wait(IDLE_S if self._client.state in ("refused", "closed") else 0.0)
                continue
            pixels = prepared(update, self._client.layout)
            self._drawn.clear()
            self._ready = (update, pixels)
            if self._closing.is_set():
                break
            self._drawn.wait()
            rest = max(1 / self.rate, 2 * self._took_s) - (time.monotonic() - began)
            self._closing.wait(max(0.0, rest))


def prepared(update: Update, layout: Layout | None) -> dict[int, Array]:
    """The pictures by their ids; those of images of floats have their own values again, always as float32."""
    floats = {image.name for image in layout.images if image.dtype.startswith("float")} if layout else set()
    found: dict[int, Array] = {}
    for number, picture in update.pictures.items():
        pixels = picture.pixels
        fractions = picture.image in floats or picture.values != RAW  # also before the layout says so
        if fractions and pixels.dtype == np.uint16 and pixels.ndim == 2:
            least, most = picture.values
            pixels = pixels.astype(np.float32) * np.float32((most - least) / 65535) + np.float32(least)
        found[number] = pixels
    return found
