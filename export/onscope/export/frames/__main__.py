"""The process that takes frames from a source: its order is its argument, its account goes to what was standard output.

Whatever a driver prints goes to standard error instead. Lines are JSON: {"seconds": 1.2} on the way, then {"account":
...} or {"error": "a sentence"}.
"""

from __future__ import annotations

import _thread
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, cast

import numpy as np

from onscope.runtime import Frame, OnscopeError, open_source

from ._thin import Runs, Thinned

SAY_EVERY_S = 0.2
PATIENCE_S = 10.0
"""Beside the exposure: how long a camera may give nothing."""


class Impatience:
    """Interrupts the main thread, in which it is made and ended, when it is not told of a frame for too long."""

    def __init__(self, seconds: float) -> None:
        self.seconds, self.over = seconds, False
        # Shells let commands in the background ignore SIGINT, and so would we.
        self._ignored = signal.getsignal(signal.SIGINT) is signal.SIG_IGN
        if self._ignored:
            signal.signal(signal.SIGINT, signal.default_int_handler)
        self._last, self._ended = time.monotonic(), threading.Event()
        threading.Thread(target=self._watch, daemon=True).start()

    def frame(self) -> None:
        """One came."""
        self._last = time.monotonic()

    def end(self) -> None:
        """Nothing more is waited for."""
        self._ended.set()
        if self._ignored:
            signal.signal(signal.SIGINT, signal.SIG_IGN)

    def _watch(self) -> None:
        while not self._ended.wait(0.1):
            if time.monotonic() - self._last > self.seconds:
                self.over = True
                _interrupt()  # the generator ends in order, and stops its camera
                return


def _interrupt() -> None:
    main = threading.main_thread().ident
    if hasattr(signal, "pthread_kill") and main is not None:
        signal.pthread_kill(main, signal.SIGINT)  # ends a wait in the kernel too
    else:
        _thread.interrupt_main()


def take(order: dict[str, Any], say: Any) -> dict[str, Any]:
    """Take frames for the seconds of the order and write what is kept; returns the account."""
    runs, kept = Runs(order["window"]), Thinned[list[Frame]](order["most"])
    options = order["options"]
    with open_source(order["source"], **options) as source:
        wait = Impatience(PATIENCE_S + float(options.get("exposure_ms") or 0) / 1e3)
        try:
            for frame in _for(order["seconds"], source.frames(), say):
                wait.frame()
                for run in runs.add(frame):
                    kept.add(run)
        except KeyboardInterrupt:
            if not wait.over:
                raise
            raise OnscopeError(
                f"found no frame from {order['source']} for {wait.seconds:g} s, expected some: is it triggered from "
                "outside?"
            ) from None
        finally:
            wait.end()
    if not kept.items:
        few = f"{runs.taken} frames" if runs.taken else "no frame"
        wanted = f"{order['window']} that follow one another" if order["window"] > 1 else "some"
        raise OnscopeError(f"found {few} in {order['seconds']:g} s of {order['source']}, expected {wanted}")
    written = [_write(Path(order["folder"]), number, run) for number, run in enumerate(kept.items)]
    return {"runs": written, "runs_seen": kept.seen, "taken": runs.taken, "lost": runs.lost, "cameras": runs.cameras}


def _for(seconds: float, frames: Iterator[Frame], say: Any) -> Iterator[Frame]:
    """Frames of the seconds after the first one; the generator is closed behind them, which stops the camera."""
    began = said = None
    with closing(cast("Any", frames)):
        for frame in frames:
            now = time.monotonic()
            began = now if began is None else began
            if said is None or now - said >= SAY_EVERY_S:
                said = now
                say({"seconds": now - began})
            yield frame
            if now - began >= seconds:
                return


def _write(folder: Path, number: int, run: list[Frame]) -> dict[str, str]:
    pixels = np.stack([frame.pixels for frame in run]) if len(run) > 1 else run[0].pixels
    np.save(folder / f"{number}.npy", pixels, allow_pickle=False)
    first = run[0].id
    name = f"frame {first.seq}" if first.segment == 0 else f"frame {first.seq} of segment {first.segment}"
    return {"file": f"{number}.npy", "axes": ("t" if len(run) > 1 else "") + run[0].axes, "name": name}


def main() -> None:
    """Carry out the order; exit code 0 when its account or its error was said."""
    outgoing = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)

    def say(message: dict[str, Any]) -> None:
        outgoing.write(json.dumps(message) + "\n")
        outgoing.flush()  # fails when who asked is gone, which ends this too

    try:
        say({"account": take(json.loads(sys.argv[1]), say)})
    except OnscopeError as error:
        say({"error": str(error)})
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
