"""`Runtime.attach`: frames out of a pymmcore-plus acquisition, without importing pymmcore-plus."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from ._errors import SourceError
from ._frame import Pixels
from ._tags import STAGE

Hook = Callable[[Pixels, dict[str, Any]], object]


@contextmanager
def attached(core: Any, hook: Hook, begins: Callable[[Any], object] = lambda core: None) -> Iterator[None]:
    """Call `hook(image, metadata)` for every frame of `core.run_mda(...)` while the context lasts.

    `begins(core)` is called when a run begins, and knows where its frames are saved.

    pymmcore-plus emits `frameReady(image, event, meta)` on the acquisition's thread; useq's index (t, p, c, z), its
    names of channels and positions, where it sends the stages, and the frame's metadata become the tags that
    pycro-manager's hooks are given.
    Raises SourceError when `core` has no acquisition events.
    """
    try:
        ready, started = core.mda.events.frameReady, core.mda.events.sequenceStarted
    except AttributeError:
        raise SourceError(
            f"found a {type(core).__name__} without acquisition events, expected a pymmcore-plus core (CMMCorePlus): "
            "use `image_process_fn` with pycro-manager"
        ) from None

    def places(event: Any) -> Iterator[float | None]:
        return (getattr(event, f"{axis}_pos", None) for axis in "xyz")

    def taken(image: Pixels, event: Any, meta: Mapping[str, Any]) -> None:
        hook(
            image,
            {
                **meta.get("camera_metadata", {}),
                "Camera": meta.get("camera_device"),
                "Axes": dict(event.index),
                "Labels": {
                    "c": getattr(getattr(event, "channel", None), "config", None),
                    "p": getattr(event, "pos_name", None),
                },
                "Exposure": meta.get("exposure_ms"),
                "PixelSize_um": meta.get("pixel_size_um"),
                **{tag: place for tag, place in zip(STAGE, places(event), strict=True) if place is not None},
            },
        )

    def run_begins(*told: Any) -> None:
        begins(core)

    started.connect(run_begins)
    ready.connect(taken)
    try:
        yield
    finally:
        ready.disconnect(taken)
        started.disconnect(run_begins)
