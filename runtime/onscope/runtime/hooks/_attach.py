"""`Runtime.attach`: frames out of a pymmcore-plus acquisition, without importing pymmcore-plus."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Protocol

from .._errors import SourceError
from .._frame import Pixels
from .._tags import STAGE

QT = ("PySide", "PyQt")
"""How the modules of Qt's signals begin."""


class Taker(Protocol):
    """Takes an image with its tags; `event` and `meta` are those that pymmcore-plus gave with it."""

    def __call__(self, image: Pixels, tags: dict[str, Any], event: Any, meta: Mapping[str, Any]) -> object: ...


Begins = Callable[[Any, Any, Mapping[str, Any]], object]


@contextmanager
def attached(core: Any, take: Taker, begins: Begins = lambda core, sequence, summary: None) -> Iterator[None]:
    """Call `take(image, tags, event, meta)` for every frame of `core.run_mda(...)` while the context lasts.

    `begins(core, sequence, summary)` is called when a run begins, and knows where its frames are saved.

    pymmcore-plus emits `frameReady(image, event, meta)` on the acquisition's thread, and both are called there. useq's
    index (t, p, c, z), its names of channels and positions, where it sends the stages, and the frame's metadata become
    the tags that pycro-manager's hooks are given. Raises SourceError when `core` has no acquisition events.
    """
    try:
        ready, started = core.mda.events.frameReady, core.mda.events.sequenceStarted
    except AttributeError:
        raise SourceError(
            f"found a {type(core).__name__} without acquisition events, expected a pymmcore-plus core (CMMCorePlus): "
            "use `image_process_fn` with pycro-manager"
        ) from None

    def taken(image: Pixels, event: Any, meta: Mapping[str, Any]) -> None:
        take(image, tags_of(event, meta), event, meta)

    def run_begins(sequence: Any, summary: Mapping[str, Any]) -> None:
        begins(core, sequence, summary)

    _connect(started, run_begins)
    _connect(ready, taken)
    try:
        yield
    finally:
        ready.disconnect(taken)
        started.disconnect(run_begins)


def tags_of(event: Any, meta: Mapping[str, Any]) -> dict[str, Any]:
    """What an event and its frame's metadata say, by the names that Micro-Manager's tags have."""
    exposure_ms = meta.get("exposure_ms")
    if meta.get("hardware_triggered"):
        # What the core says is the camera's setting before the sequence; the sequence has exposures of its own.
        exposure_ms = getattr(event, "exposure", None) or exposure_ms
    places = (getattr(event, f"{axis}_pos", None) for axis in "xyz")
    return {
        **meta.get("camera_metadata", {}),
        "Camera": meta.get("camera_device"),
        "Axes": {str(getattr(axis, "value", axis)): at for axis, at in event.index.items()},
        "Labels": {
            "c": getattr(getattr(event, "channel", None), "config", None),
            "p": getattr(event, "pos_name", None),
        },
        "Exposure": exposure_ms,
        "PixelSize_um": meta.get("pixel_size_um"),
        **{tag: place for tag, place in zip(STAGE, places, strict=True) if place is not None},
    }


def _connect(signal: Any, slot: Callable[..., object]) -> None:
    """Have `slot` called in the thread that emits."""
    if not type(signal).__module__.startswith(QT):
        signal.connect(slot)
        return
    # In a program with a Qt application the signals are Qt's, which keep a plain function's call until the thread that
    # connected it has time: a script that waits for its acquisition would see its frames afterwards, or never.
    from qtpy.QtCore import Qt

    signal.connect(slot, Qt.ConnectionType.DirectConnection)
