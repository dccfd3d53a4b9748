"""A runtime inside somebody else's acquisition: takes each image, never raises, leaves raw frames to their writer."""

from __future__ import annotations

from typing import Any

from ._elsewhere import saved_by
from ._errors import OnscopeError
from ._events import Event, Teller, log
from ._frame import Pixels
from ._hook import HookFrames
from ._keeper import Keeper
from ._live_path import LivePath

UNLINKED = (
    "found no word of where the acquisition saves its raw frames, expected it for the recording, which leaves them to "
    "it: call runtime.link(acquisition) before it begins"
)


class Hooked:
    """What `Runtime.image_process_fn`, `Runtime.attach` and `Runtime.link` do."""

    def __init__(self, path: LivePath, keeper: Keeper | None, tell: Teller) -> None:
        self._path, self._keeper, self._tell = path, keeper, tell
        self._frames = HookFrames()
        self._told = ""
        self._cameras: set[str] = set()
        self._elsewhere: bool | None = None
        """Whether the acquisition saves its raw frames itself; None: nobody said."""

    def take(self, image: Pixels, metadata: dict[str, Any]) -> None:
        """Submit an image; whatever is wrong with it, the model or the runtime is told, once, and never raised."""
        try:
            frame = self._frames.frame(image, metadata)
            if self._keeper is not None and frame.id.camera not in self._cameras:
                self._cameras.add(frame.id.camera)
                self._keeper.notes.source({"driver": "hook", "cameras": [frame.id.camera]})
            self._path.submit(frame, raw=self._is_recorded())
        except OnscopeError as error:
            self._tell_once(str(error))
        except Exception as error:
            # Broad on purpose: pycro-manager aborts the whole acquisition when a hook raises.
            log.debug("image_process_fn failed", exc_info=True)
            self._tell_once(repr(error))

    def link(self, acquisition: Any) -> None:
        """See `Runtime.link`."""
        saved = saved_by(acquisition)
        self._elsewhere = saved is not None
        if self._keeper is not None and saved is not None:
            self._keeper.recording.link(saved)

    def link_quietly(self, core: Any) -> None:
        """`link` for an acquisition that is under way, and comes first."""
        try:
            self.link(core)
        except Exception as error:
            # Broad on purpose, as above. Who saves the frames is not known then: two copies are better than none.
            log.debug("link failed", exc_info=True)
            self._elsewhere = False
            self._tell_once(f"found no word of what saves the raw frames ({error}): they are recorded here too")

    def _is_recorded(self) -> bool:
        if self._keeper is None:
            return False
        if self._elsewhere is None:
            self._elsewhere = True
            self._tell(Event("warning", UNLINKED))
        return not self._elsewhere

    def _tell_once(self, message: str) -> None:
        # What is wrong with one image of an acquisition is wrong with the next thousand too.
        if message != self._told:
            self._told = message
            self._tell(Event("hook error", message))
