"""A picture in a notebook that follows a run, a few times a second, until it is closed or the run ends."""

from __future__ import annotations

import logging
import threading
import time
from types import TracebackType
from typing import Any

from onscope.runtime import OnscopeError, Result, Runtime, keep_newest

from ._picture import WIDTH, Shown, shown

RATE = 4.0
MOST_RATE = 15.0
SHARE = 4
"""A picture that takes long is followed by a pause so many times as long: the acquisition has the processor first."""
WAIT_S = 0.25

log = logging.getLogger("onscope.view")


class LiveShow:
    """What `runtime.show(live=True)` gives: the display is its own cell's, changed until `close`. A context manager.

    `newest` is what is shown. Takes at most `rate` results a second, the newest each time, in a thread of its own.
    """

    def __init__(self, runtime: Runtime, rate: float = RATE, width: int = WIDTH) -> None:
        if not 0 < rate <= MOST_RATE:
            raise OnscopeError(f"found a rate of {rate:g} pictures/s, expected more than 0 and at most {MOST_RATE:g}")
        self._handle = _display(Shown(note="no result yet"))
        self.newest = Shown(note="no result yet")
        self._rate, self._width = rate, width
        self._closing = threading.Event()
        self._results = runtime.subscribe(keep_newest(1))
        self._thread = threading.Thread(target=self._run, name="onscope-notebook", daemon=True)
        self._thread.start()

    @property
    def closed(self) -> bool:
        """Whether it follows no run any more; the last picture stays."""
        return not self._thread.is_alive()

    def close(self) -> None:
        """Follow the run no more; may be called more than once."""
        self._closing.set()
        self._results.close()
        if threading.current_thread() is not self._thread:
            self._thread.join(10)

    def __enter__(self) -> LiveShow:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    def _run(self) -> None:
        try:
            while not self._closing.is_set():
                result = self._results.take(WAIT_S)
                if result is None:
                    if self._results.closed:
                        break
                    continue
                result = result.copied()  # its slots are the run's
                began = time.monotonic()
                self.newest = shown(result, self._width)
                self._handle.update(self.newest)
                took = time.monotonic() - began
                self._closing.wait(max(1 / self._rate - took, SHARE * took))
        except Exception:
            log.warning("the live picture of a notebook ended", exc_info=True)
        finally:
            self._results.close()


def live(runtime: Runtime, rate: float = RATE, width: int = WIDTH) -> LiveShow:
    """Show a run's newest results in this cell's output, `rate` a second. Raises OnscopeError outside of a notebook."""
    return LiveShow(runtime, rate, width)


def wait_for(runtime: Runtime, timeout_s: float) -> Result | None:
    """The next result, with arrays of its own; None when none came in time."""
    results = runtime.subscribe(keep_newest(1))
    try:
        result = results.take(timeout_s)
        return None if result is None else result.copied()
    finally:
        results.close()


def _display(first: Any) -> Any:
    """A display of the cell that runs, which can be changed later."""
    try:
        from IPython import get_ipython
        from IPython.display import display
    except ImportError as error:
        raise OnscopeError(
            "found no package IPython, expected it to show a live picture: install jupyterlab, and run this there"
        ) from error
    handle = display(first, display_id=True) if get_ipython() is not None else None
    if handle is None:
        raise OnscopeError(
            "found no notebook that runs this, expected one for a live picture: use Jupyter, or `onscope view`"
        )
    return handle
